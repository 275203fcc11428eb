//! The other commands.

use std::fs;
use std::process::{Command, Stdio};

use relp_model::Method;
use serde_json::Value;

use crate::program::*;

#[test]
fn compare_counts_in_two_ways() {
    let folder = folder("compare");
    let file = folder.join("pairs.jsonl");
    fs::write(&file, format!("{LINE}\n{}\n", LINE.replace("friend", "pilot"))).unwrap();
    let args = ["compare", "--executor", "cpu", "--pairs", path(&file), "--sites", "mlp_out,z"];
    let report: Value = serde_json::from_str(&answer(&args)).unwrap();
    assert_eq!((&report["pairs"], &report["positions"]), (&2.into(), &3.into()));
    let methods = report["methods"].as_array().unwrap();
    assert_eq!(methods.len(), Method::ESTIMATES.len());
    for method in methods {
        let rows = method["batch_mean"].as_array().unwrap();
        let places: Vec<(&str, bool)> = rows
            .iter()
            .map(|row| (row["site"].as_str().unwrap(), row["without_layer_0"].as_bool().unwrap()))
            .collect();
        assert_eq!(places, [("z", false), ("mlp_out", false), ("mlp_out", true)]);
        assert_eq!(method["per_pair"].as_array().unwrap().len(), 3);
        assert_eq!(method["per_pair"][1]["pearson"]["pairs"], 2);
    }
    // Any two methods can be compared; without naming any, all others are.
    let two: Vec<&str> =
        args.iter().chain(&["--method", "ig-inputs", "--against", "atp"]).copied().collect();
    let report: Value = serde_json::from_str(&answer(&two)).unwrap();
    assert_eq!(
        (&report["against"], report["methods"].as_array().unwrap().len()),
        (&"atp".into(), 1)
    );
    // Exact patching agrees with itself.
    let args: Vec<&str> = args.iter().chain(&["--method", "ap"]).copied().collect();
    let report: Value = serde_json::from_str(&answer(&args)).unwrap();
    for row in report["methods"][0]["batch_mean"].as_array().unwrap() {
        for number in ["pearson", "spearman", "slope", "same_sign", "top_overlap"] {
            let value = row["agreement"][number].as_f64().unwrap();
            assert!((value - 1.0).abs() < 1e-9, "{row}");
        }
    }
}

#[test]
fn prompts_of_several_lengths_have_no_batch_mean() {
    let folder = folder("lengths");
    let file = folder.join("pairs.jsonl");
    let longer = LINE.replace("The friend", "The good friend");
    fs::write(&file, format!("{LINE}\n{longer}\n")).unwrap();
    let args = [
        "compare",
        "--executor",
        "cpu",
        "--pairs",
        path(&file),
        "--sites",
        "mlp_out",
        "--method",
        "atp",
        "--direction",
        "noise",
        "--no-bos",
    ];
    let report: Value = serde_json::from_str(&answer(&args)).unwrap();
    assert_eq!(report["positions"], Value::Null);
    assert_eq!(report["methods"][0]["batch_mean"], Value::Null);
    assert_eq!(report["methods"][0]["per_pair"].as_array().unwrap().len(), 2);
    assert_eq!((&report["direction"], &report["bos"]), (&"noise".into(), &false.into()));
}

#[test]
fn table_has_the_published_numbers_and_the_models() {
    let args = [
        "table",
        "--executor",
        "cpu",
        "--method",
        "relp",
        "--method",
        "atp",
        "--generated",
        "2",
        "--seed",
        "5",
    ];
    let text = answer(&args);
    let table: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(table["published"][0]["attn_out"], 0.979);
    let [paper, generated] = table["reports"].as_array().unwrap().as_slice() else {
        panic!("{table}");
    };
    assert_eq!((&paper["pairs"], &paper["positions"]), (&8.into(), &15.into()));
    assert_eq!(generated["pairs"], 2);
    // resid_pre, attn_out, mlp_out with and without layer 0.
    for method in paper["methods"].as_array().unwrap() {
        let rows = method["batch_mean"].as_array().unwrap();
        assert_eq!(rows.len(), 4);
        for row in rows {
            let pearson = row["agreement"]["pearson"].as_f64().unwrap();
            assert!((0.9..=1.0).contains(&pearson), "{row}");
        }
    }
    refused(&["table", "--seed", "1"], &["--generated N"]);
    refused(&["table", "--generated", "0"], &["--generated takes"]);
}

#[test]
fn predict_names_the_likeliest_tokens() {
    let prompt = "When John and Mary went to the shop, John gave a drink to";
    let args = ["predict", "--executor", "cpu", "--prompt", prompt, "--top", "3"];
    let found: Value = serde_json::from_str(&answer(&args)).unwrap();
    let predictions = found["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 3);
    assert_eq!(predictions[0]["token"]["text"], " Mary");
    assert!(predictions[0]["probability"].as_f64().unwrap() > 0.9);
    assert_eq!(found["tokens"].as_array().unwrap().len(), 15);
    let args: Vec<&str> = args.iter().chain(&["--no-bos"]).copied().collect();
    let bare: Value = serde_json::from_str(&answer(&args)).unwrap();
    assert_eq!(bare["tokens"].as_array().unwrap().len(), 14);
    let all = ["predict", "--executor", "cpu", "--prompt", "The", "--top", "99999"];
    let all: Value = serde_json::from_str(&answer(&all)).unwrap();
    let sum = |value: &Value| value["probability"].as_f64().unwrap();
    let predictions = all["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 4075);
    assert!((predictions.iter().map(sum).sum::<f64>() - 1.0).abs() < 1e-5);
    refused(&["predict"], &["--prompt is missing"]);
    refused(&["predict", "--prompt", ""], &["--prompt is missing or empty"]);
    refused(&["predict", "--executor", "cpu", "--prompt", &"a ".repeat(99)], &["at most 64"]);
}

#[test]
fn tape_shows_what_a_rule_changes() {
    let listing = |rules: &str| answer(&["tape", "--rules", rules, "--positions", "4"]);
    let (none, ln) = (listing("none"), listing("ln"));
    assert!(none.starts_with("%0 ids tokens [2, 4]"), "{none}");
    assert_ne!(none, ln);
    assert_eq!(none, listing("half"), "GPT-2 has no product of activations");
    assert_eq!(answer(&["tape", "--positions", "4"]), listing("ln,identity,half"));
    assert_ne!(none, answer(&["tape", "--rules", "none", "--positions", "4", "--sites", "z"]));
    let of_method = |method: &str| answer(&["tape", "--method", method, "--positions", "4"]);
    assert_eq!(of_method("atp"), none);
    assert!(of_method("ap").contains("attention_rows"));
    assert!(of_method("ig-inputs").contains("interpolate"));
    refused(&["tape", "--positions", "65"], &["at most 64"]);
    let file = folder("tape").join("tape.txt");
    assert_eq!(answer(&["tape", "--positions", "4", "--rules", "ln", "--out", path(&file)]), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), ln);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relp"))
        .args(["tape", "--positions", "9"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

/// The page of the documentation is what the command writes, but for the last digit of a number.
#[test]
fn the_documented_report_is_the_commands() {
    let documented = include_str!("../../../../docs/agreement.md");
    let found = answer(&["report", "--executor", "cpu"]);
    assert_eq!(found.lines().count(), documented.lines().count());
    let number = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_digit() && c != '-');
        digits.parse::<f64>().ok().filter(|_| digits.contains('.'))
    };
    for (found, documented) in found.lines().zip(documented.lines()).skip(3) {
        let both = found.split_whitespace().zip(documented.split_whitespace());
        assert_eq!(found.split_whitespace().count(), documented.split_whitespace().count());
        for (found_word, documented_word) in both {
            match (number(found_word), number(documented_word)) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 0.005, "{found}\n{documented}"),
                _ => assert_eq!(found_word, documented_word, "{found}\n{documented}"),
            }
        }
    }
    for heading in ["## Indirect object", "## Capitals", "eight prompts", "generated prompts"] {
        assert!(documented.contains(heading), "{heading}");
    }
}

#[test]
fn neurons_are_compared_where_both_name_them() {
    let folder = folder("neurons");
    let file = folder.join("pairs.jsonl");
    fs::write(&file, format!("{LINE}\n")).unwrap();
    let args = ["compare", "--executor", "cpu", "--pairs", path(&file), "--sites", "post"];
    let more = ["--method", "relp", "--method", "atp", "--top", "4", "--metric", "log_prob"];
    let args: Vec<&str> = args.iter().chain(&more).copied().collect();
    let report: Value = serde_json::from_str(&answer(&args)).unwrap();
    assert_eq!((&report["metric"], &report["answered"]), (&"log_prob".into(), &Value::Null));
    for method in report["methods"].as_array().unwrap() {
        assert_eq!(method["batch_mean"][0]["agreement"]["cells"], 24, "{method}");
    }
}
