//! What is odd about the pair, beside the predictions that show it.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::Figure;

use crate::doctor;
use crate::locale::t;

#[component]
pub fn Doctor(figure: Memo<Arc<Figure>>) -> impl IntoView {
    move || {
        let findings = figure.with(|figure| doctor::findings(figure));
        (!findings.is_empty()).then(|| {
            let item = |sentence: String| view! { <li class="note">{sentence}</li> };
            let items = findings.into_iter().map(item).collect_view();
            view! { <ul class="doctor" id="doctor" aria-label=t!("doctor-label")>{items}</ul> }
        })
    }
}
