//! The same figure by other means: a command, a script, a citation.

use relp_model::{Direction, Method, Metric, PairText, Replace, Request, Rules};
use serde::Serialize;

/// The paper, and this program.
pub const CITATION: &str = include_str!("../../../CITATION.bib");

/// The arguments of `relp` that compute a figure, but for the program's name.
pub fn arguments(request: &Request, model: Option<&str>) -> Vec<String> {
    let mut arguments = vec!["attribute".to_owned()];
    let mut put = |name: &str, value: &str| {
        arguments.push(format!("--{name}"));
        if !value.is_empty() {
            arguments.push(value.to_owned());
        }
    };
    if let Some(model) = model {
        put("model", model);
    }
    if request.batch.is_empty() {
        put("clean", &request.pair.clean);
        put("corrupt", &request.pair.corrupted);
        request.pair.answers.iter().for_each(|answer| put("answer", answer));
        request.pair.foils.iter().for_each(|foil| put("foil", foil));
    } else {
        put("pairs", "-");
        put("mean", "");
    }
    let pairs =
        if request.batch.is_empty() { std::slice::from_ref(&request.pair) } else { &request.batch };
    if pairs.iter().any(|pair| !pair.bos) {
        put("no-bos", "");
    }
    if request.method != Method::Relp {
        put("method", request.method.name());
    } else if request.rules != Rules::RELP {
        put("rules", &request.rules.to_string());
    }
    if request.direction != Direction::default() {
        put("direction", request.direction.name());
    }
    if request.replace != Replace::default() {
        put("replace", request.replace.name());
    }
    if request.metric != Metric::default() {
        put("metric", request.metric.name());
    }
    if request.normalise {
        put("normalise", "");
    }
    let sites: Vec<&str> = request.sites.iter().map(|site| site.name()).collect();
    put("sites", &sites.join(","));
    arguments
}

/// The pairs of a mean, as the command reads them from its input.
fn input(batch: &[PairText]) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        clean: &'a str,
        corrupted: &'a str,
        answer: &'a str,
        foil: &'a str,
    }
    let first = |texts: &[String]| texts.first().cloned().unwrap_or_default();
    let line = |pair: &PairText| {
        let (answer, foil) = (first(&pair.answers), first(&pair.foils));
        let line =
            Line { clean: &pair.clean, corrupted: &pair.corrupted, answer: &answer, foil: &foil };
        serde_json::to_string(&line).unwrap_or_default()
    };
    batch.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A command for a POSIX shell that writes the figure to `figure.json`.
pub fn command(request: &Request, model: Option<&str>) -> String {
    let words: Vec<String> = arguments(request, model).iter().map(|word| quoted(word)).collect();
    let command = format!("relp {} --out figure.json", words.join(" "));
    if request.batch.is_empty() {
        command
    } else {
        format!("{command} <<'PAIRS'\n{}\nPAIRS", input(&request.batch))
    }
}

/// A script that computes the figure by the same command and reads it.
pub fn python(request: &Request, model: Option<&str>) -> String {
    let words = arguments(request, model).into_iter().chain(["--out".to_owned(), "-".to_owned()]);
    let words: Vec<String> = words.map(|word| literal(&word)).collect();
    let input = if request.batch.is_empty() {
        String::new()
    } else {
        format!(", input={}", literal(&input(&request.batch)))
    };
    format!(
        "import json, subprocess\n\ncommand = [\"relp\", {}]\n\
         answer = subprocess.run(command, check=True, capture_output=True, text=True{input})\n\
         figure = json.loads(answer.stdout)\n\
         for site, map in figure[\"maps\"].items():\n    print(site, map[\"shape\"])\n",
        words.join(", ")
    )
}

/// The address of the figure without what stands around it. `link` is the fragment, and `base` the page's address.
pub fn embed(base: &str, link: &str) -> String {
    let mark = if link.is_empty() { "" } else { "#" };
    format!("{base}?embed{mark}{link}")
}

/// A frame with what is at such an address, for somebody else's page.
pub fn frame(address: &str) -> String {
    format!(
        "<iframe src=\"{}\" title=\"RelP figure\" loading=\"lazy\" width=\"100%\" height=\"900\" \
         style=\"border: 0\"></iframe>",
        attribute(address)
    )
}

/// An element with the figure, for somebody else's page. `file` is where its JSON will be.
pub fn element(base: &str, file: &str) -> String {
    format!(
        "<script type=\"module\" src=\"{}relp-figure.js\"></script>\n<relp-figure src=\"{}\"></relp-figure>",
        attribute(base),
        attribute(file)
    )
}

/// A text between the quotes of an attribute.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,/=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A string in Python, whose escapes are those of JSON.
fn literal(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use relp_model::Site;

    use super::*;
    use crate::examples::EXAMPLES;

    fn request() -> Request {
        Request { pair: EXAMPLES[0].pair(), ..Request::default() }
    }

    #[test]
    fn a_command_says_what_is_not_as_usual() {
        let said = command(&request(), None);
        assert_eq!(
            said,
            "relp attribute --clean 'When John and Mary went to the shop, John gave a drink to' --corrupt \
             'When John and Mary went to the shop, Mary gave a drink to' --answer ' Mary' --foil ' John' \
             --sites resid_pre,attn_out,mlp_out --out figure.json"
        );
        let mut other = request();
        other.pair.clean = "it's $HOME `x`".to_owned();
        other.pair.bos = false;
        other.rules = Rules::NONE;
        other.normalise = true;
        other.sites = vec![Site::Z];
        let said = command(&other, Some("gpt2"));
        assert!(said.contains("--clean 'it'\\''s $HOME `x`'"), "{said}");
        assert!(said.contains("--model gpt2") && said.contains("--no-bos --rules none"), "{said}");
        assert!(said.ends_with("--normalise --sites z --out figure.json"), "{said}");
    }

    #[test]
    fn a_mean_brings_its_pairs() {
        let batch = vec![EXAMPLES[0].pair(), EXAMPLES[1].pair()];
        let of_two = Request { batch, ..request() };
        let said = command(&of_two, None);
        assert!(said.contains("--pairs - --mean") && said.ends_with("\nPAIRS"), "{said}");
        assert_eq!(said.lines().count(), 4);
        assert!(python(&of_two, None).contains("input=\"{"));
    }

    #[test]
    fn snippets_are_html_whatever_is_in_them() {
        assert_eq!(
            frame(&embed("https://a.example/p/", "v=1&clean=%22")),
            "<iframe src=\"https://a.example/p/?embed#v=1&amp;clean=%22\" title=\"RelP figure\" \
             loading=\"lazy\" width=\"100%\" height=\"900\" style=\"border: 0\"></iframe>"
        );
        assert_eq!(embed("https://a.example/", ""), "https://a.example/?embed");
        let said = element("https://a.example/", "a\"><script>.json");
        assert!(said.contains("src=\"a&quot;>&lt;script>.json\"></relp-figure>"), "{said}");
    }

    #[test]
    fn a_script_has_the_same_words() {
        let said = python(&request(), None);
        assert!(said.starts_with("import json, subprocess\n"), "{said}");
        assert!(said.contains("\" Mary\", \"--foil\", \" John\""), "{said}");
    }
}
