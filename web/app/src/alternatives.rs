//! Answers and foils as a person writes them: alternatives in one field, separated by `|`.
//!
//! Text and list determine each other, so that a field can be rewritten from the list while it is typed into:
//! `\|` is a bar that is no separator, and a backslash means itself unless it stands before a bar. Nothing
//! at all is no alternative.

/// The alternatives of a text, the empty ones included.
pub fn split(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut one = String::new();
    let mut backslashes = 0;
    for c in text.chars() {
        match c {
            '\\' => backslashes += 1,
            '|' => {
                one.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 {
                    one.push('|');
                } else {
                    all.push(std::mem::take(&mut one));
                }
                backslashes = 0;
            }
            c => {
                one.extend(std::iter::repeat_n('\\', std::mem::take(&mut backslashes)));
                one.push(c);
            }
        }
    }
    one.extend(std::iter::repeat_n('\\', backslashes));
    all.push(one);
    all
}

/// The text of alternatives.
pub fn join(alternatives: &[String]) -> String {
    let mut text = String::new();
    for (index, one) in alternatives.iter().enumerate() {
        if index > 0 {
            double_last_backslashes(&mut text);
            text.push('|');
        }
        for c in one.chars() {
            if c == '|' {
                double_last_backslashes(&mut text);
                text.push('\\');
            }
            text.push(c);
        }
    }
    text
}

/// Before a bar, a backslash is written twice.
fn double_last_backslashes(text: &mut String) {
    let count = text.chars().rev().take_while(|&c| c == '\\').count();
    text.extend(std::iter::repeat_n('\\', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(split(""), Vec::<String>::new());
        assert_eq!(split(" Mary"), [" Mary"]);
        assert_eq!(split(" is| was|"), [" is", " was", ""]);
        assert_eq!(split(r"\||\\|\"), ["|", r"\", r"\"]);
        assert_eq!(join(&[" a|b".to_owned(), "c".to_owned()]), r" a\|b|c");
    }

    #[test]
    fn text_and_list_determine_each_other() {
        let mut texts = vec![String::new()];
        for from in 0.. {
            let Some(text) = texts.get(from).cloned() else { break };
            if text.len() < 7 {
                texts.extend(['a', '|', '\\'].map(|c| format!("{text}{c}")));
            }
        }
        for text in &texts {
            assert_eq!(&join(&split(text)), text);
        }
        // Every list of short texts, too.
        let parts: Vec<&String> = texts.iter().filter(|text| text.len() < 4).collect();
        for a in &parts {
            for b in &parts {
                let list = vec![(*a).clone(), (*b).clone()];
                assert_eq!(split(&join(&list)), list);
            }
        }
    }
}
