//! A small known computation that a GPU must get right before its numbers are shown.

use relp_gpu::{Gpu, GpuError};
use relp_model::{
    Computation, Config, Direction, Method, Metric, Pair, Recipe, Replace, Request, Rules, Site,
    Token,
};
use relp_tape::{Content, Feed, Outputs};
use serde::{Deserialize, Serialize};

/// What the reference executor computes, rounded to `f32`.
const GOLDEN: &str = include_str!("self_test.json");

/// More than one tile or round of every kernel, and no multiple of any.
const POSITIONS: usize = 37;
const CONFIG: Config = Config {
    n_layer: 2,
    n_head: 3,
    d_model: 132,
    d_mlp: 300,
    n_vocab: 71,
    n_ctx: 40,
    eps: 1e-5,
    tied: true,
};

/// `|difference| ≤ 1e-3 · max|expected|`: far above rounding, far below a wrong kernel.
const TOLERANCE: f32 = 1e-3;

/// The expected results of forward and backward passes, which between them use every kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// The scores with no rule.
    pub atp: Vec<f32>,
    /// The scores with RelP's rules.
    pub relp: Vec<f32>,
    /// The exact scores of heads and MLPs.
    pub ap: Vec<f32>,
    /// Integrated gradients of what attention adds, of a mean ablation measured in probabilities.
    pub ig: Vec<f32>,
    /// AtP\* of queries and keys.
    pub star: Vec<f32>,
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
        let expected = [&self.atp, &self.relp, &self.ap, &self.ig, &self.star];
        for (method, expected) in METHODS.into_iter().zip(expected) {
            let known = record(method);
            for (name, values) in &known.weights {
                gpu.set_weight(name, values)?;
            }
            let mut plan = gpu.plan(known.computation.tape()).await?;
            let outputs = gpu.run(&mut plan, &known.feed).await?;
            check(method.title(), expected, &known.scores(&outputs))?;
        }
        Ok(())
    }
}

/// In the order of the fields of [`SelfTest`].
const METHODS: [Method; 5] =
    [Method::Atp, Method::Relp, Method::Ap, Method::IgActivations, Method::AtpStar];

/// A computation, with everything that goes into it.
struct Known {
    computation: Computation,
    /// Name and values.
    weights: Vec<(String, Vec<f32>)>,
    feed: Feed,
}

/// Records the part of the self-test that uses the given method.
fn record(method: Method) -> Known {
    let sites = match method {
        Method::Ap => vec![Site::Z, Site::MlpOut],
        Method::IgActivations => vec![Site::AttnOut],
        Method::AtpStar => vec![Site::Q, Site::K],
        _ => Site::PAPER.to_vec(),
    };
    let of_means = method == Method::IgActivations;
    let request = Request {
        method,
        rules: Rules::RELP,
        replace: if of_means { Replace::Mean } else { Replace::Source },
        metric: if of_means { Metric::Kl } else { Metric::LogitDiff },
        sites,
        steps: 2,
        ..Request::default()
    };
    let pair = pair();
    let recipe = Recipe::new(&request, &pair);
    let computation = recipe.record(&CONFIG, &recipe.parts(&CONFIG)[0]);
    let mut noise = Noise(0x2508_2125_8000_0001);
    let mut weights = Vec::new();
    for (_, info) in computation.tape().bufs() {
        if info.content == Content::Weight {
            let centre =
                if info.name.contains("ln_") && info.name.ends_with("weight") { 1.0 } else { 0.0 };
            let values = (0..info.len()).map(|_| centre + 0.2 * noise.next()).collect();
            weights.push((info.name.clone(), values));
        }
    }
    let feed = computation.feed(&pair, Direction::Denoise);
    Known { computation, weights, feed }
}

/// Two prompts of the greatest length, which differ here and there toward the end.
fn pair() -> Pair {
    let mut noise = Noise(0x2508_2125_8000_0002);
    let mut token = || Token { id: noise.below(CONFIG.n_vocab as u32), text: String::new() };
    let clean: Vec<Token> = (0..POSITIONS).map(|_| token()).collect();
    let corrupted = clean.iter().map(|kept| [kept.clone(), token()]);
    let corrupted =
        corrupted.enumerate().map(|(i, [kept, new])| if i > 26 && i % 3 == 0 { new } else { kept });
    let corrupted = corrupted.collect();
    Pair { corrupted, clean, answers: vec![token()], foils: vec![token()] }
}

impl Known {
    /// All scores, and the metric of both prompts, in a row.
    fn scores(&self, outputs: &Outputs) -> Vec<f32> {
        let run = self.computation.read(outputs, Direction::Denoise);
        let metric = [run.metric_clean as f32, run.metric_corrupted as f32];
        run.scores.into_values().flatten().chain(metric).collect()
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

    fn by_reference(method: Method) -> Vec<f32> {
        let mut known = record(method);
        let tape = known.computation.tape().clone();
        for (buf, info) in tape.bufs() {
            if let Some((_, values)) = known.weights.iter().find(|(n, _)| *n == info.name) {
                known.feed.values(buf, values.clone());
            }
        }
        let values = reference::run(&tape, &known.feed).unwrap();
        let outputs = tape.outputs().iter().map(|&buf| (buf, values.f32(buf)));
        known.scores(&Outputs::new(outputs.collect()))
    }

    #[test]
    fn every_kernel_is_used() {
        let used: std::collections::BTreeSet<&str> = METHODS
            .into_iter()
            .flat_map(|method| {
                let known = record(method);
                known.computation.tape().ops().iter().map(relp_tape::Op::name).collect::<Vec<_>>()
            })
            .collect();
        // GPT-2 has no product of two activations.
        let expected = relp_tape::Op::NAMES.into_iter().filter(|name| *name != "mul");
        assert_eq!(used, expected.collect());
    }

    /// With `RELP_BLESS=1` the stored numbers are written anew.
    #[test]
    fn the_stored_numbers_are_the_references() {
        let [atp, relp, ap, ig, star] = METHODS.map(by_reference);
        let computed = SelfTest { atp, relp, ap, ig, star };
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
        assert!(close(&computed.ap, &stored.ap) && close(&computed.ig, &stored.ig));
        assert!(close(&computed.star, &stored.star));
        assert!(!close(&stored.atp, &stored.relp), "the rules must matter");
        let largest = stored.relp.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        assert!((0.1..1000.0).contains(&largest), "{largest}");
    }

    mod gpu {
        use pollster::block_on;
        use relp_model::{Choice, Fallback, Kind};

        use super::*;
        use crate::executor::Executor;

        #[test]
        fn a_gpu_that_computes_wrong_numbers_is_not_used() {
            let (_, device) = block_on(Executor::open(Choice::Gpu, &SelfTest::stored().unwrap()));
            assert_eq!((device.kind, device.fallback), (Kind::Gpu, None));
            for part in 0..5 {
                let mut wrong = SelfTest::stored().unwrap();
                let values = match part {
                    0 => &mut wrong.atp,
                    1 => &mut wrong.relp,
                    2 => &mut wrong.ap,
                    3 => &mut wrong.ig,
                    _ => &mut wrong.star,
                };
                values.iter_mut().for_each(|value| *value *= 1.01);
                let (_, device) = block_on(Executor::open(Choice::Gpu, &wrong));
                assert_eq!(device.kind, Kind::Cpu);
                let why = device.fallback.unwrap();
                assert!(matches!(why, Fallback::Failed(_)), "{why:?}");
                assert!(why.to_string().contains("self-test should be"), "{why}");
            }
        }
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
