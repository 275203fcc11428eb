//! What could stand in the place of a token.

use leptos::prelude::*;
use relp_model::{Prompt, Token};
use relp_protocol::{Command, Id};

use super::Session;
use crate::editing::Editing;

impl Session {
    /// Begins to edit a token of a prompt in place, and asks what could stand there.
    pub fn edit_token(self, prompt: Prompt, position: usize) {
        let pair = self.state.pair.get_untracked();
        let text = match prompt {
            Prompt::Clean => pair.clean,
            Prompt::Corrupted => pair.corrupted,
        };
        let id = self.next_id();
        self.inner.update_value(|inner| inner.similar = Some(id));
        self.state.editing.set(Some(Editing { prompt, position, similar: None }));
        self.pause_checking(true);
        self.send(&Command::Similar { id, text, bos: pair.bos, position });
    }

    /// Puts another text in the place of the token that is edited.
    pub fn replace_token(self, text: &str) {
        let Some(editing) = self.state.editing.get_untracked() else { return };
        let replaced = untrack(|| self.state.with_token(editing.prompt, editing.position, text));
        self.stop_editing();
        let Some(replaced) = replaced else { return };
        self.state.example.set(None);
        self.state.pair.update(|pair| match editing.prompt {
            Prompt::Clean => pair.clean = replaced,
            Prompt::Corrupted => pair.corrupted = replaced,
        });
    }

    /// Leaves the token as it is.
    pub fn stop_editing(self) {
        self.state.editing.set(None);
        self.forget_similar();
    }

    pub(super) fn hear_similar(self, id: Id, tokens: Vec<Token>) {
        if self.is_similar(id) {
            self.state.editing.update(|editing| {
                if let Some(editing) = editing {
                    editing.similar = Some(tokens);
                }
            });
            self.forget_similar();
        }
    }

    /// Whether `id` was of such a question, which came to nothing: then there is nothing to suggest.
    pub(super) fn similar_failed(self, id: Id) -> bool {
        let was = self.is_similar(id);
        if was {
            self.hear_similar(id, Vec::new());
        }
        was
    }

    fn is_similar(self, id: Id) -> bool {
        self.inner.with_value(|inner| inner.similar == Some(id))
    }

    fn forget_similar(self) {
        self.inner.update_value(|inner| inner.similar = None);
        self.resume_checking();
    }
}
