//! A model of GPT-2 small's exact size, with GPT-2's tokenizer and generated weights.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pollster::block_on;
use relp_engine::{Engine, Files, Uncontrolled, WeightSource};
use relp_hub::{Known, ModelFile};
use relp_model::{Choice, Kind, Method, PairText, Precision, Request, Site};
use relp_tests::compare::{Tolerance, assert_close};
use relp_tests::gpt2_checkpoint::{SMALL_CONFIG, Shape};
use relp_tests::gpt2_tokenizer::tokenizer_json;
use relp_tests::hex;
use sha2::{Digest, Sha256};

use crate::primer::headline;

struct Weights(File, u64);

impl WeightSource for Weights {
    fn len(&self) -> u64 {
        self.1
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.0.seek(SeekFrom::Start(range.start)).unwrap();
        self.0.read_exact(&mut bytes).unwrap();
        Ok(bytes)
    }
}

fn checkpoint() -> PathBuf {
    Shape::SMALL.checkpoint(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

fn load(choice: Choice, precision: Precision) -> Engine<Weights> {
    let file = File::open(checkpoint()).unwrap();
    let len = file.metadata().unwrap().len();
    let tokenizer = tokenizer_json();
    let config = SMALL_CONFIG.as_bytes();
    let files = Files { name: "gpt2", config, tokenizer: tokenizer.as_bytes(), precision };
    block_on(Engine::load(files, Weights(file, len), choice, &mut Uncontrolled)).unwrap()
}

pub(crate) fn request(method: Method, clean: &str, corrupted: &str) -> Request {
    let pair = PairText {
        clean: clean.to_owned(),
        corrupted: corrupted.to_owned(),
        answers: vec![" Mary".to_owned()],
        foils: vec![" John".to_owned()],
        bos: true,
    };
    Request { pair, method, sites: Site::PAPER.to_vec(), ..headline() }
}

/// The most memory that this process had so far.
#[cfg(target_os = "linux")]
pub(crate) fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn the_generated_model_has_the_size_of_the_published_one() {
    let small = Known::find("gpt2").unwrap();
    let hash = hex(&Sha256::digest(SMALL_CONFIG));
    assert_eq!(small.expected(ModelFile::Config).sha256, Some(hash));
    let length = checkpoint().metadata().unwrap().len();
    let published = small.expected(ModelFile::Weights).length.unwrap();
    // Offsets have more digits or fewer by the order of the tensors.
    assert!(length.abs_diff(published) < 100, "{length} {published}");
}

/// Loads the model, asks it once, and compares the process's memory with the stored weights.
fn is_loaded_and_answers(precision: Precision, most_over: f64) {
    checkpoint();
    let began = Instant::now();
    let mut engine = load(Choice::Cpu, precision);
    let loading = began.elapsed();
    #[cfg(target_os = "linux")]
    {
        let bytes = if precision == Precision::F16 { 2 } else { 4 };
        let weights = bytes * Known::find("gpt2").unwrap().sizes.parameters() / (1 << 20);
        let most = (weights as f64 * most_over) as u64 + 64;
        assert!(peak_mib() < most, "{} of {most} MiB", peak_mib());
    }
    let began = Instant::now();
    let request = request(
        Method::Relp,
        "When John and Mary went to the shops, John gave the bag to",
        "When John and Mary went to the shops, Mary gave the bag to",
    );
    let figure = block_on(engine.attribute(&request, &mut Uncontrolled)).unwrap();
    let running = began.elapsed();
    assert_eq!(figure.maps[&Site::MlpOut].shape, [12, 15]);
    assert!(figure.maps.values().flat_map(|map| &map.values).all(|score| score.is_finite()));
    // Many times what it takes on two cores: this is to notice what goes out of hand.
    assert!(loading < Duration::from_secs(60), "{loading:?}");
    assert!(running < Duration::from_secs(60), "{running:?}");
}

#[test]
fn gpt2_small_is_loaded_and_answers_within_bounds() {
    is_loaded_and_answers(Precision::F32, 1.15);
}

#[test]
fn gpt2_small_in_halves_takes_half() {
    is_loaded_and_answers(Precision::F16, 1.15);
}

/// RelP and AtP of every site. Of neurons, the largest of the reference: they are among twice as many that
/// the other finds.
fn agree(choice: Choice) {
    let (mut found_by, mut reference) =
        (load(choice, Precision::F32), load(Choice::Reference, Precision::F32));
    for method in [Method::Relp, Method::Atp] {
        let figure = |engine: &mut Engine<Weights>, top: usize| {
            let request = request(method, "John gave it to", "Mary gave it to");
            let request = Request { sites: Site::PATCHED.to_vec(), top, ..request };
            block_on(engine.attribute(&request, &mut Uncontrolled)).unwrap()
        };
        let (found, expected) = (figure(&mut found_by, 16), figure(&mut reference, 8));
        for site in Site::PATCHED {
            let (expected, found) = (&expected.maps[&site], &found.maps[&site]);
            let values = expected.values.iter().map(|&value| f64::from(value));
            let values: Vec<f64> = values.collect();
            let found = match (&expected.neurons, &found.neurons) {
                (Some(largest), Some(all)) => {
                    let value = |neuron| {
                        let at = all.iter().position(|other| other == neuron);
                        found.values[at.expect("a large one is among more")]
                    };
                    assert_eq!((largest.len(), all.len()), (12 * 8, 12 * 16));
                    largest.iter().map(value).collect()
                }
                _ => found.values.clone(),
            };
            assert_close(&format!("{method} {site}"), &values, &found, Tolerance::GOLDEN);
        }
    }
}

#[test]
fn cpu_and_reference_agree_on_gpt2_small() {
    agree(Choice::Cpu);
}

mod gpu {
    use super::*;

    #[test]
    fn gpu_and_reference_agree_on_gpt2_small() {
        agree(Choice::Gpu);
        assert_eq!(load(Choice::Gpu, Precision::F16).loaded().device.kind, Kind::Gpu);
    }
}
