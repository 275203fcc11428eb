//! Which scores the maps show, and of which pair.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method};

use crate::comparison::{self, Scores};
use crate::locale::t;
use crate::session::Session;
use crate::state::State;
use crate::words;

/// The method's scores, the exact ones, the difference, or what changed since the figure before.
#[component]
pub fn ScoresChoice(figure: Arc<Figure>) -> impl IntoView {
    let state = expect_context::<State>();
    let why_not = Memo::new(move |_| {
        let known = state.exact.with(|exact| exact.known().is_some());
        let exact = match figure.method {
            Method::GradXInput => Some(t!("not-an-estimate")),
            _ if known => None,
            _ => Some(t!("no-exact")),
        };
        let change = match state.before.get() {
            None => Some(t!("no-before")),
            Some(before) => comparison::incomparable(&figure, &before),
        };
        (exact, change)
    });
    let reason = move |scores| match scores {
        Scores::Method => None,
        Scores::Exact | Scores::Error => why_not.get().0,
        Scores::Change => why_not.get().1,
    };
    let radio = move |(id, title, scores): (&'static str, String, Scores)| {
        view! {
            <label class="switch" title=move || reason(scores)>
                <input
                    type="radio"
                    name="scores"
                    id=id
                    disabled=move || reason(scores).is_some()
                    prop:checked=move || state.scores.get() == scores
                    on:change=move |_| state.scores.set(scores)
                />
                {title}
            </label>
        }
    };
    let choices = [
        ("scores-method", t!("scores-of-method"), Scores::Method),
        ("scores-exact", t!("scores-that-are-exact"), Scores::Exact),
        ("scores-error", t!("scores-method-less-exact"), Scores::Error),
        ("scores-change", t!("scores-since-before"), Scores::Change),
    ];
    view! {
        <fieldset class="scores">
            <legend>{t!("scores-title")}</legend>
            <div class="options">{choices.map(radio).into_iter().collect_view()}</div>
        </fieldset>
    }
}

/// Of a mean: itself, or one of its pairs.
pub fn pair_choice(figure: &Figure) -> impl IntoView + use<> {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    if figure.pairs.is_empty() {
        return ().into_any();
    }
    let choose = move |event| {
        state.of_pair.set(event_target_value(&event).parse().ok());
        session.look_at_open_head();
    };
    let option = |(index, pair): (usize, &relp_model::OfPair)| {
        let text = words::prompt_of(&pair.tokens.clean);
        view! { <option value=index.to_string()>{format!("{}. {text}", index + 1)}</option> }
    };
    view! {
        <fieldset class="scores">
            <legend><label for="of-pair">{t!("scores-of-pair")}</label></legend>
            <select
                id="of-pair"
                on:change=choose
                prop:value=move || state.of_pair.get().map_or("mean".to_owned(), |pair| pair.to_string())
            >
                <option value="mean">{t!("scores-of-mean", count = figure.pairs.len())}</option>
                {figure.pairs.iter().enumerate().map(option).collect_view()}
            </select>
        </fieldset>
    }
    .into_any()
}
