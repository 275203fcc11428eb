//! Models that lie beside the page, on its own server: a list, and a folder that is laid out like a hub.

use serde::{Deserialize, Serialize};

use crate::Repo;

/// The list, from the page's folder on.
pub const LIST: &str = "models/here.json";
/// The folder that is a hub, from there too.
pub const FOLDER: &str = "models/hub";
const FORMAT: &str = "relp-models/1";
/// A longer list is none.
const MOST: usize = 50;

#[derive(Serialize, Deserialize)]
struct List {
    format: String,
    models: Vec<Repo>,
}

/// The models of a list; `None` if it is not one as a whole.
pub fn read(text: &str) -> Option<Vec<Repo>> {
    let List { format, models } = serde_json::from_str(text).ok()?;
    (format == FORMAT && models.len() <= MOST).then_some(models)
}

/// The list of these models.
pub fn write(models: Vec<Repo>) -> String {
    let list = List { format: FORMAT.to_owned(), models };
    // Nothing in it can fail to be written.
    serde_json::to_string(&list).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"format":"relp-models/1","models":["openai-community/gpt2","a/b"]}"#;

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let models = read(TWO).unwrap();
        let names: Vec<String> = models.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["openai-community/gpt2", "a/b"]);
        assert_eq!(write(models), format!("{TWO}\n"));
        let many = write(vec!["a/b".parse().unwrap(); MOST + 1]);
        let hostile = TWO.replace("a/b", "../../etc");
        let other = TWO.replace("relp-models/1", "relp-models/2");
        for text in ["", "{}", "<!doctype html>", "[]", &many, &hostile, &other] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
