//! `relp attribute`: every option, and where the answer goes.

use std::fs;

use relp_model::{Direction, Figure, Kind, Method, Metric, Precision, Replace, Rules, Site};

use crate::program::*;

#[test]
fn help_and_version() {
    let help = answer(&["--help"]);
    assert!(help.contains("relp COMMAND") && help.lines().count() > 10);
    assert_eq!(help, answer(&[]));
    assert_eq!(help, answer(&["help"]));
    assert_eq!(help, answer(&["-h"]));
    for command in ["attribute", "compare", "table", "report", "predict", "tape"] {
        let own = answer(&[command, "--help"]);
        assert!(own.starts_with(&format!("relp {command}")), "{own}");
        assert_eq!(own, answer(&["help", command]));
    }
    let version = format!("relp {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer(&["--version"]), version);
    assert_eq!(answer(&["-V"]), version);
}

#[test]
fn a_piped_answer_is_a_figure_with_the_defaults() {
    let figure = figure(&[]);
    assert_eq!(figure.schema, "relp-figure/1");
    assert_eq!((figure.method, figure.rules), (Method::Relp, Rules::RELP));
    assert_eq!((figure.direction, figure.normalised), (Direction::Denoise, false));
    assert_eq!(figure.maps.keys().copied().collect::<Vec<_>>(), sorted(&Site::PAPER));
    assert_eq!((figure.model.name.as_str(), figure.executor.kind), ("primer", Kind::Cpu));
    assert_eq!(figure.tokens.clean[0].text, "<|endoftext|>");
    assert_eq!(figure.maps[&Site::MlpOut].shape, [6, 3]);
}

#[test]
fn every_switch_of_attribute_is_in_the_figure() {
    let plain = figure(&[]);
    let noise = figure(&["--direction", "noise"]);
    assert_eq!(noise.direction, Direction::Noise);
    assert_ne!(noise.maps, plain.maps);

    let rules = figure(&["--rules", "ln, ah"]);
    assert_eq!(rules.rules.names(), ["ln", "ah"]);
    let none = figure(&["--rules", "none"]);
    assert_eq!(none.rules, Rules::NONE);
    assert_eq!(none.maps, figure(&["--method", "atp"]).maps);

    let sites = figure(&["--sites", "resid_post,resid_mid"]);
    assert_eq!(sites.maps.keys().copied().collect::<Vec<_>>(), [Site::ResidMid, Site::ResidPost]);
    let heads = figure(&["--sites", "z"]);
    assert_eq!(heads.maps[&Site::Z].shape, [6, 3, 8]);

    let normalised = figure(&["--normalise"]);
    let difference = normalised.metric.clean - normalised.metric.corrupted;
    let (own, raw) = (&normalised.maps[&Site::MlpOut], &plain.maps[&Site::MlpOut]);
    for (own, raw) in own.values.iter().zip(&raw.values) {
        assert!((f64::from(*own) * difference - f64::from(*raw)).abs() < 1e-4);
    }
    let bare = figure(&["--no-bos"]);
    assert_eq!(bare.tokens.clean.len() + 1, plain.tokens.clean.len());

    let halves = figure(&["--weights", "f16"]);
    assert_eq!((halves.model.weights, plain.model.weights), (Precision::F16, Precision::F32));

    let steps = figure(&["--method", "ig-inputs", "--steps", "3"]);
    assert_eq!(steps.steps, Some(3));
    assert!(steps.convergence_error.is_some());
}

#[test]
fn several_methods_are_a_list_of_figures() {
    let mut more = Vec::new();
    for method in Method::ALL {
        more.extend(["--method", method.name()]);
    }
    more.extend(["--sites", "mlp_out"]);
    let figures: Vec<Figure> = serde_json::from_value(json(&arguments(&more))).unwrap();
    let methods: Vec<Method> = figures.iter().map(|figure| figure.method).collect();
    assert_eq!(methods, Method::ALL);
    let alone = figure(&["--method", "ap", "--sites", "mlp_out"]);
    assert_eq!(alone, figures[2]);
    // Gradient × input is of the embeddings; AtP*'s scores are sizes.
    assert_eq!(figures[6].maps[&Site::Embed].shape, [1, 3]);
    assert_eq!(figures[6].replace, None);
    assert!(figures[5].maps[&Site::MlpOut].values.iter().all(|&score| score >= 0.0));
}

#[test]
fn heads_and_neurons_are_sites_too() {
    for method in ["relp", "ap"] {
        let found = figure(&["--method", method, "--sites", "q,k,v,pattern,z,post", "--top", "3"]);
        for site in Site::HEADS {
            assert_eq!(found.maps[&site].shape, [6, 3, 8], "{site}");
            assert!(found.maps[&site].values.iter().any(|&score| score != 0.0), "{site}");
        }
        let post = &found.maps[&Site::Post];
        let neurons = post.neurons.as_ref().unwrap();
        assert_eq!((post.shape[0], post.values.len(), neurons.len()), (18, 18, 18));
        assert_eq!((neurons[0].layer, neurons[17].layer), (0, 5));
    }
    // Exact patching is of the neurons that RelP names.
    let named = |method: &str| {
        let found = figure(&["--method", method, "--sites", "post"]);
        let mut neurons = found.maps[&Site::Post].neurons.clone().unwrap();
        neurons.sort();
        neurons
    };
    assert_eq!(named("relp"), named("ap"));
}

#[test]
fn metrics_and_replacements_change_the_figure() {
    let plain = figure(&[]);
    for metric in Metric::ALL {
        let found = figure(&["--metric", metric.name()]);
        assert_eq!(found.metric.name, metric);
        assert_eq!(found.maps == plain.maps, metric == Metric::LogitDiff);
    }
    let kl = figure(&["--metric", "kl", "--method", "ap"]);
    assert_eq!(kl.metric.clean, 0.0);
    for replace in Replace::ALL {
        let found = figure(&["--replace", replace.name(), "--method", "ap"]);
        assert_eq!(found.replace, Some(replace));
        let first = found.maps[&Site::MlpOut].values[0];
        assert_eq!(first == 0.0, replace == Replace::Source, "only a patch spares shared tokens");
    }
    let several = figure(&["--answer", " are", "--foil", " is"]);
    assert_eq!((several.answers.len(), several.foils.len()), (2, 2));
    let ids = by_ids(several.answers[0].id.into(), several.foils[0].id.into(), &[]);
    assert!(ids.iter().all(|arg| !arg.contains(',') || arg.len() > 2));

    // What a metric has no use for need not be said.
    let bare = |metric: &str, more: &[&str]| {
        let args = ["attribute", "--executor", "cpu", "--clean", "The friends", "--corrupt"];
        let rest = ["The friend", "--metric", metric];
        let args: Vec<&str> = args.iter().chain(&rest).chain(more).copied().collect();
        relp(&args)
    };
    assert_eq!(bare("kl", &[]).status.code(), Some(0));
    let neurons = ["--direction", "noise", "--method", "ap", "--sites", "post"];
    assert_eq!(bare("kl", &neurons).status.code(), Some(0));
    // Nor be what others could use.
    for answer in [" have is", " is"] {
        let unused = bare("kl", &["--answer", answer, "--foil", " is"]);
        assert_eq!(unused.status.code(), Some(0), "{}", stderr(&unused));
    }
    let used = bare("log_prob", &["--answer", " have is"]);
    assert!(stderr(&used).contains("answer is 2 tokens"), "{}", stderr(&used));
    assert_eq!(bare("log_prob", &["--answer", " have"]).status.code(), Some(0));
    let lacking = bare("log_prob", &[]);
    assert_eq!(lacking.status.code(), Some(2));
    assert!(stderr(&lacking).contains("lacks --answer:"), "{}", stderr(&lacking));
}

#[test]
fn the_mean_of_a_file_holds_every_pair() {
    let folder = folder("mean");
    let file = folder.join("pairs.jsonl");
    let other = LINE.replace("friend", "pilot").replace("\" have\"", "[\" have\"]");
    fs::write(&file, format!("{LINE}\n{other}\n")).unwrap();
    let args = ["attribute", "--executor", "cpu", "--pairs", path(&file)];
    let each: Vec<Figure> = serde_json::from_str(&answer(&args)).unwrap();
    let args: Vec<&str> = args.iter().chain(&["--mean"]).copied().collect();
    let mean: Figure = serde_json::from_str(&answer(&args)).unwrap();
    assert_eq!(mean.pairs.len(), 2);
    for (pair, figure) in mean.pairs.iter().zip(&each) {
        assert_eq!((&pair.maps, &pair.tokens), (&figure.maps, &figure.tokens));
    }
    let map = &mean.maps[&Site::MlpOut];
    let deviation = map.deviation.as_ref().unwrap();
    for (i, (mean, deviation)) in map.values.iter().zip(deviation).enumerate() {
        let [a, b] = [0, 1].map(|pair: usize| each[pair].maps[&Site::MlpOut].values[i]);
        assert!((mean - (a + b) / 2.0).abs() < 1e-5);
        assert!((deviation - (a - b).abs() / 2.0_f32.sqrt()).abs() < 1e-5);
    }
    let longer = LINE.replace("The friend", "The good friend");
    fs::write(&file, format!("{LINE}\n{longer}\n")).unwrap();
    refused(&args, &["Pair 2 has 4 tokens", "one length"]);
}

#[test]
fn the_reference_agrees_with_the_cpu() {
    let sites = ["--sites", "mlp_out"];
    let fast = figure(&sites);
    let args = ["attribute", "--executor", "reference"].iter().chain(&PAIR).chain(&sites);
    let args: Vec<&str> = args.copied().collect();
    let exact: Figure = serde_json::from_str(&answer(&args)).unwrap();
    assert_eq!(exact.executor.kind, Kind::Reference);
    for (a, b) in exact.maps[&Site::MlpOut].values.iter().zip(&fast.maps[&Site::MlpOut].values) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}

#[test]
fn without_an_executor_the_best_one_answers() {
    let args: Vec<&str> = ["attribute"].iter().chain(&PAIR).copied().collect();
    let figure: Figure = serde_json::from_str(&answer(&args)).unwrap();
    assert_ne!(figure.executor.kind, Kind::Reference);
}

mod gpu {
    use super::*;

    #[test]
    fn the_gpu_computes_where_it_is_asked_for() {
        let args: Vec<&str> =
            ["attribute", "--executor", "gpu"].iter().chain(&PAIR).copied().collect();
        let found: Figure = serde_json::from_str(&answer(&args)).unwrap();
        assert_eq!(found.executor.kind, Kind::Gpu);
        let cpu = figure(&[]);
        for (a, b) in found.maps[&Site::MlpOut].values.iter().zip(&cpu.maps[&Site::MlpOut].values) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }
}

#[test]
fn ids_and_text_give_the_same_figure() {
    let text = figure(&[]);
    let args = by_ids(text.answers[0].id.into(), text.foils[0].id.into(), &[]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let found: Figure = serde_json::from_value(json(&args)).unwrap();
    assert_eq!(found, text);
}

#[test]
fn a_file_of_pairs_is_a_list_whose_order_is_the_files() {
    let folder = folder("pairs");
    let file = folder.join("pairs.jsonl");
    let other = LINE.replace("corrupted", "corrupt").replace("friend", "pilot");
    fs::write(&file, format!("{LINE}\n\n{other}\r\n")).unwrap();
    let args = ["attribute", "--executor", "cpu", "--pairs", path(&file)];
    let both = ["--method", "relp", "--method", "atp"];
    let args: Vec<&str> = args.iter().chain(&both).copied().collect();
    let figures: Vec<Figure> = serde_json::from_str(&answer(&args)).unwrap();
    let seen: Vec<(&str, Method)> =
        figures.iter().map(|f| (f.tokens.corrupted[2].text.as_str(), f.method)).collect();
    let expected = [" friend", " pilot"]
        .into_iter()
        .flat_map(|word| [(word, Method::Relp), (word, Method::Atp)])
        .collect::<Vec<_>>();
    assert_eq!(seen, expected);
    assert_eq!(figures[0], figure(&[]));

    let output = with_input(&["attribute", "--executor", "cpu", "--pairs", "-"], LINE);
    let figures: Vec<Figure> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures, [figure(&[])]);
}

#[test]
fn a_folder_is_a_model_with_its_own_name() {
    let folder = model_folder("tiny-gpt2");
    let named = figure(&["--model", path(&folder)]);
    let bundled = figure(&[]);
    assert_eq!(named.model.name, "tiny-gpt2");
    assert_eq!(named.model.sha256, bundled.model.sha256);
    assert_eq!(named.maps, bundled.maps);
}

#[test]
fn out_writes_a_whole_file_or_none() {
    let folder = folder("out");
    let file = folder.join("figure.json");
    fs::write(&file, "old").unwrap();
    let args = arguments(&["--out", path(&file)]);
    assert_eq!(answer(&args), "");
    let written: Figure = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(written, figure(&["--out", "-"]));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");

    // A failure leaves what was there.
    fs::write(&file, "old").unwrap();
    let wrong: Vec<&str> =
        args.iter().map(|&arg| if arg == "The friend" { "The" } else { arg }).collect();
    refused(&wrong, &["differ in length"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");

    let nowhere = folder.join("missing").join("figure.json");
    refused(&arguments(&["--out", path(&nowhere)]), &["folder does not exist"]);
    refused(&arguments(&["--out", path(&folder)]), &["name a file in it"]);
    assert!(!folder.join("missing").exists());
    let device = arguments(&["--out", "/dev/null"]);
    assert_eq!(answer(&device), "");
    assert!(!fs::metadata("/dev/null").unwrap().is_file(), "it is still what it was");
}

fn sorted(sites: &[Site]) -> Vec<Site> {
    let mut sites = sites.to_vec();
    sites.sort();
    sites
}
