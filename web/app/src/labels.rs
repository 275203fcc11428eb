//! Text as it is drawn: visible spaces, short tokens, numbers of one width.

use crate::locale::number;

/// A token with its spaces and line ends visible.
pub fn visible(token: &str) -> String {
    let mut text = String::with_capacity(token.len());
    for c in token.chars() {
        match c {
            ' ' => text.push('·'),
            '\n' => text.push('⏎'),
            '\t' => text.push('⇥'),
            c if c.is_control() => text.push_str(&format!("<0x{:02X}>", c as u32)),
            c => text.push(c),
        }
    }
    text
}

/// A token short enough to stand at an axis. `<|endoftext|>` is called what it is used as.
pub fn axis(token: &str) -> String {
    if token == "<|endoftext|>" {
        return "BOS".to_owned();
    }
    let text = visible(token);
    if text.chars().count() <= 11 {
        return text;
    }
    text.chars().take(10).chain(['…']).collect()
}

/// A score with its sign and three decimals, by a true minus.
pub fn score(value: f64) -> String {
    // A rounded −0 would show a sign that the value does not have.
    if value.abs() < 0.0005 {
        return number("0.000");
    }
    let sign = if value < 0.0 { "−" } else { "+" };
    number(&format!("{sign}{:.3}", value.abs()))
}

/// A correlation or a slope, by a true minus.
pub fn coefficient(value: f64) -> String {
    let text = format!("{value:.3}");
    // A rounded −0 would show a sign that the value does not have.
    let text = if text == "-0.000" { "0.000".to_owned() } else { text };
    number(&text.replace('-', "−"))
}

/// A probability in percent.
pub fn percent(probability: f64) -> String {
    let percent = 100.0 * probability;
    number(&if percent >= 0.1 { format!("{percent:.1} %") } else { "< 0.1 %".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_control_characters_are_visible() {
        assert_eq!(visible(" Mary"), "·Mary");
        assert_eq!(visible("\n\t\u{1}"), "⏎⇥<0x01>");
    }

    #[test]
    fn axis_labels_are_short() {
        assert_eq!(axis("<|endoftext|>"), "BOS");
        assert_eq!(axis(" counterrevolutionary"), "·counterre…");
        assert_eq!(axis(" réseau"), "·réseau");
    }

    #[test]
    fn numbers_have_their_sign() {
        assert_eq!((score(1.25), score(-1.25)), ("+1.250".to_owned(), "−1.250".to_owned()));
        assert_eq!((score(0.0), score(-0.0001)), ("0.000".to_owned(), "0.000".to_owned()));
        assert_eq!((percent(0.5), percent(1e-6)), ("50.0 %".to_owned(), "< 0.1 %".to_owned()));
    }
}
