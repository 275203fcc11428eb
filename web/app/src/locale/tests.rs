use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement, Resource};

use super::*;
use crate::examples::{EXAMPLES, TASKS};

/// The messages of a language, each with its variables.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let resource: Resource<&str> = fluent_syntax::parser::parse(language.source())
        .unwrap_or_else(|(_, faults)| panic!("{}: {faults:?}", language.tag()));
    let mut found = BTreeMap::new();
    for entry in resource.body {
        if let Entry::Message(message) = entry {
            let mut variables = BTreeSet::new();
            if let Some(pattern) = &message.value {
                variables_of(pattern, &mut variables);
            }
            let before = found.insert(message.id.name.to_owned(), variables);
            assert!(before.is_none(), "{}: {} stands twice", language.tag(), message.id.name);
        }
    }
    found
}

fn variables_of(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            match expression {
                Expression::Inline(inline) => variable_of(inline, found),
                Expression::Select { selector, variants } => {
                    variable_of(selector, found);
                    variants.iter().for_each(|variant| variables_of(&variant.value, found));
                }
            }
        }
    }
}

fn variable_of(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    if let InlineExpression::VariableReference { id } = inline {
        found.insert(id.name.to_owned());
    }
}

/// The page's sources, but for its tests of languages.
fn sources() -> String {
    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                read(&path, text);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                text.push_str(&std::fs::read_to_string(&path).expect("it can be read"));
            }
        }
    }
    let mut text = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    text
}

#[test]
fn every_language_says_everything() {
    let english = messages(Language::English);
    assert!(english.len() > 200);
    for language in [Language::German, Language::Spanish] {
        let other = messages(language);
        for (name, variables) in &english {
            let has = other.get(name);
            assert!(has.is_some(), "{} lacks {name}", language.tag());
            assert_eq!(has, Some(variables), "{}: the variables of {name}", language.tag());
        }
        let more: Vec<_> = other.keys().filter(|name| !english.contains_key(*name)).collect();
        assert!(more.is_empty(), "{} has {more:?}, which English lacks", language.tag());
    }
}

#[test]
fn messages_that_are_asked_for_are_there_and_the_others_are_not() {
    let english = messages(Language::English);
    let sources = sources();
    let mut asked = BTreeSet::new();
    for (at, _) in sources.match_indices("t!(") {
        // Other macros end in a t too.
        if sources[..at].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let after = sources[at + 3..].trim_start();
        if let Some(name) = after.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
            asked.insert(name.to_owned());
        }
    }
    let missing: Vec<_> = asked.iter().filter(|name| !english.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} are asked for, and are nowhere");
    // The words of tasks and pairs are asked for by their ids.
    let of_tasks = TASKS.iter().map(|task| &task.id);
    let of_tasks = of_tasks.flat_map(|id| [format!("task-{id}"), format!("task-{id}-about")]);
    let of_pairs = EXAMPLES.iter().map(|example| format!("pair-{}", example.id));
    let by_id: BTreeSet<String> = of_tasks.chain(of_pairs).collect();
    let is_used =
        |name: &&String| sources.contains(&format!("\"{name}\"")) || by_id.contains(name.as_str());
    let unused: Vec<_> = english.keys().filter(|name| !is_used(name)).collect();
    assert!(unused.is_empty(), "{unused:?} are asked for nowhere");
}

#[test]
fn variables_plurals_and_numbers_follow_the_language() {
    assert_eq!(number("0.25"), "0.25");
    speak(Language::German);
    assert_eq!((number("0.25"), spoken()), ("0,25".to_owned(), Language::German));
    speak(Language::Spanish);
    assert_eq!(number("−1.5"), "−1,5");
    speak(Language::English);
}

#[test]
fn tags_are_taken_whatever_their_region() {
    assert_eq!(Language::of_tag("de-AT"), Some(Language::German));
    assert_eq!(Language::of_tag("ES"), Some(Language::Spanish));
    assert_eq!(Language::of_tag("pt-BR"), None);
    assert_eq!(Language::of_tag(""), None);
    for language in Language::ALL {
        assert_eq!(Language::of_tag(language.tag()), Some(language));
        assert_eq!(language.identifier().to_string(), language.tag());
    }
}
