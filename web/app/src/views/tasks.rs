//! The built-in tasks, and how the loaded model does on them.

use leptos::prelude::*;
use relp_model::Metric;

use super::explain::Explain;
use crate::examples::{EXAMPLES, Success, Surveyed, TASKS, Task, Verdict};
use crate::labels;
use crate::locale::t;
use crate::session::Session;
use crate::state::State;
use crate::words;

/// A sign before a pair's text in the list of examples: of those that the model fails at, or cannot be asked.
pub fn mark(surveyed: &Surveyed) -> &'static str {
    match surveyed {
        Surveyed::Here(survey) if !survey.is_right() => "✗ ",
        Surveyed::NotAskable => "– ",
        Surveyed::Unknown | Surveyed::Here(_) => "",
    }
}

/// How the loaded model does on the task of the chosen example.
#[component]
pub fn TaskOfExample() -> impl IntoView {
    let state = expect_context::<State>();
    let content = move || {
        let example = state.example.get().and_then(|index| EXAMPLES.get(index))?;
        let task = TASKS.iter().find(|task| task.task == example.task)?;
        let success = success(state, task);
        let text = measured(success, example.metric, &model(state))?;
        let failing = matches!(success.verdict(), Verdict::Fails | Verdict::NotAskable);
        Some(view! {
            <p class="measured" id="measured" class:failing=failing data-verdict=name(success.verdict())>
                {text}
            </p>
        })
    };
    view! { {content} }
}

/// All tasks; opening the list measures those that nobody has measured yet.
#[component]
pub fn Tasks() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let toggle = move |event: leptos::ev::Event| {
        let open = event_target::<web_sys::HtmlDetailsElement>(&event).open();
        state.tasks_open.set(open);
        session.survey();
    };
    let list = move || {
        let task = |task: &'static Task| view_task(state, task);
        state.tasks_open.get().then(|| {
            view! {
                <Explain text=t!("about-tasks") at="tasks" />
                <ul class="tasks">{TASKS.iter().map(task).collect_view()}</ul>
            }
        })
    };
    view! {
        <details id="tasks" on:toggle=toggle>
            <summary>{t!("tasks")}</summary>
            {list}
        </details>
    }
}

fn view_task(state: State, task: &'static Task) -> impl IntoView {
    let verdict = Memo::new(move |_| success(state, task).verdict());
    let metric = task.pairs().first().and_then(|&index| EXAMPLES.get(index));
    let metric = metric.map_or(Metric::LogitDiff, |example| example.metric);
    let found = move || measured(success(state, task), metric, &model(state));
    let pair = move |index: usize| {
        let example = EXAMPLES.get(index)?;
        let here = move || (state.example.get() == Some(index)).to_string();
        let sign = move || state.surveys.with(|all| all.get(index).map_or("", mark));
        Some(view! {
            <li>
                <button
                    type="button"
                    class="pair-button"
                    data-pair=example.id.clone()
                    aria-pressed=here
                    title=t!(&format!("pair-{}", example.id))
                    on:click=move |_| state.choose_example(index)
                >
                    {sign}
                    {words::shortened(example.clean.trim(), 60)}
                </button>
            </li>
        })
    };
    view! {
        <li data-task=task.id.clone() data-verdict=move || name(verdict.get())>
            <h3>
                {t!(&format!("task-{}", task.id))}
                <span class="verdict">{move || verdict_words(verdict.get())}</span>
            </h3>
            <p>{t!(&format!("task-{}-about", task.id))}</p>
            <p class="help">{found}</p>
            <ul class="pairs">{task.pairs().into_iter().map(pair).collect_view()}</ul>
            <p class="help">{t!("task-source-is", source = task.source.as_str())}</p>
        </li>
    }
}

fn success(state: State, task: &Task) -> Success {
    state
        .surveys
        .with(|all| Success::of(task.pairs().into_iter().filter_map(|index| all.get(index))))
}

fn model(state: State) -> String {
    state
        .loaded
        .with(|loaded| loaded.as_ref().map(|loaded| loaded.model.name.clone()))
        .unwrap_or_default()
}

/// What was measured, in a sentence; `None` before anything was.
fn measured(success: Success, metric: Metric, model: &str) -> Option<String> {
    let sentence = match success.verdict() {
        Verdict::Unknown => return None,
        Verdict::NotAskable => t!("task-not-askable", model = model),
        verdict => {
            let numbers = t!(
                "task-measured",
                model = model,
                right = success.right,
                of = success.of,
                clean = labels::score(success.clean),
                corrupted = labels::score(success.corrupted),
                unit = words::unit(metric),
            );
            if verdict == Verdict::Fails {
                format!("{numbers} {}", t!("task-explains-mistakes"))
            } else {
                numbers
            }
        }
    };
    Some(sentence)
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::Does => "does",
        Verdict::Mixed => "mixed",
        Verdict::Fails => "fails",
        Verdict::NotAskable => "not-askable",
    }
}

fn verdict_words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Unknown => "…".to_owned(),
        Verdict::Does => t!("task-does"),
        Verdict::Mixed => t!("task-in-part"),
        Verdict::Fails => t!("task-fails"),
        Verdict::NotAskable => t!("task-no-vocabulary"),
    }
}
