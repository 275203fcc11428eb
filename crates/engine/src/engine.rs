//! One model on one executor.

use std::future::{Future, poll_fn};
use std::iter;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use relp_model::{
    Choice, Computation, Config, Device, Direction, Executor as FigureExecutor, FIGURE_SCHEMA,
    Fallback, Figure, Kind, Loaded, Map, Method, MetricValues, ModelInfo, Neuron, Pair, PairText,
    Part, Patch, Predictions, Problem, Prompt, Recipe, Request, Run, Site, Token, Tokenizer,
    Tokens, check_normaliser, mean, same_length, top_predictions,
};
use relp_tape::{Feed, Outputs, Tape};

use crate::control::{Control, Pace, Share};
use crate::executor::{Executor, Plan, cpu_name};
use crate::loading::{load_weights, read_header};
use crate::{EngineError, Files, Reader, SelfTest, WeightSource};

#[cfg(test)]
mod kept;

/// How many next tokens a figure names.
const PREDICTIONS: usize = 10;

/// How many plans are kept: a person goes back and forth between a few rule sets and lengths.
const MOST_PLANS: usize = 6;

/// A model on an executor, and the plans made for it.
pub struct Engine<S> {
    pub(crate) reader: Rc<Reader>,
    info: ModelInfo,
    source: S,
    pub(crate) executor: Executor,
    device: Device,
    /// Most recently used last.
    plans: Vec<Ready>,
}

/// A tape that was recorded and planned.
struct Ready {
    recipe: Recipe,
    computation: Computation,
    plan: Plan,
}

impl<S: WeightSource> Engine<S> {
    /// Checks a model's files and loads its weights onto the executor that `choice` leads to. If
    /// the GPU fails, the CPU takes its place and [`Device::fallback`] says why.
    ///
    /// # Errors
    /// If a file is not what it should be, the weights cannot be read, or `control` cancels.
    pub async fn load(
        files: Files<'_>,
        mut source: S,
        choice: Choice,
        control: &mut impl Control,
    ) -> Result<Self, EngineError> {
        let config = Config::from_json(files.config)?;
        let self_test = SelfTest::stored()?;
        // A browser looks for a GPU while the files are read here.
        let mut opening = pin!(Executor::open(choice, &self_test));
        let begun = poll_fn(|context| Poll::Ready(opening.as_mut().poll(context))).await;
        let tokenizer = Tokenizer::from_json(files.tokenizer, config.n_vocab)?;
        let checkpoint = read_header(&mut source, &config).await?;
        let precision = files.precision;
        let (mut executor, mut device) = match begun {
            Poll::Ready(opened) => opened,
            Poll::Pending => opening.await,
        };
        let mut pace = Pace::new(control, 1);
        let model = (&config, &checkpoint);
        let loaded = load_weights(&mut source, model, precision, &mut executor, &mut pace).await;
        let sha256 = match loaded {
            Err(error) if error.is_of_gpu() => {
                let fallback = Some(Fallback::Failed(error.to_string()));
                (executor, device) = Executor::open_cpu(fallback);
                load_weights(&mut source, model, precision, &mut executor, &mut pace).await?
            }
            other => other?,
        };
        let name = files.name.to_owned();
        let info = ModelInfo { name, sha256, weights: precision, config: config.clone() };
        let reader = Rc::new(Reader { config, tokenizer });
        Ok(Self { reader, info, source, executor, device, plans: Vec::new() })
    }

    /// Moves the model to another executor.
    ///
    /// # Errors
    /// If the weights cannot be read again or `control` cancels; the engine then stays as it was.
    pub async fn switch(
        &mut self,
        choice: Choice,
        control: &mut impl Control,
    ) -> Result<(), EngineError> {
        let opened = Executor::open(choice, &SelfTest::stored()?).await;
        match self.move_to(opened, control).await {
            Err(error) if error.is_of_gpu() => self.fall_back(&error, control).await,
            other => other,
        }
    }

    /// What was loaded, onto what.
    pub fn loaded(&self) -> Loaded {
        Loaded { model: self.info.clone(), device: self.device() }
    }

    /// What computes. A browser's threads come when the model is there.
    fn device(&self) -> Device {
        let mut device = self.device.clone();
        if device.kind == Kind::Cpu {
            device.name = cpu_name();
        }
        device
    }

    /// What reads prompts for this model.
    pub fn reader(&self) -> Rc<Reader> {
        self.reader.clone()
    }

    /// Runs a request. If the GPU fails, the CPU takes its place, for this run and the next.
    ///
    /// # Errors
    /// If a pair cannot be compared, the run fails, or `control` cancels.
    pub async fn attribute(
        &mut self,
        request: &Request,
        control: &mut impl Control,
    ) -> Result<Figure, EngineError> {
        if request.batch.is_empty() {
            let pair =
                self.reader.pair(&request.pair, request.metric).map_err(EngineError::Pair)?;
            return self.answer(pair, request, control).await;
        }
        // What is wrong with a pair is said before the work on others.
        let read = |(at, text): (usize, &PairText)| {
            let pair = self.reader.pair(text, request.metric);
            pair.map_err(|problems| EngineError::OneOfPairs { pair: at + 1, problems })
        };
        let pairs: Vec<Pair> =
            request.batch.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        same_length(pairs.iter().map(Pair::positions))?;
        let of = pairs.len();
        let mut figures = Vec::with_capacity(of);
        for (at, pair) in pairs.into_iter().enumerate() {
            let mut control = Share { control, at: at as u64, of: of as u64 };
            figures.push(self.answer(pair, request, &mut control).await?);
        }
        Ok(mean(&figures)?)
    }

    /// Runs a request on a pair of token ids; the prompts of the request itself are not read.
    ///
    /// # Errors
    /// If the pair cannot be compared, the run fails, or `control` cancels.
    pub async fn attribute_pair(
        &mut self,
        pair: Pair,
        request: &Request,
        control: &mut impl Control,
    ) -> Result<Figure, EngineError> {
        pair.check(request.metric, &self.reader.config).map_err(EngineError::Pair)?;
        self.answer(pair, request, control).await
    }

    async fn answer(
        &mut self,
        pair: Pair,
        request: &Request,
        control: &mut impl Control,
    ) -> Result<Figure, EngineError> {
        request.check().map_err(EngineError::Pair)?;
        let neurons = self.neurons(&pair, request, control).await?;
        let request = &Request { neurons, ..request.clone() };
        let run = self.run_somewhere(&pair, request, control).await?;
        self.figure(pair, request, run)
    }

    /// The neurons that an exact run patches: those that the request names, or RelP.
    async fn neurons(
        &mut self,
        pair: &Pair,
        request: &Request,
        control: &mut impl Control,
    ) -> Result<Vec<Neuron>, EngineError> {
        let exact = request.method == Method::Ap && request.sites.contains(&Site::Post);
        if !exact {
            return Ok(Vec::new());
        }
        if !request.neurons.is_empty() {
            let config = &self.reader.config;
            let inside = |n: &Neuron| {
                n.layer < config.n_layer && n.position < pair.positions() && n.neuron < config.d_mlp
            };
            let mut neurons: Vec<Neuron> = request.neurons.iter().copied().filter(inside).collect();
            neurons.sort_unstable();
            neurons.dedup();
            return Ok(neurons);
        }
        let sites = vec![Site::Post];
        let asked = Request { method: Method::Relp, sites, ..request.clone() };
        let asked = match asked.check() {
            Ok(()) => asked,
            // Where a metric is flat in one run, it is not in the other.
            Err(_) => Request { direction: Direction::Denoise, ..asked },
        };
        let run = self.run_somewhere(pair, &asked, control).await?;
        let scores = run.scores.get(&Site::Post).map_or(&[][..], Vec::as_slice);
        let config = &self.reader.config;
        Ok(Neuron::largest(scores, config.n_layer, config.d_mlp, request.top))
    }

    /// Runs a request; if the GPU fails, on the CPU.
    async fn run_somewhere(
        &mut self,
        pair: &Pair,
        request: &Request,
        control: &mut impl Control,
    ) -> Result<Run, EngineError> {
        match self.run(pair, request, control).await {
            Err(error) if self.is_of_gpu(&error) => {
                self.fall_back(&error, control).await?;
                self.run(pair, request, control).await
            }
            other => other,
        }
    }

    /// Whether the GPU is in use and at fault.
    fn is_of_gpu(&self, error: &EngineError) -> bool {
        self.device.kind == Kind::Gpu && error.is_of_gpu()
    }

    async fn fall_back(
        &mut self,
        error: &EngineError,
        control: &mut impl Control,
    ) -> Result<(), EngineError> {
        let opened = Executor::open_cpu(Some(Fallback::Failed(error.to_string())));
        self.move_to(opened, control).await
    }

    async fn move_to(
        &mut self,
        (mut executor, device): (Executor, Device),
        control: &mut impl Control,
    ) -> Result<(), EngineError> {
        let config = &self.reader.config;
        let checkpoint = read_header(&mut self.source, config).await?;
        let (model, precision) = ((config, &checkpoint), self.info.weights);
        let mut pace = Pace::new(control, 1);
        load_weights(&mut self.source, model, precision, &mut executor, &mut pace).await?;
        self.executor = executor;
        self.device = device;
        self.plans.clear();
        Ok(())
    }

    async fn run(
        &mut self,
        pair: &Pair,
        request: &Request,
        control: &mut impl Control,
    ) -> Result<Run, EngineError> {
        let recipe = Recipe::new(request, pair);
        let parts = recipe.parts(&self.reader.config);
        let mut pace = Pace::new(control, parts.len() as u64);
        pace.now(0, 1).await?;
        let mut whole: Option<Run> = None;
        for (at, part) in parts.iter().enumerate() {
            let rest = &parts[at + 1..];
            let mut ready = self.prepare(&recipe, part).await?;
            let outcome = self.run_part(&mut ready, pair, request, &mut pace).await;
            // Work in several parts takes much memory, so their plans are not kept.
            if parts.len() == 1 {
                self.keep(ready);
            }
            let run = outcome?;
            match &mut whole {
                None => whole = Some(run),
                Some(whole) => whole.add(&run),
            }
            pace.next_part();
            if let Some(so_far) = whole.as_ref().filter(|_| !rest.is_empty()) {
                let figure = self.figure(pair.clone(), request, so_far.clone())?;
                let missing = rest.iter().flatten().map(|patch| (patch.site, patch.cell()));
                pace.part(Part { figure, missing: missing.collect() });
            }
        }
        pace.now(0, 1).await?;
        match whole {
            Some(run) => Ok(run),
            None => unreachable!("there is at least one part"),
        }
    }

    async fn run_part(
        &mut self,
        Ready { computation, plan, .. }: &mut Ready,
        pair: &Pair,
        request: &Request,
        pace: &mut Pace<'_, impl Control>,
    ) -> Result<Run, EngineError> {
        let feed = computation.feed(pair, request.direction);
        let outputs = self.executor.run(plan, feed, pace).await?;
        let run = self.check_finite(computation.tape(), &outputs).and_then(|()| {
            let run = computation.read(&outputs, request.direction);
            let agrees = agrees_with_itself(&run, pair, request);
            let what = "two ways to compute the logits disagree".to_owned();
            if agrees { Ok(run) } else { Err(self.implausible(what)) }
        });
        if run.is_err() {
            // It may be the forward part that is wrong.
            plan.forget();
        }
        run
    }

    /// Runs a tape once; if the GPU fails, on the CPU.
    pub(crate) async fn outputs(
        &mut self,
        tape: &Tape,
        feed: &Feed,
        control: &mut impl Control,
    ) -> Result<Outputs, EngineError> {
        match self.run_tape(tape, feed, control).await {
            Err(error) if self.is_of_gpu(&error) => {
                self.fall_back(&error, control).await?;
                self.run_tape(tape, feed, control).await
            }
            other => other,
        }
    }

    async fn run_tape(
        &mut self,
        tape: &Tape,
        feed: &Feed,
        control: &mut impl Control,
    ) -> Result<Outputs, EngineError> {
        let mut plan = self.executor.plan(tape, iter::empty()).await?;
        let mut pace = Pace::new(control, 1);
        let outputs = self.executor.run(&mut plan, feed.clone(), &mut pace).await?;
        self.check_finite(tape, &outputs)?;
        Ok(outputs)
    }

    fn check_finite(&self, tape: &Tape, outputs: &Outputs) -> Result<(), EngineError> {
        outputs.first_not_finite().map_or(Ok(()), |buf| {
            let name = tape.name(buf);
            Err(self.implausible(format!("{name} is not a finite number")))
        })
    }

    pub(crate) fn implausible(&self, what: String) -> EngineError {
        EngineError::Implausible { device: self.device().name, what }
    }

    /// The plan of a part, made now unless it was kept: only that of work in one part is.
    async fn prepare(&mut self, recipe: &Recipe, part: &[Patch]) -> Result<Ready, EngineError> {
        if let Some(index) = self.plans.iter().position(|ready| ready.recipe == *recipe) {
            return Ok(self.plans.remove(index));
        }
        let computation = recipe.record(&self.reader.config, part);
        let others = self.plans.iter().map(|ready| &ready.plan);
        let plan = self.executor.plan(computation.tape(), others).await?;
        Ok(Ready { recipe: recipe.clone(), computation, plan })
    }

    fn keep(&mut self, ready: Ready) {
        self.plans.push(ready);
        if self.plans.len() > MOST_PLANS {
            self.plans.remove(0);
        }
    }

    fn figure(&self, pair: Pair, request: &Request, run: Run) -> Result<Figure, EngineError> {
        let (clean, corrupted) = (run.metric_clean, run.metric_corrupted);
        let divisor = if request.normalise {
            check_normaliser(request.metric, clean, corrupted)
                .map_err(|problem: Problem| EngineError::Pair(vec![problem]))?
        } else {
            1.0
        };
        let predictions = |prompt| {
            let logits = match prompt {
                Prompt::Clean => &run.logits_clean,
                Prompt::Corrupted => &run.logits_corrupted,
            };
            top_predictions(logits, PREDICTIONS, &self.reader.tokenizer)
        };
        let config = &self.reader.config;
        let predictions = Predictions {
            clean: predictions(Prompt::Clean),
            corrupted: predictions(Prompt::Corrupted),
        };
        let map = |(site, mut scores): (Site, Vec<f32>)| {
            scores.iter_mut().for_each(|x| *x = (f64::from(*x) / divisor) as f32);
            if request.method.is_unsigned() {
                scores.iter_mut().for_each(|x| *x = x.abs());
            }
            // An exact run has the neurons that it patched, an estimate has all.
            let neurons = match (site, request.method) {
                (Site::Post, method) if method != Method::Ap => {
                    Neuron::largest(&scores, config.n_layer, config.d_mlp, request.top)
                }
                _ => request.neurons.clone(),
            };
            (site, Map::of(site, config, scores, &neurons))
        };
        Ok(Figure {
            schema: FIGURE_SCHEMA.to_owned(),
            model: self.info.clone(),
            predictions,
            tokens: Tokens { clean: pair.clean, corrupted: pair.corrupted },
            answers: pair.answers,
            foils: pair.foils,
            metric: MetricValues { name: request.metric, clean, corrupted },
            method: request.method,
            rules: request.effective_rules(),
            steps: request.effective_steps(),
            convergence_error: run.convergence_error.map(|error| error / divisor.abs()),
            direction: request.direction,
            replace: request.effective_replace(),
            normalised: request.normalise,
            executor: FigureExecutor { kind: self.device.kind, device: self.device().name },
            version: env!("CARGO_PKG_VERSION").to_owned(),
            maps: run.scores.into_iter().map(map).collect(),
            pairs: Vec::new(),
        })
    }
}

/// The metric and the predictions are computed by different kernels: if these disagree, the device
/// is not to be trusted.
fn agrees_with_itself(run: &Run, pair: &Pair, request: &Request) -> bool {
    let ids = |tokens: &[Token]| tokens.iter().map(|token| token.id).collect::<Vec<_>>();
    let (answers, foils) = (ids(&pair.answers), ids(&pair.foils));
    let agrees = |logits: &[f32], found: f64| {
        let clean = &run.logits_clean;
        let Some(metric) = request.metric.of(logits, clean, &answers, &foils) else { return false };
        // The larger the logits, the more of a difference is rounding.
        let largest = logits.iter().fold(0.0_f32, |largest, logit| largest.max(logit.abs()));
        (metric - found).abs() <= 1e-3 * (1.0 + f64::from(largest))
    };
    agrees(&run.logits_clean, run.metric_clean)
        && agrees(&run.logits_corrupted, run.metric_corrupted)
}
