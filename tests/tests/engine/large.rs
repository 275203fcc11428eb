//! The largest models, as halves, natively.

use std::ops::Range;

use pollster::block_on;
use relp_engine::{Engine, Files, Uncontrolled, WeightSource};
use relp_hub::Known;
use relp_model::{Choice, Method, Precision, Site};
use relp_tests::gpt2_checkpoint::{Generated, Shape};
use relp_tests::gpt2_tokenizer::tokenizer_json;

use crate::small::{peak_mib, request};

struct Weights(Generated);

impl WeightSource for Weights {
    fn len(&self) -> u64 {
        self.0.length()
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        Ok(self.0.read(range))
    }
}

/// Loads a model of exactly the published sizes, and asks it once.
fn is_loaded_and_answers(name: &str, shape: Shape) {
    let known = Known::find(name).unwrap();
    let config = shape.config();
    let tokenizer = tokenizer_json();
    let files = Files {
        name,
        config: config.as_bytes(),
        tokenizer: tokenizer.as_bytes(),
        precision: Precision::F16,
    };
    let source = Weights(Generated::new(shape));
    let mut engine = block_on(Engine::load(files, source, Choice::Cpu, &mut Uncontrolled)).unwrap();
    let request = request(
        Method::Relp,
        "When John and Mary went to the shops, John gave the bag to",
        "When John and Mary went to the shops, Mary gave the bag to",
    );
    let figure = block_on(engine.attribute(&request, &mut Uncontrolled)).unwrap();
    assert_eq!(figure.maps[&Site::MlpOut].shape, [shape.n_layer as usize, 15]);
    assert!(figure.maps.values().flat_map(|map| &map.values).all(|score| score.is_finite()));
    assert_eq!(figure.model.weights, Precision::F16);
    let weights = 2 * known.sizes.parameters() / (1 << 20);
    let most = weights * 115 / 100 + 128;
    #[cfg(target_os = "linux")]
    assert!(peak_mib() < most, "{} of {most} MiB", peak_mib());
}

#[test]
fn gpt2_large_as_halves_is_loaded_and_answers() {
    is_loaded_and_answers("gpt2-large", Shape::LARGE);
}

#[test]
fn gpt2_xl_as_halves_is_loaded_and_answers() {
    is_loaded_and_answers("gpt2-xl", Shape::XL);
}
