//! All scores as comma-separated values, a score a line.

use std::fmt::Write;

use crate::Print;
use crate::words;

/// The whole file: a comment with the caption, the columns' names, then the scores.
pub(crate) fn write(print: &Print<'_>) -> String {
    let figure = print.drawn;
    let mut csv = format!("# {}\r\n", words::caption(print).replace(['\r', '\n'], " "));
    csv.push_str("site,layer,position,head,neuron,clean_token,corrupted_token,score,deviation\r\n");
    for (site, map) in &figure.maps {
        let heads = map.heads();
        for (index, score) in map.values.iter().enumerate() {
            let (layer, position, head, neuron) = match &map.neurons {
                Some(neurons) => {
                    let Some(neuron) = neurons.get(index) else { continue };
                    (neuron.layer, neuron.position, None, Some(neuron.neuron))
                }
                None => {
                    let each = heads.max(1);
                    let cell = index / each;
                    let head = (heads > 0).then_some(index % each);
                    let positions = map.positions().max(1);
                    (cell / positions, cell % positions, head, None)
                }
            };
            let token = |tokens: &[relp_model::Token]| {
                tokens.get(position).map(|token| quoted(&token.text)).unwrap_or_default()
            };
            let optional = |value: Option<usize>| value.map(|x| x.to_string()).unwrap_or_default();
            let deviation = map.deviation.as_ref().and_then(|all| all.get(index));
            let deviation = deviation.map(f32::to_string).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ok = write!(
                csv,
                "{site},{layer},{position},{},{},{},{},{score},{deviation}\r\n",
                optional(head),
                optional(neuron),
                token(&figure.tokens.clean),
                token(&figure.tokens.corrupted),
            );
        }
    }
    csv
}

/// A text in quotes (RFC 4180). One that a spreadsheet would compute is not begun with what makes it do so.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_are_doubled_and_formulas_are_text() {
        assert_eq!(quoted(" a,\"b\""), "\" a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }
}
