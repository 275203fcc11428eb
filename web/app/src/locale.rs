//! The interface's words in the language of whoever reads them.
//!
//! All words of a language are in one file, `web/app/locales/LANGUAGE.ftl`, in the syntax of
//! [Fluent](https://projectfluent.org); `t!` takes them out by name. English is complete by a test,
//! and the others have what English has. What crates below the page say (the engine's and the hub's
//! failures) they say in English.

pub mod choice;
mod language;

use std::cell::RefCell;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};

pub use language::Language;

/// A message by its name, with its variables: `t!("question-mean-over-pairs", count = 4)`.
macro_rules! t {
    ($name:expr) => {
        $crate::locale::text($name, [])
    };
    ($name:expr, $($variable:ident = $value:expr),+ $(,)?) => {
        $crate::locale::text($name, [$((stringify!($variable), $value.into())),+])
    };
}
pub(crate) use t;

/// The words of one language.
struct Words {
    language: Language,
    bundle: FluentBundle<FluentResource>,
    /// Between whole and parts of a number.
    decimal: String,
}

thread_local! {
    static WORDS: RefCell<Words> = RefCell::new(Words::of(Language::English));
}

impl Words {
    fn of(language: Language) -> Self {
        // What cannot be read is left out; a test holds that all can.
        let resource = match FluentResource::try_new(language.source().to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let mut bundle = FluentBundle::new(vec![language.identifier()]);
        // Marks around variables would stand in copied text; prompts and tokens have `dir` of their own.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        let decimal = say(&bundle, "decimal-separator", None).unwrap_or_else(|| ".".to_owned());
        Self { language, bundle, decimal }
    }
}

fn say(
    bundle: &FluentBundle<FluentResource>,
    name: &str,
    variables: Option<&FluentArgs<'_>>,
) -> Option<String> {
    let pattern = bundle.get_message(name)?.value()?;
    let mut faults = Vec::new();
    let text = bundle.format_pattern(pattern, variables, &mut faults);
    debug_assert!(faults.is_empty(), "{name}: {faults:?}");
    Some(text.into_owned())
}

/// Speaks another language from now on. What stands on the page has to be drawn again.
pub fn speak(language: Language) {
    WORDS.with_borrow_mut(|words| *words = Words::of(language));
}

/// The language that is spoken.
pub fn spoken() -> Language {
    WORDS.with_borrow(|words| words.language)
}

/// A message with its variables; its name, if there is none.
pub fn text<'a, const N: usize>(
    name: &str,
    variables: [(&'static str, FluentValue<'a>); N],
) -> String {
    let variables: FluentArgs<'a> = variables.into_iter().collect();
    let text = WORDS.with_borrow(|words| say(&words.bundle, name, Some(&variables)));
    debug_assert!(text.is_some(), "there is no message {name}");
    text.unwrap_or_else(|| name.to_owned())
}

/// A number as it was formatted for programs, with the language's own decimal separator.
pub fn number(text: &str) -> String {
    WORDS.with_borrow(|words| text.replace('.', &words.decimal))
}

#[cfg(test)]
mod tests;
