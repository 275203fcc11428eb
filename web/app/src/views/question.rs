//! The pair: prompts, answer and foil, and the switches beside them.

use leptos::prelude::*;
use relp_model::{Field, Prompt};

use super::controls::Controls;
use super::explain::Explain;
use super::notices::{Notices, is_at_fault, problem_id};
use super::tasks::{TaskOfExample, Tasks, mark};
use super::token_edit::TokenEdit;
use super::tokens::Tokens;
use crate::alternatives;
use crate::examples::{EXAMPLES, TASKS};
use crate::locale::t;
use crate::state::State;
use crate::words;

#[component]
pub fn Question() -> impl IntoView {
    let state = expect_context::<State>();
    let swap = move |_| {
        state.example.set(None);
        state.pair.update(|pair| {
            std::mem::swap(&mut pair.clean, &mut pair.corrupted);
            std::mem::swap(&mut pair.answers, &mut pair.foils);
        });
    };
    let about = move || {
        let example = state.example.get().and_then(|index| EXAMPLES.get(index));
        example.map(|example| t!(&format!("pair-{}", example.id)))
    };
    view! {
        <section class="question" aria-labelledby="question-title">
            <h2 id="question-title" class="visually-hidden">{t!("question-title")}</h2>
            <div class="pair">
                <ExampleChooser />
                <p class="about" id="about">{about}</p>
                <TaskOfExample />
                <Tasks />
                <div class="row">
                    <button type="button" id="swap" on:click=swap title=t!("question-swap-help")>{t!("question-swap")}</button>
                    <label class="switch">
                        <input
                            type="checkbox"
                            id="bos"
                            prop:checked=move || state.pair.with(|pair| pair.bos)
                            on:change=move |event| {
                                state.pair.update(|pair| pair.bos = event_target_checked(&event));
                            }
                        />
                        <span title=t!("question-bos-help")>"BOS"</span>
                    </label>
                    <BatchSwitch />
                </div>
                <div class="prompts">
                    <PromptField prompt=Prompt::Clean />
                    <PromptField prompt=Prompt::Corrupted />
                    <TargetField field=Field::Answer />
                    <TargetField field=Field::Foil />
                </div>
            </div>
            <Controls />
            <Explain text=t!("about-question") at="question" />
        </section>
    }
}

#[component]
fn ExampleChooser() -> impl IntoView {
    let state = expect_context::<State>();
    let choose = move |event| {
        if let Ok(index) = event_target_value(&event).parse() {
            state.choose_example(index);
        }
    };
    let option = move |index: usize| {
        let text = EXAMPLES.get(index).map(|example| words::shortened(example.clean.trim(), 80));
        let chosen = move || state.example.get() == Some(index);
        let sign = move || state.surveys.with(|surveys| surveys.get(index).map_or("", mark));
        view! { <option value=index.to_string() selected=chosen>{sign} {text}</option> }
    };
    let groups = TASKS.iter().map(|task| {
        let title = t!(&format!("task-{}", task.id));
        view! { <optgroup label=title>{task.pairs().into_iter().map(option).collect_view()}</optgroup> }
    });
    view! {
        <label class="grow">
            <span class="name">{t!("question-example")}</span>
            <select
                id="example"
                on:change=choose
                prop:value=move || state.example.get().map_or("own".to_owned(), |i| i.to_string())
            >
                <option value="own" disabled=true>{t!("question-own-pair")}</option>
                {groups.collect_view()}
            </select>
        </label>
    }
}

/// Whether the mean over the task's pairs is wanted; there only where it has several of one length.
#[component]
fn BatchSwitch() -> impl IntoView {
    let state = expect_context::<State>();
    let count = Memo::new(move |_| state.mates().len());
    move || {
        let count = count.get();
        (count > 1).then(|| {
            view! {
                <label class="switch">
                    <input
                        type="checkbox"
                        id="batch"
                        prop:checked=move || state.batch.get()
                        on:change=move |event| state.batch.set(event_target_checked(&event))
                    />
                    {t!("question-mean-over-pairs", count = count)}
                </label>
            }
        })
    }
}

#[component]
fn PromptField(prompt: Prompt) -> impl IntoView {
    let state = expect_context::<State>();
    let (id, field, name, help) = match prompt {
        Prompt::Clean => ("clean", Field::Clean, t!("question-clean"), t!("clean-help")),
        Prompt::Corrupted => {
            ("corrupted", Field::Corrupted, t!("question-corrupted"), t!("corrupted-help"))
        }
    };
    let text = move || {
        state.pair.with(|pair| match prompt {
            Prompt::Clean => pair.clean.clone(),
            Prompt::Corrupted => pair.corrupted.clone(),
        })
    };
    let edit = move |event| {
        // A prompt is one line of text; pasted line ends stay, as tokens.
        let text = event_target_value(&event);
        state.example.set(None);
        state.pair.update(|pair| match prompt {
            Prompt::Clean => pair.clean = text,
            Prompt::Corrupted => pair.corrupted = text,
        });
    };
    view! {
        <div class="field">
            <label for=id class="name" title=help>{name}</label>
            <textarea
                id=id
                rows="1"
                spellcheck="false"
                autocomplete="off"
                aria-describedby=problem_id(field)
                aria-invalid=move || is_at_fault(state, field).to_string()
                prop:value=text
                on:input=edit
            ></textarea>
            <Tokens prompt />
            <TokenEdit prompt />
            <Notices field />
        </div>
    }
}

#[component]
fn TargetField(field: Field) -> impl IntoView {
    let state = expect_context::<State>();
    let (id, name, help) = match field {
        Field::Foil => ("foil", t!("question-foil"), t!("foil-help")),
        _ => ("answer", t!("question-answer"), t!("answer-help")),
    };
    let text = move || {
        state.pair.with(|pair| match field {
            Field::Foil => alternatives::join(&pair.foils),
            _ => alternatives::join(&pair.answers),
        })
    };
    let edit = move |event| {
        let texts = alternatives::split(&event_target_value(&event));
        state.example.set(None);
        state.pair.update(|pair| match field {
            Field::Foil => pair.foils = texts,
            _ => pair.answers = texts,
        });
    };
    view! {
        <div class="field">
            <label for=id class="name" title=help>{name}</label>
            <input
                id=id
                class="target"
                spellcheck="false"
                autocomplete="off"
                aria-describedby=problem_id(field)
                aria-invalid=move || is_at_fault(state, field).to_string()
                prop:value=text
                on:input=edit
            />
            <Notices field />
        </div>
    }
}
