//! Indirect object identification: the paper's eight prompts, and as many others as are wanted.

use std::collections::BTreeSet;

use relp_engine::Reader;
use relp_model::PairText;

use crate::failure::{Failure, Result};

/// The paper's prompts, each with the two names of which either is the giver.
const PAPER: [(&str, [&str; 2]); 4] = [
    ("When John and Mary went to the shops, {} gave the bag to", ["John", "Mary"]),
    ("When Tom and James went to the park, {} gave the ball to", ["Tom", "James"]),
    ("When Dan and Sid went to the shops, {} gave an apple to", ["Dan", "Sid"]),
    ("After Martin and Amy went to the park, {} gave a drink to", ["Martin", "Amy"]),
];

/// The eight prompts of the paper; the corrupted prompt of each is its partner.
pub(crate) fn paper(bos: bool) -> Vec<PairText> {
    let pairs = PAPER.iter().flat_map(|(template, [a, b])| {
        [(a, b), (b, a)].map(|(giver, receiver)| pair(template, giver, receiver, bos))
    });
    pairs.collect()
}

fn pair(template: &str, giver: &str, receiver: &str, bos: bool) -> PairText {
    PairText {
        clean: template.replace("{}", giver),
        corrupted: template.replace("{}", receiver),
        answers: vec![format!(" {receiver}")],
        foils: vec![format!(" {giver}")],
        bos,
    }
}

/// Words of a generated prompt. Only those that are one token of the model are used, so that all
/// prompts are of one length.
const OPENERS: &str = "When After While";
const NAMES: &str = "\
    Aaron Adam Alan Albert Alex Alice Amanda Amber Amy Andrea Andrew Angela Anna Anthony Arthur Ashley \
    Barbara Ben Betty Bill Bob Brandon Brian Bruce Bryan Carl Carol Catherine Charles Christine \
    Christopher Claire Crystal Dan Daniel David Dean Dennis Diana Donna Edward Elizabeth Emily Emma \
    Eric Erica Erin Frank Fred Gary George Grant Gregory Hannah Harry Heather Helen Henry Ian Jack \
    Jacob James Jane Jason Jeffrey Jennifer Jeremy Jerry Jessica Jim Joan Joe John Jonathan Jordan \
    Joseph Joshua Julia Julie Justin Karen Kate Katherine Katie Kelly Kenneth Kevin Kyle Larry Laura \
    Lauren Leo Linda Lisa Lucy Luke Margaret Maria Marie Mark Martha Martin Mary Matthew Max Megan \
    Melissa Michael Michelle Mike Molly Nancy Nathan Nicholas Nicole Oliver Oscar Patricia Patrick \
    Paul Peter Philip Rachel Ralph Rebecca Richard Robert Roger Rose Ruth Ryan Sally Sam Samantha \
    Samuel Sandra Sarah Scott Sean Sharon Sid Simon Stephanie Stephen Steve Steven Susan Taylor Teresa \
    Thomas Tim Timothy Tom Tony Tyler Vanessa Victor Victoria Virginia Walter Wendy William";
const VERBS: &str = "went walked";
const PLACES: &str = "shop store park garden house school beach restaurant station hospital office library \
    museum market church hotel bar farm lake zoo airport bank kitchen pool";
const GIVING: &str = "gave handed passed offered";
const THINGS: &str = "drink bag ball book key ring basket bone computer necklace snack toy gift letter card \
    pen watch phone map cup";

/// `number` different pairs, the same for the same seed and model.
pub(crate) fn generated(
    number: usize,
    seed: u64,
    bos: bool,
    reader: &Reader,
) -> Result<Vec<PairText>> {
    let opening = words(OPENERS, "", reader)?;
    let [names, verbs, places, giving, things] =
        [NAMES, VERBS, PLACES, GIVING, THINGS].map(|list| words(list, " ", reader));
    let (names, verbs, places, giving, things) = (names?, verbs?, places?, giving?, things?);
    let lists = [&opening, &verbs, &places, &giving, &things];
    let others: usize = lists.iter().map(|list| list.len()).product();
    // Either of the two names can be the one that gives.
    let possible = others.saturating_mul(2 * names.len() * (names.len() - 1));
    if names.len() < 2 || number > possible {
        return Err(Failure::input(format_args!(
            "--generated: this model has words for {possible} different pairs, not {number}"
        )));
    }
    let mut draw = Draw(seed);
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::with_capacity(number);
    while pairs.len() < number {
        let (a, b) = (draw.one(&names), draw.one(&names));
        let [opener, verb, place, gave, thing] = lists.map(|list| draw.one(list));
        let template =
            format!("{opener} {a} and {b} {verb} to the {place}, {{}} {gave} the {thing} to");
        let giver = if draw.below(2) == 0 { (a, b) } else { (b, a) };
        if a != b && seen.insert((template.clone(), giver.0)) {
            pairs.push(pair(&template, giver.0, giver.1, bos));
        }
    }
    Ok(pairs)
}

/// The words of a list that are one token of the model.
fn words(list: &'static str, before: &str, reader: &Reader) -> Result<Vec<&'static str>> {
    let one = |word: &&str| reader.tokens(&format!("{before}{word}"), false).len() == 1;
    let words: Vec<&str> = list.split_whitespace().filter(one).collect();
    if words.is_empty() {
        return Err(Failure::input(format_args!(
            "--generated: none of these words is one token of this model: {list}"
        )));
    }
    Ok(words)
}

/// A fixed sequence of numbers (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn one(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len())]
    }
}

#[cfg(test)]
mod tests {
    use relp_model::{Choice, Precision};

    use super::*;
    use crate::model::Model;

    #[test]
    fn the_paper_has_eight_pairs_in_partners() {
        let pairs = paper(true);
        assert_eq!(pairs.len(), 8);
        for partners in pairs.chunks(2) {
            assert_eq!(partners[0].clean, partners[1].corrupted);
            assert_eq!(partners[0].corrupted, partners[1].clean);
            assert_eq!(partners[0].answers, partners[1].foils);
        }
        assert_eq!(pairs[0].clean, "When John and Mary went to the shops, John gave the bag to");
        assert_eq!(pairs[0].answers, [" Mary"]);
    }

    #[test]
    fn generated_pairs_differ_have_one_length_and_come_again() {
        let model = Model::load(None, Choice::Cpu, Precision::F32).unwrap();
        let reader = model.engine().reader();
        let pairs = generated(200, 7, true, &reader).unwrap();
        assert_eq!(pairs, generated(200, 7, true, &reader).unwrap());
        assert_ne!(pairs, generated(200, 8, true, &reader).unwrap());
        let texts: BTreeSet<&str> = pairs.iter().map(|pair| pair.clean.as_str()).collect();
        assert_eq!(texts.len(), 200);
        let lengths: BTreeSet<usize> = pairs
            .iter()
            .map(|pair| reader.pair(pair, relp_model::Metric::LogitDiff).unwrap().positions())
            .collect();
        assert_eq!(lengths.len(), 1);
        assert!(generated(usize::MAX, 7, true, &reader).is_err());
    }
}
