//! Method, rules, metric, direction, and what is seldom changed: replacement, normalisation, executor.

use leptos::prelude::*;
use relp_model::{Choice, Direction, Field, Method, Metric, Replace, Rule};

use super::notices::{Notices, is_at_fault, problem_id};
use crate::state::State;
use crate::words;

/// How the answer is estimated, above it.
#[component]
pub fn MethodBar() -> impl IntoView {
    view! {
        <div class="bar-of-method">
            <MethodChoice />
            <RuleSwitches />
        </div>
    }
}

#[component]
pub fn Controls() -> impl IntoView {
    view! {
        <div class="controls">
            <MetricChoice />
            <DirectionChoice />
            <NormaliseSwitch />
            <More />
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
        let replace = match state.replace.get() {
            _ if !state.method.get().replaces() => "",
            Replace::Source => words::direction(state.direction.get()).1,
            replace => words::replace(replace).1,
        };
        let metric = match state.metric.get() {
            Metric::LogitDiff => "",
            metric => words::metric(metric),
        };
        format!("{replace} {rules} {metric}")
    };
    let fallback = move || {
        let fallback = state.device().and_then(|device| device.fallback);
        fallback.map(|fallback| view! { <span id="fallback">{fallback.to_string()}</span> })
    };
    view! {
        <p class="help">{fallback}</p>
        <details class="what-is-it">
            <summary>"What do these settings mean?"</summary>
            <p id="help">{help}</p>
        </details>
    }
}

/// The methods in the order of the page: the estimates, the exact answer, and what is neither.
const METHODS: [Method; 7] = [
    Method::Relp,
    Method::Atp,
    Method::AtpStar,
    Method::IgInputs,
    Method::IgActivations,
    Method::Ap,
    Method::GradXInput,
];

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
            <div class="options">{METHODS.map(radio).into_iter().collect_view()}</div>
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

/// A drop-down of one-of-few, by name.
fn chooser<T: Copy + PartialEq + Send + Sync + 'static, const N: usize>(
    id: &'static str,
    title: &'static str,
    field: Option<Field>,
    options: [(&'static str, &'static str, T); N],
    chosen: RwSignal<T>,
) -> impl IntoView {
    let state = expect_context::<State>();
    let value = move || {
        let now = chosen.get();
        options.iter().find(|(_, _, one)| *one == now).map_or("", |(name, _, _)| name)
    };
    let choose = move |event| {
        let wanted = event_target_value(&event);
        if let Some((_, _, one)) = options.iter().find(|(name, _, _)| *name == wanted) {
            chosen.set(*one);
        }
    };
    let option = |(name, title, _): (&'static str, &'static str, T)| {
        view! { <option value=name>{title}</option> }
    };
    view! {
        <fieldset>
            <legend><label for=id>{title}</label></legend>
            <select
                id=id
                aria-describedby=field.map(problem_id)
                aria-invalid=move || field.map(|field| is_at_fault(state, field).to_string())
                on:change=choose
                prop:value=value
            >
                {options.map(option).into_iter().collect_view()}
            </select>
            {field.map(|field| view! { <Notices field /> })}
        </fieldset>
    }
}

#[component]
fn MetricChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let options = Metric::ALL.map(|metric| (metric.name(), metric.title(), metric));
    chooser("metric", "Metric", Some(Field::Metric), options, state.metric)
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

/// What is seldom changed. What of it is not as usual stands in the summary.
#[component]
fn More() -> impl IntoView {
    let state = expect_context::<State>();
    let open = RwSignal::new(false);
    let toggled = move |event: leptos::ev::Event| {
        open.set(event_target::<web_sys::HtmlDetailsElement>(&event).open());
    };
    // A problem is shown where it can be mended, so it opens.
    let shown = move || open.get() || is_at_fault(state, Field::Replace);
    let unusual = move || {
        let replace = state.replace.get();
        let replace = (replace != Replace::Source).then(|| format!("{replace} ablation"));
        let executor = CHOICES.iter().find(|(_, _, choice)| *choice == state.choice.get());
        let executor =
            executor.filter(|(name, ..)| *name != "auto").map(|(_, title, _)| (*title).to_owned());
        let all: Vec<String> = replace.into_iter().chain(executor).collect();
        if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
    };
    let options = Replace::ALL.map(|replace| (replace.name(), words::replace(replace).0, replace));
    view! {
        <details class="more" id="more" prop:open=shown on:toggle=toggled>
            <summary>"More" {unusual}</summary>
            <div class="controls">
                {chooser("replace", "Put in its place", Some(Field::Replace), options, state.replace)}
                {chooser("executor", "Compute on", None, CHOICES, state.choice)}
            </div>
        </details>
    }
}

/// The executors, by the words of the choice.
const CHOICES: [(&str, &str, Choice); 4] = [
    ("auto", "the best there is", Choice::Auto),
    ("gpu", "GPU (WebGPU)", Choice::Gpu),
    ("cpu", "CPU (WebAssembly)", Choice::Cpu),
    ("reference", "reference (f64, slow)", Choice::Reference),
];
