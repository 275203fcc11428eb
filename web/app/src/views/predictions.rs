//! What the model would write next, and the metric.

use leptos::prelude::*;
use relp_model::{Figure, Prediction, Prompt};

use crate::labels;
use crate::locale::t;
use crate::words;

/// How many predictions are listed.
const LISTED: usize = 5;

/// The predictions and the metric of one prompt.
pub fn predictions(figure: &Figure, prompt: Prompt) -> impl IntoView + use<> {
    let (title, id, likeliest, metric) = match prompt {
        Prompt::Clean => (
            if figure.pairs.is_empty() {
                t!("predictions-after-clean")
            } else {
                t!("predictions-after-first-clean")
            },
            "metric-clean",
            &figure.predictions.clean,
            figure.metric.clean,
        ),
        Prompt::Corrupted => (
            if figure.pairs.is_empty() {
                t!("predictions-after-corrupted")
            } else {
                t!("predictions-after-first-corrupted")
            },
            "metric-corrupted",
            &figure.predictions.corrupted,
            figure.metric.corrupted,
        ),
    };
    let rows = likeliest.iter().take(LISTED).map(|prediction| row(figure, prediction));
    view! {
        <div class="predictions">
            <h3>{title}</h3>
            <ol>{rows.collect_view()}</ol>
            <p class="metric">
                {(!figure.pairs.is_empty()).then(|| format!("{} ", t!("predictions-mean-of")))}
                <b>{words::formula(figure)}</b> " = "
                <output id=id data-value=metric.to_string()>{labels::score(metric)}</output>
                " " {words::unit(figure.metric.name)}
            </p>
        </div>
    }
}

fn row(figure: &Figure, prediction: &Prediction) -> impl IntoView + use<> {
    let (part, class) = if figure.answers.contains(&prediction.token) {
        (Some(t!("predictions-answer")), Some("is-answer"))
    } else if figure.foils.contains(&prediction.token) {
        (Some(t!("predictions-foil")), Some("is-foil"))
    } else {
        (None, None)
    };
    let width = format!("width: {:.1}%", 100.0 * prediction.probability);
    view! {
        <li class=class>
            <span class="token">{labels::visible(&prediction.token.text)}</span>
            <span class="part">{part}</span>
            <span class="bar"><span style=width></span></span>
            <span class="number">{labels::percent(prediction.probability)}</span>
        </li>
    }
}
