//! Bad input: what is said, and the exit status.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::program::*;

#[test]
fn arguments_that_cannot_be_read_are_named() {
    refused(
        &["nonsense"],
        &["no command `nonsense`", "attribute, compare, table, report, predict, tape"],
    );
    refused(&["--model", "primer"], &["command comes before", "`--model`"]);
    refused(
        &["attribute", "--prompt", "x"],
        &["does not take `--prompt`", "relp attribute --help"],
    );
    refused(&["attribute", "-x"], &["`-x`"]);
    refused(&["attribute", "primer"], &["does not take `primer`"]);
    refused(&["tape", "--normalise"], &["`relp tape` does not take `--normalise`"]);
    refused(&["attribute", "--clean"], &["--clean needs a value"]);
    refused(&["attribute", "--normalise=yes"], &["normalise"]);
    refused(&arguments(&["--clean", "again"]), &["--clean is given twice"]);
    refused(&arguments(&["--steps", "0"]), &["--steps takes a number from 1", "\"0\""]);
    refused(&arguments(&["--steps", "many"]), &["\"many\""]);
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    refused(&arguments(&["--method", "lrp"]), &["--method", "\"lrp\"", "relp, atp"]);
    refused(&arguments(&["--rules", "ln,identiy"]), &["\"identiy\"", "ln, identity, half, ah"]);
    refused(&arguments(&["--sites", "mlp_out,mlp"]), &["\"mlp\"", "resid_pre", "mlp_out"]);
    refused(&arguments(&["--direction", "up"]), &["\"up\"", "denoise, noise"]);
    refused(&arguments(&["--metric", "logits"]), &["\"logits\"", "logit_diff, log_prob"]);
    refused(&arguments(&["--replace", "noise"]), &["\"noise\"", "source, zero, mean"]);
    let args = ["attribute", "--executor", "tpu"];
    refused(&args, &["\"tpu\"", "auto, reference, cpu, gpu"]);
}

#[test]
fn pairs_that_cannot_be_compared_are_explained() {
    refused(&["attribute"], &["There is no pair", "--clean", "--clean-ids", "--pairs FILE"]);
    refused(&["attribute", "--clean", "a"], &["--corrupt, --answer, --foil"]);
    refused(&["attribute", "--clean-ids", "1"], &["--corrupt-ids, --answer-id, --foil-id"]);
    refused(&arguments(&["--pairs", "x.jsonl"]), &["more than one way"]);
    refused(&changed("--corrupt", "The good friend"), &["differ in length"]);
    refused(&changed("--corrupt", "The friends"), &["are the same"]);
    refused(&changed("--answer", " have is"), &["answer is 2 tokens"]);
    refused(&changed("--foil", ""), &["foil is empty"]);
    refused(&changed("--foil", " have"), &["stands twice among answers and foils"]);
    refused(&changed("--clean", ""), &["clean prompt is empty"]);
    refused(&changed("--clean", &"a ".repeat(100)), &["at most 64"]);
}

#[test]
fn questions_without_an_answer_are_refused_with_a_way_out() {
    let flat = ["--metric", "kl", "--direction", "noise"];
    refused(&arguments(&flat), &["every gradient is 0", "denoise instead"]);
    let flat: Vec<&str> = flat.into_iter().chain(["--method", "ap"]).collect();
    answer(&arguments(&flat));
    // The neurons that are patched come from gradients, which are 0 here and not there.
    let of_neurons: Vec<&str> = flat.iter().copied().chain(["--sites", "post"]).collect();
    answer(&arguments(&of_neurons));
    let between = ["--method", "ig-inputs", "--replace", "zero"];
    refused(&arguments(&between), &["no zero ablation", "IG (inputs)"]);
    let patterns = ["--sites", "pattern", "--replace", "mean"];
    refused(&arguments(&patterns), &["no mean ablation", "attention patterns"]);
    refused(&["tape", "--metric", "kl", "--method", "relp", "--method", "ap"], &["--method once"]);
}

#[test]
fn ids_that_cannot_be_compared_are_explained() {
    let with = |clean: &str, corrupted: &str, yes: &str, parts: &[&str]| {
        let args = [
            "attribute",
            "--executor",
            "cpu",
            "--clean-ids",
            clean,
            "--corrupt-ids",
            corrupted,
            "--answer-id",
            yes,
            "--foil-id",
            "5",
        ];
        refused(&args, parts);
    };
    with("1,2", "1,3,4", "6", &["differ in length"]);
    with("1,2", "1,2", "6", &["are the same"]);
    with("1,2", "1,3", "5", &["stands twice among answers and foils"]);
    with("1,4075", "1,3", "6", &["--clean-ids", "4075", "0 to 4074"]);
    with("1,2", "1,3", "4294967295", &["--answer-id", "4294967295"]);
    with("1,two", "1,3", "6", &["--clean-ids", "\"two\""]);
    with("", "1,3", "6", &["--clean-ids"]);
    with(&vec!["1"; 65].join(","), "1", "6", &["at most 64"]);
    with("-1", "1", "6", &["\"-1\""]);
}

#[test]
fn bad_lines_of_a_file_are_named_by_their_number() {
    let folder = folder("bad-pairs");
    let file = folder.join("pairs.jsonl");
    let said = |text: &str, parts: &[&str]| {
        fs::write(&file, text).unwrap();
        refused(&["attribute", "--executor", "cpu", "--pairs", path(&file)], parts);
        refused(&["compare", "--executor", "cpu", "--pairs", path(&file)], parts);
    };
    said(&format!("{LINE}\n\n{{\"clean\": 1"), &["pairs.jsonl, line 3", "column"]);
    said(&format!("{LINE}\n{{\"clean\": \"a\"}}"), &["line 2", "missing field `corrupted`"]);
    said("[]", &["line 1"]);
    said("\n\n", &["holds no pair"]);
    let unequal = LINE.replace("The friend\"", "The good friend\"");
    said(&format!("{LINE}\n{unequal}"), &["line 2", "differ in length"]);
    fs::write(&file, [0xFF, 0xFE, b'\n']).unwrap();
    refused(&["attribute", "--pairs", path(&file)], &["cannot be read"]);
    let missing = folder.join("none.jsonl");
    refused(&["attribute", "--pairs", path(&missing)], &["none.jsonl", "cannot be read"]);
    refused(&["compare"], &["--pairs is missing"]);
}

#[test]
fn folders_that_are_no_model_are_refused() {
    let nowhere = folder("nowhere").join("gpt2");
    refused(&arguments(&["--model", path(&nowhere)]), &["no folder", "primer", "config.json"]);
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = model_folder(&format!("without-{file}"));
        fs::remove_file(folder.join(file)).unwrap();
        refused(&arguments(&["--model", path(&folder)]), &[&format!("has no {file}")]);
        fs::write(folder.join(file), "{").unwrap();
        refused(&arguments(&["--model", path(&folder)]), &[file]);
    }
    let folder = model_folder("truncated");
    let weights = folder.join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 1]).unwrap();
    refused(&arguments(&["--model", path(&folder)]), &["bytes", "Download the file again"]);
    let config = folder.join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("gelu_new", "relu")).unwrap();
    refused(&arguments(&["--model", path(&folder)]), &["activation_function = relu"]);
    refused(&["tape", "--model", path(&folder)], &["activation_function = relu"]);
}

#[test]
fn normalising_by_almost_nothing_is_refused() {
    let logits = |prompt: &str| -> BTreeMap<u64, f64> {
        let args = ["predict", "--executor", "cpu", "--prompt", prompt, "--top", "99999"];
        let found: Value = serde_json::from_str(&answer(&args)).unwrap();
        let of = |p: &Value| (p["token"]["id"].as_u64().unwrap(), p["logit"].as_f64().unwrap());
        found["predictions"].as_array().unwrap().iter().map(of).collect()
    };
    // Two tokens whose logits the change of prompt moves by the same amount.
    let (clean, corrupted) = (logits("The friends"), logits("The friend"));
    let mut moved: Vec<(f64, u64)> =
        clean.iter().map(|(id, logit)| (logit - corrupted[id], *id)).collect();
    moved.sort_by(|a, b| a.0.total_cmp(&b.0));
    let near = moved.windows(2).find(|two| two[1].0 - two[0].0 < 0.005).unwrap();
    for (more, is_refused) in [(&[][..], false), (&["--normalise"][..], true)] {
        let args = by_ids(near[0].1, near[1].1, more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if is_refused {
            refused(&args, &["close"]);
        } else {
            answer(&args);
        }
    }
}

#[test]
fn what_has_no_effect_or_is_seldom_meant_is_noted() {
    let output = relp(&arguments(&["--method", "atp", "--rules", "ln", "--steps", "2"]));
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("--rules changes only"), "{}", stderr(&output));
    assert!(stderr(&output).contains("--steps changes only"), "{}", stderr(&output));
    let spaced = arguments(&[]).into_iter().map(|arg| match arg {
        "The friends" => "The friends ",
        "The friend" => "The friend ",
        other => other,
    });
    let output = relp(&spaced.collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("ends in a space"), "{}", stderr(&output));
    // What the methods are compared with counts too.
    let (folder, file) = (folder("noted"), "pairs.jsonl");
    fs::write(folder.join(file), LINE).unwrap();
    let pairs = folder.join(file);
    let args = ["compare", "--executor", "cpu", "--pairs", path(&pairs), "--method", "atp"];
    let against = |method| {
        let more = ["--rules", "ln", "--against", method];
        let output = relp(&args.iter().chain(&more).copied().collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    assert_eq!(against("relp"), "");
    assert!(against("ap").contains("--rules changes only"));
    let quiet = relp(&arguments(&[]));
    assert_eq!(stderr(&quiet), "");
}
