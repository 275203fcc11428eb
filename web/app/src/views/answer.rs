//! The figure: predictions, maps, legend and caption.

use leptos::prelude::*;
use relp_model::{Prompt, Site};

use super::heatmap::Heatmap;
use super::legend::Legend;
use super::predictions::predictions;
use super::readout::Readout;
use crate::scale::Scale;
use crate::state::{Shown, State};
use crate::words;

#[component]
pub fn Answer() -> impl IntoView {
    let state = expect_context::<State>();
    let content = move || match state.shown.get() {
        None => view! { <p class="empty">{words::NO_FIGURE}</p> }.into_any(),
        Some(shown) => view_figure(shown).into_any(),
    };
    view! {
        <section class="result" aria-labelledby="answer-title" class:stale=move || state.is_stale()>
            <h2 id="answer-title" class="visually-hidden">"The answer"</h2>
            {content}
        </section>
    }
}

fn view_figure(shown: Shown) -> impl IntoView {
    let Shown { figure, number, .. } = shown;
    let scale = Scale::shared(figure.maps.values());
    let legend = words::legend(&figure);
    let caption = words::caption(&figure);
    let heatmap = |site: Site| {
        let figure = figure.clone();
        view! { <Heatmap figure site scale number /> }
    };
    let heatmaps = Site::PAPER.map(heatmap).into_iter().collect_view();
    view! {
        <div class="summary">
            {predictions(&figure, Prompt::Clean)}
            {predictions(&figure, Prompt::Corrupted)}
            <div class="reading">
                <p>{words::MAPS_HELP}</p>
                <Legend scale words=legend />
            </div>
        </div>
        <Readout figure=figure.clone() />
        <div class="maps">{heatmaps}</div>
        <p class="caption" id="caption">{caption}</p>
    }
}
