//! The figure: predictions, maps, legend and caption.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Prompt};

use super::agreement::AgreementPanel;
use super::controls::MethodBar;
use super::doctor::Doctor;
use super::files::opened;
use super::grid::Hatching;
use super::head::HeadPanel;
use super::heads::heads_panel;
use super::heatmap::Heatmap;
use super::kept_cells::KeptCells;
use super::legend::Legend;
use super::look::LookControls;
use super::neurons::Neurons;
use super::pin::Pinned;
use super::predictions::predictions;
use super::readout::Readout;
use super::scores::{ScoresChoice, pair_choice};
use crate::comparison::{self, Scores};
use crate::known::Exact;
use crate::scale::Scale;
use crate::state::{Shown, State};
use crate::words;

#[component]
pub fn Answer() -> impl IntoView {
    let state = expect_context::<State>();
    let content = move || match state.shown.get() {
        None => view! { <p class="empty">{words::NO_FIGURE}</p> }.into_any(),
        Some(shown) => view_figure(state, shown).into_any(),
    };
    // What is asked or where the neurons' list stands does not make a figure another one.
    view! {
        <section class="result" aria-labelledby="answer-title" class:stale=move || state.is_stale()>
            <h2 id="answer-title" class="visually-hidden">"The answer"</h2>
            <Hatching />
            <MethodBar />
            {content}
            <div class="wide"><Neurons /></div>
        </section>
    }
}

/// Prompts of more tokens are long.
const LONG: usize = 24;

/// The figure before, if the change from it can be shown.
fn comparable(state: State, figure: &Figure) -> Option<Arc<Figure>> {
    let before = state.before.get()?;
    comparison::incomparable(figure, &before).is_none().then_some(before)
}

fn view_figure(state: State, shown: Shown) -> impl IntoView {
    let Shown { figure: whole, number, origin, .. } = shown;
    let figure = {
        let whole = whole.clone();
        Memo::new(move |_| comparison::of_pair(&whole, state.of_pair.get()))
    };
    let exact = Memo::new(move |_| {
        state.exact.with(Exact::known).map(|known| known.of_pair(state.of_pair.get()))
    });
    let drawn = {
        let whole = whole.clone();
        Memo::new(move |_| {
            let scores = state.scores.get();
            // The maps change when the exact answer comes only if they show something of it.
            let of_exact = matches!(scores, Scores::Exact | Scores::Error);
            let exact = if of_exact { exact.get() } else { None };
            let before = if scores == Scores::Change { comparable(state, &whole) } else { None };
            let before = before.map(|before| comparison::of_pair(&before, state.of_pair.get()));
            comparison::drawn(&figure.get(), exact, before, scores)
        })
    };
    // The exact answer shares the scale, so that the two can be compared.
    let scale = Memo::new(move |_| {
        let mut panels = comparison::panels(&figure.get());
        if let Some(exact) = exact.get() {
            panels.extend(comparison::panels(&exact.figure));
        }
        Scale::shared(&panels)
    });
    let legend = Signal::derive(move || drawn.with(words::legend));
    let caption = move || drawn.with(words::caption);
    let unsigned = Signal::derive(move || {
        drawn
            .with(|drawn| drawn.scores == Scores::Method && drawn.known.figure.method.is_unsigned())
    });
    let incomplete = Signal::derive(move || drawn.with(|drawn| !drawn.known.missing.is_empty()));
    let heatmap = |site| {
        let figure = whole.clone();
        view! { <Heatmap figure drawn site scale number /> }
    };
    // Many tokens need the whole width, one map below the other.
    let is_long = whole.tokens.clean.len() > LONG;
    let maps = comparison::maps_of(&whole).into_iter().map(heatmap).collect_view();
    view! {
        <div class="answer">
            {origin.map(|origin| opened(&origin, &whole))}
            <div class="choices">
                <ScoresChoice figure=whole.clone() />
                {pair_choice(&whole)}
            </div>
            <Readout figure exact />
            <div class="maps" class:long=is_long>{maps} {heads_panel(&whole, drawn, scale)}</div>
            <LookControls />
            <div class="reading">
                <Legend scale words=legend unsigned incomplete />
                <p class="caption" id="caption">{caption}</p>
            </div>
            <details class="what-is-it">
                <summary>"What is this?"</summary>
                <p>{words::maps_help(&whole)}</p>
            </details>
        </div>
        <div class="evidence">
            <div class="summary">
                {move || predictions(&figure.get(), Prompt::Clean)}
                {move || predictions(&figure.get(), Prompt::Corrupted)}
            </div>
            <Doctor figure />
            <AgreementPanel figure exact />
            <Pinned figure />
        </div>
        <div class="wide"><KeptCells figure exact /></div>
        <div class="wide"><HeadPanel figure exact /></div>
    }
}
