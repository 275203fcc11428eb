//! Method, rules, direction, normalisation, executor.

use leptos::prelude::*;
use relp_model::{Choice, Direction, Field, Method, Rule};

use super::notices::{Notices, is_at_fault, problem_id};
use crate::state::State;
use crate::words;

#[component]
pub fn Controls() -> impl IntoView {
    view! {
        <div class="controls">
            <MethodChoice />
            <RuleSwitches />
            <DirectionChoice />
            <NormaliseSwitch />
            <ExecutorChoice />
        </div>
        <Help />
    }
}

/// What the switches mean as they stand.
#[component]
fn Help() -> impl IntoView {
    let state = expect_context::<State>();
    let help = move || {
        let rules = match state.method.get() {
            Method::Relp => words::rules(state.rules.get()),
            method => words::method(method).to_owned(),
        };
        format!("{} {rules}", words::direction(state.direction.get()).1)
    };
    let fallback = move || {
        let fallback = state.device().and_then(|device| device.fallback);
        fallback.map(|fallback| view! { <span id="fallback">" " {fallback.to_string()}</span> })
    };
    view! { <p class="help" id="help">{help} {fallback}</p> }
}

#[component]
fn MethodChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let radio = move |method: Method| {
        view! {
            <label class="switch" title=words::method(method)>
                <input
                    type="radio"
                    name="method"
                    id=format!("method-{method}")
                    prop:checked=move || state.method.get() == method
                    on:change=move |_| state.method.set(method)
                />
                {method.title()}
            </label>
        }
    };
    view! {
        <fieldset>
            <legend>"Method"</legend>
            <div class="options">{Method::ALL.map(radio).into_iter().collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn RuleSwitches() -> impl IntoView {
    let state = expect_context::<State>();
    let has_rules = move || state.method.get() == Method::Relp;
    let switch = move |rule: Rule| {
        let (title, help) = words::rule(rule);
        view! {
            <label class="switch" title=help>
                <input
                    type="checkbox"
                    id=format!("rule-{}", rule.name())
                    disabled=move || !has_rules()
                    prop:checked=move || has_rules() && state.rules.get().is_on(rule)
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        state.rules.update(|rules| rules.set(rule, on));
                    }
                />
                {title}
            </label>
        }
    };
    view! {
        <fieldset aria-describedby="help">
            <legend>"Rules"</legend>
            <div class="options">{Rule::ALL.map(switch).into_iter().collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn DirectionChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let radio = move |direction: Direction| {
        let (title, help) = words::direction(direction);
        view! {
            <label class="switch" title=help>
                <input
                    type="radio"
                    name="direction"
                    id=format!("direction-{direction}")
                    prop:checked=move || state.direction.get() == direction
                    on:change=move |_| state.direction.set(direction)
                />
                {title}
            </label>
        }
    };
    view! {
        <fieldset>
            <legend>"Direction"</legend>
            <div class="options">{Direction::ALL.map(radio).into_iter().collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn NormaliseSwitch() -> impl IntoView {
    let state = expect_context::<State>();
    view! {
        <fieldset>
            <legend>"Scores"</legend>
            <div class="options">
            <label class="switch">
                <input
                    type="checkbox"
                    id="normalise"
                    aria-describedby=problem_id(Field::Normalise)
                    aria-invalid=move || is_at_fault(state, Field::Normalise).to_string()
                    prop:checked=move || state.normalise.get()
                    on:change=move |event| state.normalise.set(event_target_checked(&event))
                />
                "Normalised"
            </label>
            </div>
            <Notices field=Field::Normalise />
        </fieldset>
    }
}

/// The executors, by the words of the choice.
const CHOICES: [(&str, &str, Choice); 4] = [
    ("auto", "the best there is", Choice::Auto),
    ("gpu", "GPU (WebGPU)", Choice::Gpu),
    ("cpu", "CPU (WebAssembly)", Choice::Cpu),
    ("reference", "reference (f64, slow)", Choice::Reference),
];

#[component]
fn ExecutorChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let value = move || {
        let choice = state.choice.get();
        CHOICES.iter().find(|(_, _, other)| *other == choice).map_or("auto", |(name, _, _)| name)
    };
    let choose = move |event| {
        let wanted = event_target_value(&event);
        if let Some((_, _, choice)) = CHOICES.iter().find(|(name, _, _)| *name == wanted) {
            state.choice.set(*choice);
        }
    };
    let option = |(name, title, _): (&'static str, &'static str, Choice)| {
        view! { <option value=name>{title}</option> }
    };
    view! {
        <fieldset>
            <legend><label for="executor">"Compute on"</label></legend>
            <select id="executor" on:change=choose prop:value=value>
                {CHOICES.map(option).into_iter().collect_view()}
            </select>
        </fieldset>
    }
}
