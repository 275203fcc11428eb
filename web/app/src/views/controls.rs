//! Method, rules, metric, direction, and what is seldom changed: replacement, normalisation, executor.

use leptos::prelude::*;
use relp_model::{Choice, Direction, Field, Method, Metric, Replace, Rule};

use super::explain::Explain;
use super::notices::{Notices, is_at_fault, problem_id};
use crate::locale::t;
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
            <Help />
        </div>
    }
}

/// What the switches mean as they stand.
#[component]
fn Help() -> impl IntoView {
    let state = expect_context::<State>();
    let help = move || {
        let rules = match state.method.get() {
            Method::Relp => words::rules(state.rules.get()),
            method => words::method(method),
        };
        let replace = match state.replace.get() {
            _ if !state.method.get().replaces() => String::new(),
            Replace::Source => words::direction(state.direction.get()).1,
            replace => words::replace(replace).1,
        };
        let metric = match state.metric.get() {
            Metric::LogitDiff => String::new(),
            metric => words::metric(metric),
        };
        format!("{replace} {rules} {metric}")
    };
    view! {
        <Explain text=Signal::derive(help) at="method" id="help" />
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
            <legend>{t!("controls-method")}</legend>
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
            <legend>{t!("controls-rules")}</legend>
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
            <legend>{t!("controls-direction")}</legend>
            <div class="options">{Direction::ALL.map(radio).into_iter().collect_view()}</div>
        </fieldset>
    }
}

/// A drop-down of one-of-few, by name.
fn chooser<T: Copy + PartialEq + Send + Sync + 'static, const N: usize>(
    id: &'static str,
    title: String,
    field: Option<Field>,
    options: [(&'static str, String, T); N],
    chosen: RwSignal<T>,
) -> impl IntoView {
    let state = expect_context::<State>();
    let names = options.each_ref().map(|(name, _, one)| (*name, *one));
    let value = move || {
        let now = chosen.get();
        names.iter().find(|(_, one)| *one == now).map_or("", |(name, _)| *name)
    };
    let choose = move |event| {
        let wanted = event_target_value(&event);
        if let Some((_, one)) = names.iter().find(|(name, _)| *name == wanted) {
            chosen.set(*one);
        }
    };
    let option = |(name, title, _): (&'static str, String, T)| {
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
    let options = Metric::ALL.map(|metric| (metric.name(), metric_title(metric), metric));
    chooser("metric", t!("controls-metric"), Some(Field::Metric), options, state.metric)
}

fn metric_title(metric: Metric) -> String {
    match metric {
        Metric::LogitDiff => t!("metric-title-logit-diff"),
        Metric::LogProb => t!("metric-title-log-prob"),
        Metric::ProbDiff => t!("metric-title-prob-diff"),
        Metric::Kl => t!("metric-title-kl"),
    }
}

#[component]
fn NormaliseSwitch() -> impl IntoView {
    let state = expect_context::<State>();
    view! {
        <fieldset>
            <legend>{t!("controls-scores")}</legend>
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
                    {t!("controls-normalised")}
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
        let replace = match state.replace.get() {
            Replace::Source => None,
            Replace::Zero => Some(t!("controls-unusual-zero-ablation")),
            Replace::Mean => Some(t!("controls-unusual-mean-ablation")),
        };
        let chosen = state.choice.get();
        let executor = executors().into_iter().find(|(_, _, choice)| *choice == chosen);
        let executor = executor.filter(|(name, ..)| *name != "auto").map(|(_, title, _)| title);
        let all: Vec<String> = replace.into_iter().chain(executor).collect();
        if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
    };
    let fallback = move || {
        let fallback = state.device().and_then(|device| device.fallback);
        fallback.map(|fallback| {
            view! { <p class="help" id="fallback">{words::fallback(&fallback)}</p> }
        })
    };
    let options = Replace::ALL.map(|replace| (replace.name(), words::replace(replace).0, replace));
    view! {
        <details class="more" id="more" prop:open=shown on:toggle=toggled>
            <summary>{t!("controls-more")} {unusual}</summary>
            <div class="controls">
                {chooser("replace", t!("controls-put-in-its-place"), Some(Field::Replace), options, state.replace)}
                {chooser("executor", t!("controls-compute-on"), None, executors(), state.choice)}
                {fallback}
            </div>
        </details>
    }
}

/// The executors, by the words of the choice.
fn executors() -> [(&'static str, String, Choice); 4] {
    [
        ("auto", t!("executor-auto"), Choice::Auto),
        ("gpu", t!("executor-gpu"), Choice::Gpu),
        ("cpu", t!("executor-cpu"), Choice::Cpu),
        ("reference", t!("executor-reference"), Choice::Reference),
    ]
}
