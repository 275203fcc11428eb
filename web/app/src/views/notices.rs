//! Problems and notes beside the field that they are about.

use leptos::prelude::*;
use relp_model::Field;

use crate::state::State;
use crate::words;

/// The id of a field's problem element, for `aria-describedby`.
pub fn problem_id(field: Field) -> &'static str {
    match field {
        Field::Clean => "clean-problem",
        Field::Corrupted => "corrupted-problem",
        Field::Answer => "answer-problem",
        Field::Foil => "foil-problem",
        Field::Normalise => "normalise-problem",
        Field::Metric => "metric-problem",
        Field::Replace => "replace-problem",
    }
}

/// Whether a field is at fault.
pub fn is_at_fault(state: State, field: Field) -> bool {
    state.problems().iter().any(|problem| problem.field() == field)
}

/// The sentences about one field.
#[component]
pub fn Notices(field: Field) -> impl IntoView {
    let state = expect_context::<State>();
    let problems = move || -> Vec<String> {
        let about = state.problems().into_iter().filter(|problem| problem.field() == field);
        about.map(|problem| words::problem(&problem)).collect()
    };
    let notes = move || -> Vec<String> {
        state.preview.with(|preview| {
            let about = preview.notes.iter().filter(|note| note.field() == field);
            about.map(words::note).collect()
        })
    };
    view! {
        <div class="notices" id=problem_id(field) aria-live="polite">
            {move || problems().into_iter().map(|text| view! { <p class="problem">{text}</p> }).collect_view()}
            {move || notes().into_iter().map(|text| view! { <p class="note">{text}</p> }).collect_view()}
        </div>
    }
}
