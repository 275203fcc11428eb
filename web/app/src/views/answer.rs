//! The figure: predictions, maps, legend and caption.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Prompt};

use super::agreement::AgreementPanel;
use super::beside::{BesideChoice, title};
use super::controls::MethodBar;
use super::doctor::Doctor;
use super::explain::Explain;
use super::files::opened;
use super::grid::Hatching;
use super::head::HeadPanel;
use super::heads::heads_panel;
use super::heatmap::Heatmap;
use super::history::History;
use super::kept_cells::KeptCells;
use super::legend::Legend;
use super::look::LookControls;
use super::neurons::Neurons;
use super::path::Path;
use super::pin::Pinned;
use super::predictions::predictions;
use super::readout::Readout;
use super::scores::{ScoresChoice, pair_choice};
use crate::comparison::{self, Drawn, Scores};
use crate::known::{Exact, Known};
use crate::locale::t;
use crate::look::Beside;
use crate::scale::Scale;
use crate::state::{Origin, Shown, State};
use crate::words;

#[component]
pub fn Answer() -> impl IntoView {
    let state = expect_context::<State>();
    // What is asked beside it does not make a figure another one.
    let drawn = Memo::new(move |_| {
        state.shown.get().map(|Shown { figure, number, origin, .. }| (figure, number, origin))
    });
    let content = move || match drawn.get() {
        None => view! { <p class="empty">{t!("no-figure")}</p> }.into_any(),
        Some((figure, number, origin)) => view_figure(state, &figure, number, origin).into_any(),
    };
    view! {
        <section class="result" aria-labelledby="answer-title" class:stale=move || state.is_stale()>
            <h2 id="answer-title" class="visually-hidden">{t!("answer-title")}</h2>
            <Hatching />
            <MethodBar />
            {content}
            <div class="wide"><Neurons /></div>
        </section>
    }
}

/// Prompts of more tokens are long.
const LONG: usize = 24;

fn view_figure(
    state: State,
    whole: &Arc<Figure>,
    number: u32,
    origin: Option<Origin>,
) -> impl IntoView + use<> {
    let figure = {
        let whole = whole.clone();
        Memo::new(move |_| comparison::of_pair(&whole, state.of_pair.get()))
    };
    let exact = Memo::new(move |_| {
        state.exact.with(Exact::known).map(|known| known.of_pair(state.of_pair.get()))
    });
    let chosen = {
        let whole = whole.clone();
        Memo::new(move |_| state.drawn(&whole))
    };
    let beside = {
        let whole = whole.clone();
        Memo::new(move |_| {
            let (known, scores) = match state.look.beside.get()? {
                Beside::Exact => (exact.get()?, Scores::Exact),
                Beside::Before => {
                    let before = state.comparable_before(&whole)?;
                    let before = comparison::of_pair(&before, state.of_pair.get());
                    (Known::whole(before), Scores::Method)
                }
            };
            Some(Drawn { known, scores, before: None })
        })
    };
    let other = Memo::new(move |_| beside.get().unwrap_or_else(|| chosen.get()));
    let drawn = Memo::new(move |_| {
        let turn = state.look.flicker.get() && state.look.other.get();
        if turn { other.get() } else { chosen.get() }
    });
    // What is compared shares the scale.
    let scale = Memo::new(move |_| {
        let mut panels = comparison::panels(&figure.get());
        if let Some(exact) = exact.get() {
            panels.extend(comparison::panels(&exact.figure));
        }
        if let Some(beside) = beside.get() {
            panels.extend(comparison::panels(&beside.known.figure));
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
    // Many tokens need the whole width, one map below the other.
    let is_long = whole.tokens.clean.len() > LONG;
    let columns = Memo::new(move |_| {
        let side_by_side = !state.look.flicker.get() && beside.with(Option::is_some);
        state.look.beside.get().filter(|_| side_by_side)
    });
    let maps = {
        let whole = whole.clone();
        move || {
            let named = columns.get().map(|beside| (t!("of-figure"), title(beside)));
            let heatmap = |site| {
                let (own, of_other) = named.clone().unzip();
                let figure = whole.clone();
                let twin = of_other.map(|label| {
                    let figure = figure.clone();
                    view! { <Heatmap figure drawn=other site scale number label=Some(label) /> }
                });
                view! { <Heatmap figure drawn site scale number label=own /> {twin} }
            };
            let twin =
                named.clone().map(|(_, label)| heads_panel(&whole, other, scale, Some(&label)));
            view! {
                {comparison::maps_of(&whole).into_iter().map(heatmap).collect_view()}
                {heads_panel(&whole, drawn, scale, None)}
                {twin}
            }
        }
    };
    let side_by_side = move || columns.get().is_some();
    view! {
        <div class="answer">
            {origin.map(|origin| opened(&origin, whole))}
            <div class="choices">
                <ScoresChoice figure=whole.clone() />
                {pair_choice(whole)}
                <Explain text=words::maps_help(whole) at="maps" />
            </div>
            <Readout figure exact />
            <div class="maps" class:long=is_long class:paired=side_by_side>{maps}</div>
            <Path number />
            <div class="looks">
                <LookControls />
                <BesideChoice figure=whole.clone() />
                <Explain text=t!("about-looks") at="legend" />
                <History />
            </div>
            <div class="reading">
                <Legend scale words=legend unsigned incomplete />
                <p class="caption" id="caption">{caption}</p>
            </div>
        </div>
        <div class="evidence">
            <div class="summary">
                {move || predictions(&figure.get(), Prompt::Clean)}
                {move || predictions(&figure.get(), Prompt::Corrupted)}
                <Explain text=t!("about-predictions") at="predictions" />
            </div>
            <Doctor figure />
            <AgreementPanel figure exact />
            <Pinned figure />
        </div>
        <div class="wide"><KeptCells figure exact /></div>
        <div class="wide"><HeadPanel figure exact /></div>
    }
}
