//! Which variant of a matrix product is used for how many rows: what is usual, what was measured, and
//! what is remembered of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use relp_tape::{Feed, Tape};
use web_time::Instant;

use crate::product::Variant;
use crate::{Gpu, GpuError};

/// The variants that an adapter is fastest with, which [`Gpu::measure`] finds out.
///
/// It is written as three words, and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// For up to 64 rows: a prompt, or two.
    pub few: Variant,
    /// For more.
    pub many: Variant,
    /// Where the norm before a product is computed.
    pub norm: Norm,
}

/// Where a `layer_norm` is computed that only a product reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// By the product's dispatch, if that is [`Variant::Split`]: each workgroup norms the rows that it takes.
    Within,
    /// By a dispatch of its own.
    Before,
}

impl Norm {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Within => "norm-within",
            Self::Before => "norm-before",
        }
    }
}

impl FromStr for Norm {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = [Self::Within, Self::Before].into_iter().find(|norm| norm.name() == name);
        found.ok_or_else(|| format!("there is no way `{name}` to norm rows"))
    }
}

/// The most rows that count as few.
const FEW: usize = 64;

/// Seconds after which no further variant is tried.
const ENOUGH: f64 = 0.12;
/// Seconds of a submit of nothing from which on a clock is too coarse: Firefox answers every tenth of a
/// second.
const COARSE: f64 = 0.02;
/// How much faster a variant has to be than those before it.
const CLEARLY: f64 = 0.95;

/// What was measured in this process, or told of an earlier one, by adapter.
static REMEMBERED: Mutex<BTreeMap<String, Tuning>> = Mutex::new(BTreeMap::new());

impl Tuning {
    /// What is used before anything was measured.
    pub fn usual(is_software: bool) -> Self {
        if is_software {
            Self::all(Variant::Direct)
        } else {
            Self { few: Variant::Split, many: Variant::WideTile, norm: Norm::Before }
        }
    }

    /// One variant for everything, in which rows are normed if it can.
    pub fn all(variant: Variant) -> Self {
        let norm = if variant.has_prologue() { Norm::Within } else { Norm::Before };
        Self { few: variant, many: variant, norm }
    }

    /// For a product with so many rows.
    pub(crate) fn variant(self, rows: usize) -> Variant {
        if rows <= FEW { self.few } else { self.many }
    }

    /// Whether a product of so many rows norms them.
    pub(crate) fn has_prologue(self, rows: usize) -> bool {
        self.norm == Norm::Within && self.variant(rows).has_prologue()
    }
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.few, self.many, self.norm.name())
    }
}

impl FromStr for Tuning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [few, many, norm] = text.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("`{text}` is not two variants and a norm"));
        };
        Ok(Self { few: few.parse()?, many: many.parse()?, norm: norm.parse()? })
    }
}

/// What is known of adapters, from [`Gpu::measure`] or before, a line each, for [`recall`] in another process.
pub fn remembered() -> String {
    let remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    remembered.iter().map(|(adapter, tuning)| format!("{tuning} {adapter}\n")).collect()
}

/// Takes in what [`remembered`] gave. Lines that cannot be read are measured again.
pub fn recall(lines: &str) {
    let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    for line in lines.lines() {
        // The third space is where the adapter's name begins.
        if let Some((at, _)) = line.match_indices(' ').nth(2)
            && let Ok(tuning) = line[..at].parse()
        {
            remembered.insert(line[at + 1..].to_owned(), tuning);
        }
    }
}

/// The fastest, of ways and their seconds: an earlier one, unless a later one is clearly faster.
fn fastest<T: Copy>(times: &[(T, f64)]) -> Option<T> {
    let (&first, rest) = times.split_first()?;
    let faster = |best: (T, f64), &next: &(T, f64)| {
        if next.1 < CLEARLY * best.1 { next } else { best }
    };
    Some(rest.iter().fold(first, faster).0)
}

/// What is tried, the usual first.
fn candidates(usual: Variant) -> Vec<Variant> {
    let mut variants = Variant::ALL.to_vec();
    variants.sort_by_key(|&variant| variant != usual);
    variants
}

/// What was tried, with its seconds.
#[derive(Debug, Default)]
struct Tried {
    few: Vec<(Variant, f64)>,
    many: Vec<(Variant, f64)>,
    norm: Vec<(Norm, f64)>,
}

impl Tried {
    /// The fastest of everything; what was not tried as usual.
    fn tuning(&self, usual: Tuning) -> Tuning {
        Tuning {
            few: fastest(&self.few).unwrap_or(usual.few),
            many: fastest(&self.many).unwrap_or(usual.many),
            norm: fastest(&self.norm).unwrap_or(usual.norm),
        }
    }
}

/// Products of `rows` rows with a square weight of `width`, so many of them.
#[derive(Clone, Copy, Debug)]
struct Trial {
    rows: usize,
    width: usize,
    count: usize,
}

impl Trial {
    /// Of few rows and of many: GPT-2 small's, or smaller where a driver computes on the CPU.
    fn both(is_software: bool) -> [Self; 2] {
        if is_software { [(16, 128, 1), (FEW + 1, 128, 1)] } else { [(30, 768, 24), (512, 768, 2)] }
            .map(|(rows, width, count)| Self { rows, width, count })
    }

    fn weight(self) -> String {
        format!("tuning {}", self.width)
    }

    fn vector(self) -> String {
        format!("tuning [{}]", self.width)
    }

    /// Of rows as they are, or normed before each.
    fn record(self, normed: bool) -> (Tape, Feed) {
        let (mut tape, mut feed) = (Tape::new(), Feed::new());
        let x = tape.input("x", &[self.rows, self.width]);
        feed.values(x, vec![0.5; self.rows * self.width]);
        let w = tape.weight(&self.weight(), &[self.width, self.width]);
        let vector = tape.weight(&self.vector(), &[self.width]);
        for _ in 0..self.count {
            let x = if normed { tape.layer_norm("norm", x, vector, vector, 1e-5).0 } else { x };
            tape.linear("product", x, w, None);
        }
        (tape, feed)
    }
}

impl Gpu {
    /// The variants that plans from now on use; those made before keep theirs.
    pub fn tune(&mut self, tuning: Tuning) {
        self.tuning = tuning;
    }

    /// The variants in use.
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// Finds out which variants are fastest here, and uses them. It takes about a tenth of a second the
    /// first time, and none where the adapter is remembered.
    ///
    /// # Errors
    /// If the GPU was lost, its memory is full, or it refuses.
    pub async fn measure(&mut self) -> Result<Tuning, GpuError> {
        let known = {
            let remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.get(&self.words()).copied()
        };
        if let Some(tuning) = known {
            self.tune(tuning);
            return Ok(tuning);
        }
        let usual = Tuning::usual(self.adapter().is_software);
        let began = Instant::now();
        let mut tried = Tried::default();
        let done = self.try_all(usual, began, &mut tried).await;
        self.tune(usual);
        done?;
        let tuning = tried.tuning(usual);
        self.tune(tuning);
        self.remember();
        Ok(tuning)
    }

    /// Remembers the variants in use as those for this adapter.
    pub fn remember(&self) {
        let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.insert(self.words(), self.tuning);
    }

    /// The adapter in one line.
    fn words(&self) -> String {
        format!("{} {}", self.adapter().backend, self.adapter().name)
    }

    /// Tries what there is time for.
    async fn try_all(
        &mut self,
        usual: Tuning,
        began: Instant,
        tried: &mut Tried,
    ) -> Result<(), GpuError> {
        let [few, many] = Trial::both(self.adapter().is_software);
        let nothing = (Tape::new(), Feed::new());
        if self.time(&nothing).await? > COARSE {
            return Ok(());
        }
        for trial in [few, many] {
            self.set_weight(&trial.weight(), &vec![0.5; trial.width * trial.width])?;
            self.set_weight(&trial.vector(), &vec![0.5; trial.width])?;
        }
        let is_enough = || began.elapsed().as_secs_f64() > ENOUGH;
        // Turn by turn, so that the time there is serves both.
        for (of_few, of_many) in candidates(usual.few).into_iter().zip(candidates(usual.many)) {
            if !is_enough() {
                self.tune(Tuning::all(of_few));
                tried.few.push((of_few, self.time(&few.record(false)).await?));
            }
            if !is_enough() {
                self.tune(Tuning::all(of_many));
                tried.many.push((of_many, self.time(&many.record(false)).await?));
            }
            // What is usual first of all, so that there is time for it.
            for norm in [Norm::Before, Norm::Within] {
                if of_few.has_prologue() && !is_enough() {
                    self.tune(Tuning { norm, ..Tuning::all(of_few) });
                    tried.norm.push((norm, self.time(&few.record(true)).await?));
                }
            }
        }
        for trial in [few, many] {
            self.drop_weight(&trial.weight());
            self.drop_weight(&trial.vector());
        }
        Ok(())
    }

    /// The seconds of a run after the first.
    async fn time(&mut self, (tape, feed): &(Tape, Feed)) -> Result<f64, GpuError> {
        let mut plan = self.plan(tape).await?;
        self.run(&mut plan, feed).await?;
        let began = Instant::now();
        self.run(&mut plan, feed).await?;
        Ok(began.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_variant_has_to_be_clearly_faster() {
        let (tile, wide) = (Variant::Tile, Variant::WideTile);
        assert_eq!(fastest::<Norm>(&[]), None);
        assert_eq!(fastest(&[(tile, 2.0)]), Some(tile));
        assert_eq!(fastest(&[(tile, 2.0), (wide, 1.99)]), Some(tile));
        assert_eq!(fastest(&[(tile, 2.0), (wide, 1.5)]), Some(wide));
        assert_eq!(
            fastest(&[(tile, 1.0), (wide, 1.5), (Variant::Direct, 0.9)]),
            Some(Variant::Direct)
        );
    }

    #[test]
    fn the_usual_is_tried_first_and_all_are() {
        for usual in Variant::ALL {
            let mut variants = candidates(usual);
            assert_eq!(variants[0], usual);
            variants.sort_unstable();
            assert_eq!(variants, Variant::ALL);
        }
    }

    #[test]
    fn the_number_of_rows_decides() {
        let tuning = Tuning::usual(false);
        for (rows, expected) in [(1, Variant::Split), (64, Variant::Split), (65, Variant::WideTile)]
        {
            assert_eq!(tuning.variant(rows), expected, "{rows}");
            let within = Tuning { norm: Norm::Within, ..tuning };
            assert_eq!(within.has_prologue(rows), rows <= 64, "{rows}");
            assert!(!tuning.has_prologue(rows), "only where it was found to be faster");
        }
        for is_software in [false, true] {
            let [few, many] = Trial::both(is_software);
            assert!(few.rows <= FEW && many.rows > FEW);
        }
    }

    #[test]
    fn what_is_remembered_is_recalled() {
        let usual = Tuning::usual(false);
        for norm in [Norm::Within, Norm::Before] {
            let tuning = Tuning { norm, ..usual };
            assert_eq!(tuning.to_string().parse(), Ok(tuning));
        }
        let line = "split wide-tile norm-within vulkan An adapter of a test\n";
        // Another version wrote two words.
        let others =
            "nonsense\nsquare tile norm-within vulkan Another\nsplit tile vulkan Another\n";
        recall(&format!("{others}{line}"));
        assert!(remembered().contains(line));
        assert!(!remembered().contains("Another"));
    }

    mod gpu {
        use pollster::block_on;

        use super::*;

        #[test]
        fn what_was_measured_is_not_measured_again() {
            let mut gpu = block_on(Gpu::request()).unwrap_or_else(|error| {
                panic!("{error}. To test without a GPU: cargo xtask test --without gpu")
            });
            let tuning = block_on(gpu.measure()).unwrap();
            assert_eq!(gpu.tuning(), tuning);
            let counts = gpu.counts();
            gpu.tune(Tuning::all(Variant::Tile));
            assert_eq!(block_on(gpu.measure()), Ok(tuning));
            assert_eq!((gpu.tuning(), gpu.counts()), (tuning, counts));
        }
    }
}
