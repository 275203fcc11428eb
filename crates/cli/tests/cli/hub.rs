//! `relp model`, and models that it has fetched, against a hub that misbehaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use relp_tests::faulty_hub::{COMMIT, Fault, FaultyHub};
use relp_tests::gpt2_checkpoint::{SMALL_CONFIG, Shape};
use relp_tests::gpt2_tokenizer::tokenizer_json;
use serde_json::Value;

use crate::program::{PRIMER, at_home, folder, stderr, stdout};

const NAME: &str = "someone/their-gpt2";
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// A hub with one model, and a place to keep it.
struct Place {
    hub: FaultyHub,
    home: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let hub = FaultyHub::start().unwrap();
        for file in FILES {
            hub.add(NAME, file, primer(file));
        }
        Self { hub, home: folder(name) }
    }

    fn command(&self, args: &[&str]) -> Command {
        at_home(&self.home, &self.hub.url(), args)
    }

    fn relp(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn answer(&self, args: &[&str]) -> String {
        let output = self.relp(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{args:?}");
        stdout(&output)
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.answer(args)).unwrap()
    }

    fn fails(&self, args: &[&str], status: i32, parts: &[&str]) {
        let output = self.relp(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert_eq!(stdout(&output), "", "{args:?}");
        assert!(said.starts_with("relp: ") && said.trim_end().ends_with('.'), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in parts {
            assert!(said.contains(part), "{args:?}: {part:?} in {said}");
        }
    }

    fn get(&self) -> Value {
        self.json(&["model", "get", NAME])
    }

    fn blobs(&self) -> PathBuf {
        self.model().join("blobs")
    }

    fn model(&self) -> PathBuf {
        self.home.join("hub/models--someone--their-gpt2")
    }

    fn snapshot(&self, file: &str) -> PathBuf {
        self.model().join("snapshots").join(COMMIT).join(file)
    }

    /// The model is kept, is what the hub has, and answers without the network.
    fn holds(&self) {
        for file in FILES {
            assert!(fs::read(self.snapshot(file)).unwrap() == primer(file), "{file}");
        }
        self.hub.asked();
        let args = ["predict", "--executor", "cpu", "--prompt", "The friends", "--model", NAME];
        let found = self.json(&args);
        assert_eq!(found["model"]["name"], "their-gpt2");
        assert_eq!(found["predictions"].as_array().unwrap().len(), 10);
        assert_eq!(self.hub.asked(), [], "only `relp model get` uses the network");
    }

    /// Nothing is kept that could be taken for the model.
    fn holds_nothing(&self) {
        let args = ["predict", "--executor", "cpu", "--prompt", "x", "--model", NAME];
        self.fails(&args, 2, &["no folder", "relp model get someone/their-gpt2"]);
        self.fails(&["model", "path", NAME], 2, &["is not kept here"]);
    }

    /// Bytes of the weights that the hub has sent.
    fn sent(&self) -> u64 {
        let asked = self.hub.asked();
        let weights = asked.iter().filter(|asked| asked.path.ends_with("model.safetensors"));
        weights.map(|asked| asked.sent).sum()
    }
}

fn primer(file: &str) -> Vec<u8> {
    fs::read(Path::new(PRIMER).join(file)).unwrap()
}

fn length() -> u64 {
    primer("model.safetensors").len() as u64
}

#[test]
fn a_model_is_fetched_once_listed_used_and_removed() {
    let place = Place::new("hub-once");
    place.holds_nothing();
    let kept = place.get();
    assert_eq!((&kept["name"], &kept["trust"]), (&NAME.into(), &"announced".into()));
    place.holds();
    // Both programs find it.
    let refs = fs::read_to_string(place.model().join("refs/main")).unwrap();
    assert_eq!(refs, COMMIT);
    #[cfg(unix)]
    assert!(fs::read_link(place.snapshot("config.json")).unwrap().starts_with("../../blobs"));
    let path = place.answer(&["model", "path", NAME]);
    assert_eq!(Path::new(path.trim_end()), place.snapshot("config.json").parent().unwrap());

    assert_eq!(place.get(), kept);
    assert_eq!(place.hub.asked(), [], "what is there is not fetched again");

    let line = |state: &str| {
        let list = place.json(&["model", "list"]);
        let lines = list.as_array().unwrap();
        assert_eq!(lines[1]["name"], "openai-community/gpt2");
        assert_eq!(lines[1]["state"], "absent");
        let own = lines.iter().find(|line| line["name"] == NAME);
        assert_eq!(
            own.map(|line| &line["state"]),
            Some(&state.into()).filter(|_| !state.is_empty())
        );
    };
    line("kept");
    let removed = place.json(&["model", "remove", NAME]);
    assert!(removed["bytes"].as_u64().unwrap() > length());
    assert_eq!(fs::read_dir(place.blobs()).unwrap().count(), 0);
    place.holds_nothing();
    line("");
    place.fails(&["model", "remove", NAME], 2, &["Nothing of someone/their-gpt2 is kept"]);
}

/// As the hub's own client leaves it: two revisions, one of which this program was not asked for.
#[cfg(unix)]
#[test]
fn what_another_revision_has_too_is_not_removed() {
    let place = Place::new("hub-shared");
    place.get();
    let other = place.model().join("snapshots/ffeeddccbbaa99887766554433221100ffeeddcc");
    fs::create_dir(&other).unwrap();
    let way = fs::read_link(place.snapshot("tokenizer.json")).unwrap();
    std::os::unix::fs::symlink(way, other.join("tokenizer.json")).unwrap();
    place.json(&["model", "remove", NAME]);
    assert!(fs::read(other.join("tokenizer.json")).unwrap() == primer("tokenizer.json"));
}

/// As where there are no links.
#[test]
fn a_copy_goes_with_what_it_was_made_of() {
    let place = Place::new("hub-copied");
    place.get();
    for file in FILES {
        let seen = place.snapshot(file);
        let bytes = fs::read(&seen).unwrap();
        fs::remove_file(&seen).unwrap();
        fs::write(seen, bytes).unwrap();
    }
    place.json(&["model", "remove", NAME]);
    assert_eq!(fs::read_dir(place.blobs()).unwrap().count(), 0);
}

#[test]
fn a_cut_is_taken_up_again_by_itself() {
    let place = Place::new("hub-cut");
    place.hub.break_next("model.safetensors", &[Fault::Cut(1_000_000)]);
    place.hub.break_next("tokenizer.json", &[Fault::Cut(10)]);
    place.get();
    let asked = place.hub.asked();
    let weights: Vec<_> =
        asked.iter().filter(|asked| asked.path.ends_with("model.safetensors")).collect();
    assert_eq!(weights.iter().map(|asked| asked.from).collect::<Vec<_>>(), [None, Some(1_000_000)]);
    assert_eq!(weights.iter().map(|asked| asked.sent).sum::<u64>(), length());
    place.holds();
}

#[test]
fn a_killed_download_is_taken_up_where_it_was() {
    let place = Place::new("hub-killed");
    place.hub.break_file("model.safetensors", &[Fault::Trickle]);
    let mut command = place.command(&["model", "get", NAME]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let grown = || {
        let blobs = fs::read_dir(place.blobs()).into_iter().flatten().flatten();
        let incomplete =
            blobs.filter(|blob| blob.path().extension() == Some("incomplete".as_ref()));
        incomplete.map(|blob| blob.metadata().unwrap().len()).max().unwrap_or(0)
    };
    while grown() < 100_000 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing comes");
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = grown();
    place.holds_nothing();
    let list = place.json(&["model", "list"]);
    let own = list.as_array().unwrap().iter().find(|line| line["name"] == NAME).unwrap();
    assert_eq!(own["state"], "incomplete");
    place.hub.mend();
    place.hub.asked();
    place.get();
    assert_eq!(place.sent(), length() - kept);
    place.holds();
}

/// A fault of the weights or the configuration: what is said, that nothing half-loaded is used, and that
/// a good try afterwards does not fetch again what is there.
#[test]
fn every_fault_is_explained_and_a_good_try_follows() {
    let cases: [(&str, &str, &[Fault], &[&str]); 9] = [
        ("missing", "config.json", &[Fault::Status(404)], &["does not have it (404)", "name"]),
        ("login", "config.json", &[Fault::Status(401)], &["not give it to everyone (401)"]),
        ("html", "config.json", &[Fault::Html], &["a web page came", "sign in"]),
        ("busy", "model.safetensors", &[Fault::Busy(3600)], &["too many", "wait 3600 seconds"]),
        ("trouble", "model.safetensors", &[Fault::Status(500)], &["trouble of its own (500)"]),
        ("page", "model.safetensors", &[Fault::Html], &["a web page came"]),
        ("wrong", "model.safetensors", &[Fault::WrongBytes], &["SHA-256", "nothing of it is kept"]),
        ("circle", "model.safetensors", &[Fault::Circle], &["redirects in circles"]),
        ("cuts", "model.safetensors", &[Fault::Cut(1000)], &["cut", "what has come is kept"]),
    ];
    thread::scope(|scope| {
        for (name, file, faults, parts) in cases {
            scope.spawn(move || {
                let place = Place::new(&format!("hub-fault-{name}"));
                place.hub.break_file(file, faults);
                let url = place.hub.url();
                let own = [parts, &[file, NAME, &url]].concat();
                place.fails(&["model", "get", NAME], 1, &own);
                place.holds_nothing();
                place.hub.mend();
                place.hub.asked();
                place.get();
                let again = if name == "cuts" { length() - 3000 } else { length() };
                assert_eq!(place.sent(), again, "{name}");
                place.holds();
            });
        }
    });
}

#[test]
fn a_server_that_stalls_is_given_up_and_taken_up() {
    let place = Place::new("hub-stall");
    place.hub.break_file("model.safetensors", &[Fault::Stall(5)]);
    let mut command = place.command(&["model", "get", NAME]);
    let output = command.env("HF_HUB_DOWNLOAD_TIMEOUT", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nothing came for 1 seconds"), "{}", stderr(&output));
    place.holds_nothing();
    place.hub.mend();
    place.get();
    place.holds();
}

#[test]
fn servers_without_ranges_names_and_lengths_work_too() {
    let bare = [Fault::NoRanges, Fault::NoEtag, Fault::NoLength];
    for (name, faults) in [("ranges", &bare[..1]), ("names", &bare[..2]), ("bare", &bare[..])] {
        let place = Place::new(&format!("hub-without-{name}"));
        for file in FILES {
            place.hub.break_file(file, faults);
        }
        let cut = [faults, &[Fault::Cut(500_000)]].concat();
        if name != "bare" {
            place.hub.break_next("model.safetensors", &cut);
        }
        let kept = place.get();
        let trust = if name == "ranges" { "announced" } else { "first-use" };
        assert_eq!(kept["trust"], trust, "{name}");
        place.holds();
    }
}

#[test]
fn the_next_mirror_is_asked_where_the_first_does_not_answer() {
    let place = Place::new("hub-mirrors");
    let empty = FaultyHub::start().unwrap();
    let endpoints = format!("{}, {}", empty.url(), place.hub.url());
    let mut command = place.command(&["model", "get", NAME]);
    let output = command.env("HF_ENDPOINT", endpoints).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!empty.asked().is_empty());
    place.holds();
}

#[test]
fn weights_that_are_no_gpt2_are_refused_before_they_are_fetched() {
    let data = vec![0; 3_000_000];
    let with_header = |len: u64, header: &[u8]| [&len.to_le_bytes(), header, &data].concat();
    let overlapping = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("huge", with_header(1 << 63, b"{}"), "header of 9223372036854775808 bytes"),
        ("claim", with_header(100 << 20, b"{}"), "header of 104857600 bytes"),
        ("overlap", with_header(overlapping.len() as u64, overlapping), "cannot be read"),
        ("zeros", data.clone(), "header of 0 bytes"),
        ("short", b"abc".to_vec(), "is empty"),
    ];
    for (name, bytes, part) in cases {
        let place = Place::new(&format!("hub-hostile-{name}"));
        place.hub.add(NAME, "model.safetensors", bytes);
        // Or all of it would be under way before anything can be refused.
        place.hub.break_file("model.safetensors", &[Fault::Trickle]);
        place.fails(&["model", "get", NAME], 2, &["model.safetensors", part]);
        place.holds_nothing();
        assert!(place.sent() < 1_000_000, "{name}");
        let kept = fs::read_dir(place.blobs()).unwrap().count();
        assert_eq!(kept, 2, "{name}: the configuration and the tokenizer");
        place.hub.add(NAME, "model.safetensors", primer("model.safetensors"));
        place.hub.mend();
        place.get();
        place.holds();
    }
}

#[test]
fn a_file_of_another_length_than_its_header_says_is_refused() {
    let place = Place::new("hub-long");
    place.hub.break_file("model.safetensors", &[Fault::WrongLength]);
    place.fails(&["model", "get", NAME], 2, &["model.safetensors should have", "and has"]);
    place.holds_nothing();
    place.hub.mend();
    place.get();
    place.holds();
}

#[test]
fn a_configuration_that_is_not_supported_or_does_not_fit_is_refused_before_the_weights() {
    let config = String::from_utf8(primer("config.json")).unwrap();
    let width = serde_json::from_str::<Value>(&config).unwrap()["n_embd"].to_string();
    let wider = config.replace(&format!("\"n_embd\": {width}"), "\"n_embd\": 256");
    assert_ne!(wider, config);
    for (name, config, part, sends) in [
        ("relu", config.replace("gelu_new", "relu"), "activation_function = relu", false),
        ("llama", config.replace("\"gpt2\"", "\"llama\""), "model_type = llama", false),
        ("wider", wider, "config.json does not belong to this checkpoint", true),
    ] {
        let place = Place::new(&format!("hub-config-{name}"));
        place.hub.add(NAME, "config.json", config);
        place.hub.break_file("model.safetensors", &[Fault::Trickle]);
        place.fails(&["model", "get", NAME], 2, &[part]);
        let sent = place.sent();
        assert!(sent < 1_000_000 && (sent > 0) == sends, "{name}: {sent}");
        place.holds_nothing();
    }
}

#[test]
fn a_kept_model_that_went_bad_is_not_used_and_fetched_again() {
    let place = Place::new("hub-damaged");
    place.get();
    let blob = fs::canonicalize(place.snapshot("model.safetensors")).unwrap();
    let mut bytes = primer("model.safetensors");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&blob, &bytes).unwrap();
    let args = ["predict", "--executor", "cpu", "--prompt", "x", "--model", NAME];
    place.fails(
        &args,
        1,
        &["stored model.safetensors of someone/their-gpt2 is damaged", "relp model get"],
    );
    place.get();
    place.holds();
    fs::write(&blob, &bytes[..1000]).unwrap();
    place.get();
    place.holds();
    let tokenizer = fs::canonicalize(place.snapshot("tokenizer.json")).unwrap();
    let text = fs::read_to_string(&tokenizer).unwrap();
    fs::write(&tokenizer, text.replacen("friend", "fiend", 1)).unwrap();
    place.fails(&args, 1, &["stored tokenizer.json of someone/their-gpt2 is damaged"]);
    place.get();
    place.holds();
    // Another program may clear the folder at any time.
    fs::remove_file(&blob).unwrap();
    place.holds_nothing();
    place.get();
    place.holds();
}

#[test]
fn a_branch_that_moves_on_between_two_files_is_fetched_in_its_new_state() {
    let place = Place::new("hub-moved");
    place.hub.break_file("model.safetensors", &[Fault::Status(404)]);
    place.fails(&["model", "get", NAME], 1, &["model.safetensors"]);
    place.hub.mend();
    let commit = "ffeeddccbbaa99887766554433221100ffeeddcc";
    place.hub.move_on(commit);
    let kept = place.get();
    assert!(kept["folder"].as_str().unwrap().ends_with(commit), "{kept}");
    assert_eq!(place.sent(), length());
    // A commit of a hostile server leads nowhere.
    let place = Place::new("hub-hostile-commit");
    place.hub.move_on("../../../../escaped");
    let kept = place.get();
    assert!(kept["folder"].as_str().unwrap().ends_with("snapshots/main"), "{kept}");
    assert!(!place.home.join("escaped").exists() && !place.home.join("hub/escaped").exists());
}

#[test]
fn what_the_hubs_own_client_has_fetched_is_used() {
    let place = Place::new("hub-own-client");
    let blobs = place.blobs();
    fs::create_dir_all(&blobs).unwrap();
    fs::create_dir_all(place.snapshot("config.json").parent().unwrap()).unwrap();
    fs::create_dir_all(place.model().join("refs")).unwrap();
    fs::write(place.model().join("refs/main"), COMMIT).unwrap();
    for (at, file) in FILES.into_iter().enumerate() {
        fs::write(blobs.join(format!("blob-{at}")), primer(file)).unwrap();
        fs::hard_link(blobs.join(format!("blob-{at}")), place.snapshot(file)).unwrap();
    }
    place.holds();
    let kept = place.get();
    assert_eq!(kept["trust"], "first-use");
    assert_eq!(place.hub.asked(), []);
    place.holds();
}

#[test]
fn two_at_once_fetch_it_once() {
    let place = Place::new("hub-two");
    thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| place.relp(&["model", "get", NAME])));
        for one in both {
            let output = one.join().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
    });
    assert_eq!(place.sent(), length());
    place.holds();
}

#[test]
fn a_known_model_must_be_what_is_known_of_it() {
    let place = Place::new("hub-known");
    for file in FILES {
        place.hub.add("openai-community/gpt2", file, primer(file));
    }
    place.fails(&["model", "get", "gpt2"], 1, &["config.json", "should have 665"]);
    let args = ["predict", "--executor", "cpu", "--prompt", "x", "--model", "gpt2-small"];
    place.fails(&args, 2, &["GPT-2 small is not kept here", "relp model get gpt2-small", "549 MB"]);
}

#[test]
fn what_cannot_be_asked_is_explained() {
    let place = Place::new("hub-refused");
    place.fails(&["model", "get"], 2, &["needs the name of a model"]);
    place.fails(&["model", "get", "gpt4"], 2, &["gpt4", "OWNER/NAME", "gpt2-xl"]);
    place.fails(&["model", "get", "../../etc"], 2, &["not the name of a model"]);
    place.fails(&["model", "get", "primer"], 2, &["part of this program"]);
    place.fails(&["model", "get", "gpt2", "again"], 2, &["does not take `again`"]);
    place.fails(&["model", "fetch", "gpt2"], 2, &["no `relp model fetch`", "get, list"]);
    place.fails(&["model", "get", "--force", "gpt2"], 2, &["`--force`", "relp model --help"]);
    for (variable, value, part) in [
        ("HF_ENDPOINT", "file:///etc", "HF_ENDPOINT: \"file:///etc\" is not the address"),
        ("HF_HUB_OFFLINE", "1", "HF_HUB_OFFLINE forbids the network"),
    ] {
        let mut command = place.command(&["model", "get", NAME]);
        let output = command.env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_eq!(place.hub.asked(), []);
    assert!(place.answer(&["model", "--help"]).contains("relp model get NAME"));
    assert_eq!(place.answer(&["help", "model"]), place.answer(&["model"]));
}

#[test]
#[cfg(unix)]
fn a_place_that_cannot_be_written_is_a_sentence() {
    let place = Place::new("hub-place");
    let file = place.home.join("file");
    fs::write(&file, "").unwrap();
    let mut command = place.command(&["model", "get", NAME]);
    let output = command.env("HF_HUB_CACHE", file.join("cache")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("Models cannot be kept in"), "{}", stderr(&output));
}

#[test]
fn a_model_of_gpt2_smalls_size_is_fetched_with_a_cut_in_the_middle_and_used() {
    let place = Place::new("hub-small");
    let name = "someone/gpt2-sized";
    let weights = Shape::SMALL.checkpoint(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let length = weights.metadata().unwrap().len();
    place.hub.add(name, "config.json", SMALL_CONFIG);
    place.hub.add(name, "tokenizer.json", tokenizer_json());
    place.hub.add_path(name, "model.safetensors", weights).unwrap();
    place.hub.break_next("model.safetensors", &[Fault::Cut(length / 2)]);
    let kept = place.json(&["model", "get", name]);
    assert_eq!(kept["trust"], "announced");
    assert_eq!(place.sent(), length);
    let pair = ["--clean", "John gave it to", "--corrupt", "Mary gave it to"];
    let tokens = ["--answer", " Mary", "--foil", " John", "--executor", "cpu"];
    let args = [&["attribute", "--model", name], &pair[..], &tokens[..]].concat();
    let figure = place.json(&args);
    assert_eq!(figure["model"]["name"], "gpt2-sized");
    assert_eq!(figure["model"]["sha256"], kept["sha256"]);
    assert_eq!(figure["maps"]["mlp_out"]["shape"], serde_json::json!([12, 5]));
    // It is half a gigabyte.
    place.answer(&["model", "remove", name]);
}
