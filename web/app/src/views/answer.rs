//! The figure: predictions, maps, legend and caption.

use leptos::prelude::*;
use relp_model::{Prompt, Site};

use super::agreement::AgreementPanel;
use super::heads::heads;
use super::heatmap::Heatmap;
use super::legend::Legend;
use super::predictions::predictions;
use super::readout::Readout;
use crate::comparison;
use crate::scale::Scale;
use crate::state::{Exact, Scores, Shown, State};
use crate::words;

#[component]
pub fn Answer() -> impl IntoView {
    let state = expect_context::<State>();
    let content = move || match state.shown.get() {
        None => view! { <p class="empty">{words::NO_FIGURE}</p> }.into_any(),
        Some(shown) => view_figure(state, shown).into_any(),
    };
    view! {
        <section class="result" aria-labelledby="answer-title" class:stale=move || state.is_stale()>
            <h2 id="answer-title" class="visually-hidden">"The answer"</h2>
            {content}
        </section>
    }
}

fn view_figure(state: State, shown: Shown) -> impl IntoView {
    let Shown { figure, number, .. } = shown;
    let scale = {
        let figure = figure.clone();
        // The exact answer shares the scale, so that the two can be compared.
        Memo::new(move |_| {
            let mut panels = comparison::panels(&figure);
            if let Exact::Here(exact) = state.exact.get() {
                panels.extend(comparison::panels(&exact));
            }
            Scale::shared(&panels)
        })
    };
    let drawn = {
        let figure = figure.clone();
        // The maps change when the exact answer comes only if they show something of it.
        Memo::new(move |_| match state.scores.get() {
            Scores::Method => figure.clone(),
            scores => comparison::drawn(&figure, &state.exact.get(), scores),
        })
    };
    // Caption and legend are of what the maps show.
    let is_error =
        move || state.scores.get() == Scores::Error && matches!(state.exact.get(), Exact::Here(_));
    let legend = Signal::derive(move || words::legend(&drawn.get(), is_error()));
    let caption = move || words::caption(&drawn.get(), is_error());
    let maps = move || {
        let drawn = drawn.get();
        let heatmap = |site: Site| {
            let figure = drawn.clone();
            view! { <Heatmap figure site scale number /> }
        };
        Site::PAPER.map(heatmap).into_iter().collect_view()
    };
    view! {
        <div class="summary">
            {predictions(&figure, Prompt::Clean)}
            {predictions(&figure, Prompt::Corrupted)}
            <div class="reading">
                <p>{words::MAPS_HELP}</p>
                <Legend scale words=legend />
            </div>
        </div>
        <ScoresChoice />
        <Readout figure=figure.clone() />
        <div class="maps">{maps}</div>
        <p class="caption" id="caption">{caption}</p>
        <div class="parts">
            {move || heads(&drawn.get(), scale)}
            <AgreementPanel figure />
        </div>
    }
}

/// Whether the maps show the method's scores, the exact ones, or the difference.
#[component]
fn ScoresChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let is_here = move || matches!(state.exact.get(), Exact::Here(_));
    let radio = move |(id, title, scores): (&'static str, &'static str, Scores)| {
        view! {
            <label class="switch">
                <input
                    type="radio"
                    name="scores"
                    id=id
                    disabled=move || scores != Scores::Method && !is_here()
                    prop:checked=move || state.scores.get() == scores
                    on:change=move |_| state.scores.set(scores)
                />
                {title}
            </label>
        }
    };
    let choices = [
        ("scores-method", "the method's scores", Scores::Method),
        ("scores-exact", "the exact scores", Scores::Exact),
        ("scores-error", "the error (method − exact)", Scores::Error),
    ];
    view! {
        <fieldset class="scores">
            <legend>"The maps show"</legend>
            <div class="options">{choices.map(radio).into_iter().collect_view()}</div>
        </fieldset>
    }
}
