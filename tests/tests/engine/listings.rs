//! The tape as it is printed: what each rule changes, and what it leaves alone.

use relp_model::{Config, Recipe, Request, Rules};

const CONFIG: Config = Config {
    n_layer: 1,
    n_head: 2,
    d_model: 4,
    d_mlp: 8,
    n_vocab: 7,
    n_ctx: 5,
    eps: 1e-5,
    tied: true,
};

fn listing(rules: Rules) -> String {
    let request = Request { rules, ..Request::default() };
    let recipe = Recipe::of_length(&request, 3);
    recipe.record(&CONFIG, &recipe.parts(&CONFIG)[0]).tape().to_string()
}

/// The lines before the first derivative.
fn forward(listing: &str) -> String {
    listing.lines().take_while(|line| !line.contains("_grad")).collect::<Vec<_>>().join("\n")
}

#[test]
fn attribution_patching() {
    insta::assert_snapshot!(listing(Rules::NONE));
}

/// What each rule changes in the listing of attribution patching, line by line.
#[test]
fn each_rule_alone() {
    let plain = listing(Rules::NONE);
    let rules = [
        Rules { ln: true, ..Rules::NONE },
        Rules { identity: true, ..Rules::NONE },
        Rules { ah: true, ..Rules::NONE },
        Rules::RELP,
    ];
    let mut report = String::new();
    for rules in rules {
        report.push_str(&format!("# {rules}\n"));
        let changed = listing(rules);
        let ops = |listing: &str| -> Vec<String> { listing.lines().map(without_numbers).collect() };
        let (before, after) = (ops(&plain), ops(&changed));
        let lacks = |lines: &[String], line: &String| !lines.contains(line);
        before
            .iter()
            .filter(|line| lacks(&after, line))
            .for_each(|l| report.push_str(&format!("- {l}\n")));
        after
            .iter()
            .filter(|line| lacks(&before, line))
            .for_each(|l| report.push_str(&format!("+ {l}\n")));
    }
    insta::assert_snapshot!(report);
}

/// Buffer numbers shift when a line goes.
fn without_numbers(line: &str) -> String {
    line.split(' ')
        .map(|word| match word.find('%') {
            Some(at) => &word[..at],
            None => word,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_half_rule_leaves_gpt2_alone() {
    for rules in every_rule_set() {
        assert_eq!(listing(Rules { half: true, ..rules }), listing(Rules { half: false, ..rules }));
    }
}

#[test]
fn the_forward_pass_is_the_same_under_every_rule_set() {
    let plain = forward(&listing(Rules::NONE));
    assert!(plain.contains("target logits"));
    for rules in every_rule_set() {
        assert_eq!(forward(&listing(rules)), plain);
    }
}

fn every_rule_set() -> impl Iterator<Item = Rules> {
    (0..16_u8).map(|bits| Rules {
        ln: bits & 1 > 0,
        identity: bits & 2 > 0,
        half: bits & 4 > 0,
        ah: bits & 8 > 0,
    })
}
