//! A small known computation that a GPU must get right before its numbers are shown.

use relp_gpu::{Gpu, GpuError};
use relp_model::{Attribution, Config, Direction, Pair, Rules, Site, Token};
use relp_tape::{Content, Feed, Outputs};
use serde::{Deserialize, Serialize};

/// What the reference executor computes, rounded to `f32`.
const GOLDEN: &str = include_str!("self_test.json");

/// More than one tile of every kernel, and no multiple of any.
const POSITIONS: usize = 37;
const CONFIG: Config = Config {
    n_layer: 2,
    n_head: 3,
    d_model: 36,
    d_mlp: 100,
    n_vocab: 71,
    n_ctx: 40,
    eps: 1e-5,
    tied: true,
};

/// `|difference| ≤ 1e-3 · max|expected|`: far above rounding, far below a wrong kernel.
const TOLERANCE: f32 = 1e-3;

/// The expected results: forward and backward, without rules and with RelP's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// The scores with no rule.
    pub atp: Vec<f32>,
    /// The scores with RelP's rules.
    pub relp: Vec<f32>,
}

/// The GPU did not pass.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SelfTestError {
    /// A value is wrong.
    #[error(
        "The GPU computes wrong numbers: value {index} of the {test} self-test should be {expected} \
         and is {found}. Update its driver or the browser."
    )]
    Wrong {
        /// Which of the tests.
        test: &'static str,
        /// Which of its values.
        index: usize,
        /// What the reference executor computed.
        expected: f32,
        /// What the GPU computed.
        found: f32,
    },
    /// The test could not be run.
    #[error("The GPU's self-test could not be run: {0}.")]
    Gpu(#[from] GpuError),
    /// The stored results cannot be read, which is a fault of this program.
    #[error("The stored self-test is damaged: {0}.")]
    Stored(String),
}

impl SelfTest {
    /// The stored results.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn stored() -> Result<Self, SelfTestError> {
        serde_json::from_str(GOLDEN).map_err(|error| SelfTestError::Stored(error.to_string()))
    }

    /// Runs the test on a GPU. It leaves small weights behind, which a model replaces.
    pub(crate) async fn run(&self, gpu: &mut Gpu) -> Result<(), SelfTestError> {
        for (test, rules, expected) in
            [("AtP", Rules::NONE, &self.atp), ("RelP", Rules::RELP, &self.relp)]
        {
            let computation = record(rules);
            for (name, values) in &computation.weights {
                gpu.set_weight(name, values)?;
            }
            let mut plan = gpu.plan(computation.attribution.tape()).await?;
            let outputs = gpu.run(&mut plan, &computation.feed).await?;
            check(test, expected, &computation.scores(&outputs))?;
        }
        Ok(())
    }
}

/// The computation, with everything that goes into it.
struct Computation {
    attribution: Attribution,
    /// Name and values.
    weights: Vec<(String, Vec<f32>)>,
    feed: Feed,
}

/// Records the computation of the self-test under the given rules.
fn record(rules: Rules) -> Computation {
    let sites = [Site::ResidPre, Site::AttnOut, Site::MlpOut];
    let attribution = Attribution::record(&CONFIG, 1, POSITIONS, &sites, rules);
    let mut noise = Noise(0x2508_2125_8000_0001);
    let mut weights = Vec::new();
    for (_, info) in attribution.tape().bufs() {
        if info.content == Content::Weight {
            let centre =
                if info.name.contains("ln_") && info.name.ends_with("weight") { 1.0 } else { 0.0 };
            let values = (0..info.len()).map(|_| centre + 0.35 * noise.next()).collect();
            weights.push((info.name.clone(), values));
        }
    }
    let mut token = || Token { id: noise.below(CONFIG.n_vocab as u32), text: String::new() };
    let clean: Vec<Token> = (0..POSITIONS).map(|_| token()).collect();
    let corrupted = clean.iter().map(|kept| [kept.clone(), token()]);
    let corrupted =
        corrupted.enumerate().map(|(i, [kept, new])| if i % 3 == 0 { new } else { kept });
    let pair = Pair { corrupted: corrupted.collect(), clean, answer: token(), foil: token() };
    let feed = attribution.feed(&[pair], Direction::Denoise);
    Computation { attribution, weights, feed }
}

impl Computation {
    /// All scores, and the metric of both prompts, in a row.
    fn scores(&self, outputs: &Outputs) -> Vec<f32> {
        let mut scores = Vec::new();
        for run in self.attribution.read(outputs, Direction::Denoise) {
            scores.extend(run.scores.into_values().flatten());
            scores.extend([run.metric_clean as f32, run.metric_corrupted as f32]);
        }
        scores
    }
}

fn check(test: &'static str, expected: &[f32], found: &[f32]) -> Result<(), SelfTestError> {
    let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    if expected.len() != found.len() {
        return Err(SelfTestError::Stored(format!("{} values", expected.len())));
    }
    for (index, (&expected, &found)) in expected.iter().zip(found).enumerate() {
        let close = (expected - found).abs() <= TOLERANCE * largest;
        if !close {
            return Err(SelfTestError::Wrong { test, index, expected, found });
        }
    }
    Ok(())
}

/// A fixed sequence of numbers (SplitMix64).
struct Noise(u64);

impl Noise {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Between −1 and 1.
    fn next(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    fn below(&mut self, bound: u32) -> u32 {
        (self.bits() % u64::from(bound)) as u32
    }
}

#[cfg(test)]
mod tests {
    use relp_tape::reference;

    use super::*;

    fn by_reference(rules: Rules) -> Vec<f32> {
        let mut computation = record(rules);
        let tape = computation.attribution.tape().clone();
        for (buf, info) in tape.bufs() {
            if let Some((_, values)) = computation.weights.iter().find(|(n, _)| *n == info.name) {
                computation.feed.values(buf, values.clone());
            }
        }
        let values = reference::run(&tape, &computation.feed).unwrap();
        let outputs = tape.outputs().iter().map(|&buf| (buf, values.f32(buf)));
        computation.scores(&Outputs::new(outputs.collect()))
    }

    /// With `RELP_BLESS=1` the stored numbers are written anew.
    #[test]
    fn the_stored_numbers_are_the_references() {
        let computed = SelfTest { atp: by_reference(Rules::NONE), relp: by_reference(Rules::RELP) };
        if std::env::var_os("RELP_BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/self_test.json");
            std::fs::write(path, serde_json::to_string(&computed).unwrap() + "\n").unwrap();
            return;
        }
        let stored = SelfTest::stored().unwrap();
        let close = |a: &[f32], b: &[f32]| {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + a.abs()))
        };
        assert!(close(&computed.atp, &stored.atp) && close(&computed.relp, &stored.relp));
        assert!(!close(&stored.atp, &stored.relp), "the rules must matter");
        let largest = stored.relp.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        assert!((0.1..1000.0).contains(&largest), "{largest}");
    }

    #[test]
    fn wrong_numbers_and_nan_do_not_pass() {
        let good = SelfTest::stored().unwrap().relp;
        check("RelP", &good, &good).unwrap();
        let peak =
            (0..good.len()).max_by(|&a, &b| good[a].abs().total_cmp(&good[b].abs())).unwrap();
        for wrong in [good[peak] * 1.01, -good[peak], 0.0, f32::NAN, f32::INFINITY] {
            let mut found = good.clone();
            found[peak] = wrong;
            let error = check("RelP", &good, &found).unwrap_err();
            assert!(matches!(error, SelfTestError::Wrong { index, .. } if index == peak));
        }
        check("RelP", &good, &good[1..]).unwrap_err();
    }
}
