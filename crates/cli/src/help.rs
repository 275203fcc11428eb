//! The help. Names of methods, sites and rules come from where they are defined.

use relp_model::{Direction, Method, Metric, Precision, Replace, Request, Rule, Rules, Site};

use crate::args::Command;

const GENERAL: &str = "\
relp: which layer and position of a GPT-2 carry its answer (RelP, arXiv 2508.21258)

relp COMMAND [OPTIONS]

  attribute  the scores of a pair of prompts, or of a file of pairs
  compare    how far methods are from exact activation patching, on a file of pairs
  table      the paper's comparison on indirect objects, beside the published numbers
  report     the agreement of every method with the exact answer, task by task, in Markdown
  predict    the likeliest next tokens of a prompt
  tape       the listing of a run
  figure     a figure on paper: SVG, PDF, PNG, CSV, TikZ
  model      fetches models from a hub, lists and removes them
  pack       a folder with page, models and this program, for a USB stick
  serve      such a folder, or the built page, for this machine or a room

`relp COMMAND --help` lists the options of a command, `relp --version` tells the version.

An answer is a table on a terminal and JSON when piped; `--out -` is JSON on standard output always,
and `--out FILE` in a file, which is there whole or not at all. The exit status is 0 for an answer, 2
for what cannot be asked (arguments, pairs, files that are not what they should be), 1 for failure.
";

const MODEL: &str = concat!(
    "  --model NAME-OR-FOLDER  primer, the bundled teaching model (the default); gpt2 or another that\n",
    "                          `relp model get` has fetched; or a folder with config.json,\n",
    "                          tokenizer.json and model.safetensors of a GPT-2 (./primer is a folder)\n",
);
const EXECUTOR: &str = "  --executor WHICH        auto (a GPU if there is a good one), reference (f64, slow), cpu, gpu\n";
const WEIGHTS: &str = concat!(
    "  --weights PRECISION     {PRECISIONS} (default f32; f16 keeps matrices in half the memory, and\n",
    "                          computes in 32 bits all the same)\n",
);
const METHOD: &str = concat!(
    "  --method METHOD         of {METHODS};\n",
    "                          may be given again\n",
);
const RULES: &str = concat!(
    "  --rules A,B             rules of relp, of {RULES}; or none\n",
    "                          (default {RELP})\n",
);
const STEPS: &str = "  --steps N               steps of the ig- methods (default {STEPS})\n";
const DIRECTION: &str = concat!(
    "  --direction WHICH       {DIRECTIONS} (default denoise: the corrupted run is\n",
    "                          changed toward the clean one)\n",
);
const REPLACE: &str = concat!(
    "  --replace WITH          what is put in: {REPLACEMENTS} (default source: patching;\n",
    "                          the others are ablations)\n",
);
const METRIC: &str = "  --metric METRIC         {METRICS} (default logit_diff)\n";
const TOP: &str =
    "  --top N                 neurons of each layer that the site post lists (default {TOP})\n";
const SITES: &str = concat!(
    "  --sites A,B             of {SITES}\n",
    "                          (default {PAPER})\n",
);
const BOS: &str = "  --no-bos                no <|endoftext|> before the text\n";
const OUT: &str = "  --out FILE              into a file; - is standard output\n";

/// The help of a command, or of all.
pub(crate) fn text(command: Option<Command>) -> String {
    let Some(command) = command else { return GENERAL.to_owned() };
    let parts: &[&str] = match command {
        Command::Attribute => &[
            "relp attribute PAIR [OPTIONS]\n\nPAIR is one of\n\n",
            "  --clean TEXT --corrupt TEXT --answer TEXT --foil TEXT\n",
            "                          prompts of the same number of tokens; answer and foil of one\n",
            "                          token each, with its space: \" Mary\"; both may be given again\n",
            "  --clean-ids 1,2 --corrupt-ids 1,3 --answer-id N,N --foil-id N,N\n",
            "                          token ids, to which nothing is added\n",
            "  --pairs FILE            one JSON object a line with the texts clean, corrupted, answer\n",
            "                          and foil; - is standard input\n\nOPTIONS are\n\n",
            MODEL,
            METHOD,
            "                          (default relp; ap is exact)\n",
            RULES,
            STEPS,
            DIRECTION,
            REPLACE,
            METRIC,
            SITES,
            TOP,
            "  --mean                  of a file of pairs of one length: their mean, with each pair's own\n",
            "  --normalise             scores are divided by metric(clean) - metric(corrupted)\n",
            BOS,
            EXECUTOR,
            WEIGHTS,
            OUT,
            "\nThe answer is a figure (relp-figure/1). Several methods are a list of figures, and so is a\n",
            "file of pairs: all methods of the first pair, then of the second.\n",
        ],
        Command::Compare => &[
            "relp compare --pairs FILE [OPTIONS]\n\n",
            "  --pairs FILE            one JSON object a line with the texts clean, corrupted, answer\n",
            "                          and foil; - is standard input\n",
            MODEL,
            METHOD,
            "                          (default all that estimate ap)\n",
            "  --against METHOD        what they are compared with (default ap, the exact answer)\n",
            RULES,
            STEPS,
            DIRECTION,
            REPLACE,
            METRIC,
            SITES,
            TOP,
            BOS,
            EXECUTOR,
            WEIGHTS,
            OUT,
            "\nScores are compared cell by cell in two ways: maps averaged over the pairs first (only if all\n",
            "prompts are of one length), and each pair by itself with the numbers averaged.\n",
        ],
        Command::Table => &[
            "relp table [OPTIONS]\n\n",
            "  --generated N           N generated pairs as well, of words that are one token here\n",
            "  --seed N                of the generated pairs (default 0)\n",
            MODEL,
            METHOD,
            "                          (default all that estimate ap, which they are compared with)\n",
            RULES,
            STEPS,
            DIRECTION,
            BOS,
            EXECUTOR,
            WEIGHTS,
            OUT,
        ],
        Command::Report => &[
            "relp report [OPTIONS]\n\n",
            MODEL,
            EXECUTOR,
            WEIGHTS,
            OUT,
            "\nThe answer is Markdown: for each task of the bundled examples, and for the paper's prompts and\n",
            "generated ones, how well the model does it and how far each method is from exact patching.\n",
        ],
        Command::Predict => &[
            "relp predict --prompt TEXT [OPTIONS]\n\n",
            "  --prompt TEXT           what the model should continue\n",
            "  --top N                 how many tokens (default 10)\n",
            MODEL,
            BOS,
            EXECUTOR,
            WEIGHTS,
            OUT,
        ],
        Command::Tape => &[
            "relp tape [OPTIONS]\n\n",
            MODEL,
            "                          (of which only config.json is read)\n",
            "  --method METHOD         {METHODS}\n",
            "                          (default relp)\n",
            RULES,
            STEPS,
            REPLACE,
            METRIC,
            SITES,
            "  --positions N           tokens of the prompts (default 15)\n",
            OUT,
            "\nTwo runs are the same computation exactly if their listings are the same: `diff` the listings\n",
            "of two sets of rules to see what a rule changes.\n",
        ],
    };
    let names = |sites: &[Site]| sites.iter().map(|site| site.name()).collect::<Vec<_>>().join(",");
    parts
        .concat()
        .replace(
            "{METHODS}",
            &Method::ALL
                .map(Method::name)
                .join(", ")
                .replace("ig-activations, ", "ig-activations,\n                          "),
        )
        .replace("{RULES}", &Rule::ALL.map(Rule::name).join(", "))
        .replace("{RELP}", &Rules::RELP.to_string())
        .replace("{REPLACEMENTS}", &Replace::ALL.map(Replace::name).join(", "))
        .replace("{METRICS}", &Metric::ALL.map(Metric::name).join(", "))
        .replace("{PRECISIONS}", &Precision::ALL.map(Precision::name).join(" or "))
        .replace("{TOP}", &Request::TOP.to_string())
        .replace("{STEPS}", &Request::STEPS.to_string())
        .replace("{DIRECTIONS}", &Direction::ALL.map(Direction::name).join(" or "))
        .replace(
            "{SITES}",
            &names(&Site::PATCHED)
                .replace(',', ", ")
                .replace("z, ", "z,\n                          "),
        )
        .replace("{PAPER}", &names(&Site::PAPER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_a_command_is_in_its_help_and_no_other() {
        for command in Command::ALL {
            let text = text(Some(command));
            assert!(text.starts_with(&format!("relp {}", command.name())));
            for option in command.takes() {
                assert!(text.contains(&format!("--{option}")), "{command:?} {option}");
            }
            let named = text.split(|c: char| !c.is_ascii_alphabetic() && c != '-');
            for option in named.filter_map(|word| word.strip_prefix("--")) {
                assert!(command.takes().contains(&option), "{command:?} {option}");
            }
            assert!(!text.contains('{'), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        }
        assert!(Command::ALL.iter().all(|command| GENERAL.contains(command.name())));
    }
}
