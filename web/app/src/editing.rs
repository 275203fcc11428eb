//! A token that is edited where it stands.

use relp_model::{Prompt, Token};

/// The token that is edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Editing {
    /// In which prompt.
    pub prompt: Prompt,
    /// At which position.
    pub position: usize,
    /// What could stand there, most similar first; `None` as long as nobody has said.
    pub similar: Option<Vec<Token>>,
}

/// The prompt with another text in the place of a token; `None` if its tokens do not spell the prompt,
/// as those of a character that is split do not, or if the place is not the prompt's own.
pub fn replaced(
    tokens: &[Token],
    bos: bool,
    prompt: &str,
    position: usize,
    text: &str,
) -> Option<String> {
    let own = |token: &&Token| token.text != "<|endoftext|>";
    let begins = usize::from(bos && tokens.first().is_some_and(|first| !own(&first)));
    if position < begins || position >= tokens.len() {
        return None;
    }
    let pieces = || tokens.iter().enumerate().skip(begins);
    let spelled: String = pieces().map(|(_, token)| token.text.as_str()).collect();
    let changed = pieces().map(|(at, token)| if at == position { text } else { &token.text });
    (spelled == prompt).then(|| changed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(texts: &[&str]) -> Vec<Token> {
        let token = |(id, text): (usize, &&str)| Token { id: id as u32, text: (*text).to_owned() };
        texts.iter().enumerate().map(token).collect()
    }

    #[test]
    fn a_token_is_replaced_where_it_stands() {
        let with_bos = tokens(&["<|endoftext|>", "When", " Mary", " left"]);
        let replace = |position| replaced(&with_bos, true, "When Mary left", position, " John");
        assert_eq!(replace(2).as_deref(), Some("When John left"));
        assert_eq!(replace(1).as_deref(), Some(" John Mary left"));
        assert_eq!(replace(0), None, "BOS is no text");
        assert_eq!(replace(4), None, "there is none");
        let without = tokens(&["When", " Mary"]);
        assert_eq!(replaced(&without, false, "When Mary", 0, "If").as_deref(), Some("If Mary"));
    }

    #[test]
    fn tokens_that_do_not_spell_the_prompt_are_left_alone() {
        let split = tokens(&["na", "<0xC3>", "<0xAF>", "ve"]);
        assert_eq!(replaced(&split, false, "naïve", 0, "wa"), None);
    }
}
