//! Which model is wanted, what it would take, and which this browser keeps.

use leptos::prelude::*;
use relp_hub::{KNOWN, ModelId, Repo};
use relp_model::Precision;
use relp_protocol::{Download, Keeping, ModelSource, Preflight, Stored};

use crate::here;
use crate::locale::t;
use crate::words;

/// The signals of the choice of a model. Copies are handles to the same ones.
#[derive(Clone, Copy)]
pub struct Models {
    /// What is chosen in the list.
    pub wanted: RwSignal<Wanted>,
    /// `OWNER/NAME`, if that is chosen.
    pub other: RwSignal<String>,
    /// The hubs to ask, as they are written; empty for the usual one.
    pub mirrors: RwSignal<String>,
    /// What the page's own server has.
    pub here: RwSignal<Vec<Repo>>,
    /// How exactly weights are to be kept.
    pub precision: RwSignal<Precision>,
    /// What the wanted one would take.
    pub preflight: RwSignal<Option<Preflight>>,
    /// What this browser keeps.
    pub stored: RwSignal<Option<Stored>>,
    /// How far a download is.
    pub download: RwSignal<Option<Download>>,
    /// What is wrong with the choice, in a sentence.
    pub problem: RwSignal<Option<String>>,
}

/// An entry of the list of models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The bundled one.
    #[default]
    Bundled,
    /// One that is known by name: its place among [`KNOWN`].
    Known(usize),
    /// Another one from a hub.
    Other,
    /// The person's own files.
    Files,
}

impl Wanted {
    /// All entries.
    pub fn all() -> impl Iterator<Item = Self> {
        let known = (0..KNOWN.len()).map(Self::Known);
        [Self::Bundled].into_iter().chain(known).chain([Self::Other, Self::Files])
    }

    /// What the list says.
    pub fn title(self) -> String {
        match self {
            Self::Bundled => t!("models-bundled", model = words::MODEL),
            Self::Known(at) => {
                KNOWN.get(at).map_or_else(String::new, |known| known.title.to_owned())
            }
            Self::Other => t!("models-another"),
            Self::Files => t!("models-own-files"),
        }
    }

    /// The name that a hub knows it by.
    pub fn hub_name(self, other: &str) -> Option<String> {
        match self {
            Self::Known(at) => KNOWN.get(at).map(|known| known.repo.to_owned()),
            Self::Other => Some(other.trim().to_owned()).filter(|name| !name.is_empty()),
            Self::Bundled | Self::Files => None,
        }
    }
}

/// How large the bundled model's weights are.
pub const BUNDLED_BYTES: u64 =
    include_bytes!("../../../models/primer/model.safetensors").len() as u64;

/// The folder of the bundled model, on the page's own server.
pub fn bundled() -> ModelSource {
    ModelSource::bundled()
}

/// How a download is going, in a line.
pub fn progress(download: &Download) -> String {
    let Download { file, done, total, rate, left } = download;
    let bytes = |number: f64| words::bytes(number.max(0.0) as u64);
    let done = bytes(*done);
    let so_far = match total {
        Some(total) => t!("progress-of", done = done, total = bytes(*total)),
        None => done,
    };
    let mut line = t!("download-fetching", file = file.as_str(), done = so_far);
    if let Some(rate) = rate {
        line += &format!(", {}", t!("download-rate", bytes = bytes(*rate)));
    }
    if let Some(left) = left {
        line += &format!(", {}", t!("download-left", time = time(*left)));
    }
    line
}

/// A time as people say it.
fn time(seconds: f64) -> String {
    let seconds = seconds.max(0.0).ceil() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How and how much this browser keeps, in a sentence or two.
pub fn keeping(stored: &Stored) -> String {
    let how = match stored.keeping {
        Keeping::Files => t!("keeping-files"),
        Keeping::Cache => t!("keeping-cache"),
        Keeping::Memory => t!("keeping-memory"),
    };
    let room = match (stored.used, stored.quota) {
        (Some(used), Some(quota)) => {
            let [used, quota] = [used, quota].map(|count| words::bytes(count as u64));
            Some(t!("keeping-used", used = used, quota = quota))
        }
        _ => None,
    };
    let promise = match (stored.keeping, stored.persistent) {
        (Keeping::Memory, _) => None,
        (_, true) => Some(t!("keeping-promised")),
        (_, false) => Some(t!("keeping-not-promised")),
    };
    let sentences: Vec<String> = [Some(how), room, promise].into_iter().flatten().collect();
    sentences.join(" ")
}

impl Models {
    /// The bundled model is chosen.
    pub fn new() -> Self {
        Self {
            wanted: RwSignal::new(Wanted::default()),
            other: RwSignal::new(String::new()),
            mirrors: RwSignal::new(String::new()),
            here: RwSignal::new(Vec::new()),
            precision: RwSignal::new(Precision::default()),
            preflight: RwSignal::new(None),
            stored: RwSignal::new(None),
            download: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    /// What is wanted now; `None` while its name is not written, or of files.
    pub fn source(&self) -> Option<ModelSource> {
        let (wanted, other) = (self.wanted.get(), self.other.get());
        match wanted {
            Wanted::Bundled => Some(bundled()),
            Wanted::Files => None,
            Wanted::Known(_) | Wanted::Other => {
                let name = wanted.hub_name(&other)?;
                let mut mirrors = self.mirrors.get();
                // What a person names is asked, and nothing else.
                if mirrors.trim().is_empty() && self.is_here(&name) {
                    mirrors = here::mirrors().unwrap_or(mirrors);
                }
                Some(ModelSource::Hub { name, mirrors })
            }
        }
    }

    /// Whether the page's own server has a model, by its name on a hub.
    pub fn is_here(&self, name: &str) -> bool {
        // By any of the names that a hub knows it by.
        ModelId::from_name(name).is_ok_and(|id| self.here.with(|here| here.contains(&id.repo)))
    }

    /// What the list says of an entry.
    pub fn title(&self, wanted: Wanted) -> String {
        let title = wanted.title();
        match wanted {
            Wanted::Known(at) if KNOWN.get(at).is_some_and(|known| self.is_here(known.repo)) => {
                t!("models-on-this-server", title = title)
            }
            _ => title,
        }
    }
}

impl Default for Models {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_known_model_once() {
        let titles: Vec<String> = Wanted::all().map(Wanted::title).collect();
        assert_eq!(titles.len(), KNOWN.len() + 3);
        assert!(titles.iter().all(|title| !title.is_empty()));
        assert_eq!(Wanted::Other.hub_name("  "), None);
        assert_eq!(Wanted::Other.hub_name(" a/b "), Some("a/b".to_owned()));
        assert_eq!(Wanted::Known(1).hub_name(""), Some("openai-community/gpt2".to_owned()));
    }

    #[test]
    fn the_list_says_which_models_the_server_has() {
        let owner = Owner::new();
        owner.set();
        let models = Models::new();
        assert_eq!(models.title(Wanted::Known(1)), "GPT-2 small");
        models.here.set(vec!["openai-community/gpt2".parse().unwrap(), "a/b".parse().unwrap()]);
        assert_eq!(models.title(Wanted::Known(1)), "GPT-2 small, on this server");
        assert_eq!(models.title(Wanted::Known(0)), Wanted::Known(0).title());
        assert!(models.is_here("gpt2-small") && models.is_here("a/b") && !models.is_here("b/a"));
        // What was typed is asked alone.
        models.wanted.set(Wanted::Known(1));
        models.mirrors.set("https://mirror.example".to_owned());
        let expected = ModelSource::Hub {
            name: "openai-community/gpt2".to_owned(),
            mirrors: "https://mirror.example".to_owned(),
        };
        assert_eq!(models.source(), Some(expected));
    }

    #[test]
    fn a_download_says_what_is_known() {
        let mut download = Download {
            file: "model.safetensors".to_owned(),
            done: 1_500_000.0,
            total: None,
            rate: None,
            left: None,
        };
        assert_eq!(progress(&download), "Fetching model.safetensors: 1.5 MB");
        (download.total, download.rate, download.left) = (Some(5.5e8), Some(2e6), Some(274.2));
        assert_eq!(
            progress(&download),
            "Fetching model.safetensors: 1.5 MB of 550 MB, 2.0 MB a second, 5 min left"
        );
        assert_eq!([0.0, 59.1, 3_700.0].map(time), ["0 s", "1 min", "1 h 1 min"]);
    }
}
