//! What the page should show, computed natively by the reference executor.

use std::path::PathBuf;

use pollster::block_on;
use relp_engine::{Engine, Files, InMemory, Uncontrolled};
use relp_model::{Choice, Figure, PairText, Patterns, Precision, Request};

pub(crate) struct Reference {
    engine: Engine<InMemory>,
}

impl Reference {
    /// The bundled model as it was built into the page.
    pub(crate) fn load() -> Self {
        Self::on(Choice::Reference)
    }

    /// On the executor that the command line takes where there is no GPU.
    pub(crate) fn on_cpu() -> Self {
        Self::on(Choice::Cpu)
    }

    fn on(choice: Choice) -> Self {
        let folder = PathBuf::from(crate::browser::variable("RELP_DIST")).join("models/primer");
        let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
        let (config, tokenizer) = (read("config.json"), read("tokenizer.json"));
        let files = Files {
            name: "primer",
            config: &config,
            tokenizer: &tokenizer,
            precision: Precision::F32,
        };
        let weights = InMemory(read("model.safetensors"));
        let mut control = Uncontrolled;
        let engine = Engine::load(files, weights, choice, &mut control);
        Self { engine: block_on(engine).unwrap() }
    }

    pub(crate) fn patterns(&mut self, pair: &PairText, layer: usize) -> Patterns {
        block_on(self.engine.patterns(pair, layer, &mut Uncontrolled)).unwrap()
    }

    pub(crate) fn figure(&mut self, request: &Request) -> Figure {
        block_on(self.engine.attribute(request, &mut Uncontrolled)).unwrap()
    }
}

/// What the page asks when it is opened.
pub(crate) fn headline() -> Request {
    Request {
        pair: PairText {
            clean: "When John and Mary went to the shop, John gave a drink to".to_owned(),
            corrupted: "When John and Mary went to the shop, Mary gave a drink to".to_owned(),
            answers: vec![" Mary".to_owned()],
            foils: vec![" John".to_owned()],
            bos: true,
        },
        ..Request::default()
    }
}
