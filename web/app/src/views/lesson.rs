//! A lesson, step by step, and the list of lessons.

use leptos::html;
use leptos::prelude::*;

use crate::lessons::{self, Deed, Kind, Lesson, Told, outcome};
use crate::locale::{self, t};
use crate::session::Session;
use crate::state::State;
use crate::tour;

fn say(name: &str) -> String {
    locale::text(name, [])
}

/// The lessons, and the tour once more.
#[component]
pub fn LessonMenu() -> impl IntoView {
    let state = expect_context::<State>();
    let menu = NodeRef::<html::Details>::new();
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let lesson = move |(at, lesson): (usize, Lesson)| {
        let begin = move |_| {
            close();
            tour::leave(state);
            lessons::begin(state, lesson);
        };
        view! {
            <li>
                <button type="button" id=format!("lesson-{}", lesson.name()) on:click=begin>
                    {format!("{}. {}", at + 1, say(lesson.title()))}
                </button>
            </li>
        }
    };
    let tour = move |_| {
        close();
        lessons::leave(state);
        tour::begin(state);
    };
    view! {
        <details class="menu" id="lessons" node_ref=menu>
            <summary>{t!("lessons")}</summary>
            <div class="menu-list">
                <p class="help">{t!("lessons-about")}</p>
                <ol>{Lesson::ALL.into_iter().enumerate().map(lesson).collect_view()}</ol>
                <button type="button" id="tour-again" on:click=tour>{t!("tour-again")}</button>
            </div>
        </details>
    }
}

/// The lesson that is going on, if one is.
#[component]
pub fn LessonPanel() -> impl IntoView {
    let state = expect_context::<State>();
    lessons::watch(state);
    let course = state.course;
    let current = Memo::new(move |_| course.at.get());
    move || {
        let (lesson, at) = current.get()?;
        Some(view_step(state, lesson, at))
    }
}

fn view_step(state: State, lesson: Lesson, at: usize) -> Option<impl IntoView> {
    let course = state.course;
    let steps = lesson.steps();
    let step = steps.get(at)?;
    let heading = NodeRef::<html::H2>::new();
    // Whoever goes on by keyboard or by ear is at the new step, not where the old one's button was.
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            let _there = heading.focus();
        }
    });
    let content = match step.kind {
        Kind::Say => ().into_any(),
        Kind::Predict { options, at_once } => {
            view_prediction(state, lesson, at, options, at_once).into_any()
        }
        Kind::Do(deed) => view_deed(state, deed).into_any(),
        Kind::Tell(of) => view_outcome(state, lesson, at, of).into_any(),
    };
    let may_go_on = Memo::new(move |_| match step.kind {
        Kind::Predict { .. } => course.is_revealed(at),
        Kind::Do(deed) => lessons::is_done(state, deed),
        Kind::Say | Kind::Tell(_) => true,
    });
    let is_last = at + 1 == steps.len();
    let next = move |_| {
        if is_last {
            lessons::leave(state);
        } else {
            lessons::go(state, lesson, at + 1);
        }
    };
    Some(view! {
        <section class="lesson" id="lesson" data-lesson=lesson.name() data-step=at.to_string() aria-labelledby="lesson-title">
            <div class="row">
                <h2 id="lesson-title" tabindex="-1" node_ref=heading>{say(lesson.title())}</h2>
                <span class="help">{t!("lesson-step", step = at + 1, of = steps.len())}</span>
                <button type="button" id="lesson-leave" class="link" on:click=move |_| lessons::leave(state)>
                    {t!("lesson-leave")}
                </button>
            </div>
            <p class="lesson-text">{say(step.text)}</p>
            <div class="lesson-content">{content}</div>
            <div class="row">
                <button
                    type="button"
                    id="lesson-back"
                    disabled={at == 0}
                    on:click=move |_| lessons::go(state, lesson, at.saturating_sub(1))
                >
                    {t!("lesson-back")}
                </button>
                <button type="button" id="lesson-next" class="main" disabled=move || !may_go_on.get() on:click=next>
                    {if is_last { t!("lesson-finish") } else { t!("lesson-next") }}
                </button>
            </div>
        </section>
    })
}

/// Options to choose from, and what comes of them.
fn view_prediction(
    state: State,
    lesson: Lesson,
    at: usize,
    options: &'static [&'static str],
    at_once: bool,
) -> impl IntoView {
    let course = state.course;
    let option = move |(index, text): (usize, &'static str)| {
        let choose = move |_| {
            course.chosen.update(|chosen| {
                if let Some(chosen) = chosen.get_mut(at) {
                    *chosen = Some(index);
                }
            });
        };
        view! {
            <label class="switch">
                <input
                    type="radio"
                    name="prediction"
                    id=format!("lesson-option-{index}")
                    prop:checked=move || course.chosen_in(at) == Some(index)
                    disabled=move || course.is_revealed(at)
                    on:change=choose
                />
                <span>{say(text)}</span>
            </label>
        }
    };
    let reveal = move |_| course.revealed.update(|revealed| revealed.push(at));
    let after = move || {
        course.is_revealed(at).then(|| {
            if at_once {
                view_outcome(state, lesson, at, at).into_any()
            } else {
                view! { <p class="help" id="lesson-kept">{t!("lesson-kept")}</p> }.into_any()
            }
        })
    };
    view! {
        <fieldset class="prediction">
            <legend>{t!("lesson-predict")}</legend>
            {options.iter().copied().enumerate().map(option).collect_view()}
            <button
                type="button"
                id="lesson-reveal"
                disabled=move || course.chosen_in(at).is_none() || course.is_revealed(at)
                on:click=reveal
            >
                {if at_once { t!("lesson-reveal") } else { t!("lesson-keep") }}
            </button>
        </fieldset>
        <div aria-live="polite">{after}</div>
    }
}

/// What came of the prediction that was made in step `of`, told in step `at`.
fn view_outcome(state: State, lesson: Lesson, at: usize, of: usize) -> impl IntoView {
    let course = state.course;
    let told = Memo::new(move |_| course.seen.with(|seen| outcome(lesson, at, seen)));
    move || match told.get() {
        None => view! { <p class="help" id="lesson-wait">{t!("lesson-wait")}</p> }.into_any(),
        Some(Told { right, words }) => {
            let chosen = course.chosen_in(of);
            let verdict = match (right, chosen) {
                (_, None) => None,
                (right, chosen) if right == chosen => Some(("right", t!("lesson-right"))),
                _ => Some(("wrong", t!("lesson-otherwise"))),
            };
            let (class, verdict) = verdict.unzip();
            view! {
                <p class="outcome" id="lesson-outcome" data-verdict=class>
                    {verdict.map(|verdict| view! { <b>{verdict} " "</b> })}
                    {words}
                </p>
            }
            .into_any()
        }
    }
}

/// Whether what is asked for has been done, and a button that does it.
fn view_deed(state: State, deed: Deed) -> impl IntoView {
    let session = expect_context::<Session>();
    let done = Memo::new(move |_| lessons::is_done(state, deed));
    let help = move |_| session.assist(deed);
    move || {
        if done.get() {
            view! { <p class="outcome" id="lesson-done" data-verdict="right"><b>{t!("lesson-done")}</b></p> }
                .into_any()
        } else {
            view! {
                <p>
                    <button type="button" id="lesson-assist" on:click=help>{t!("lesson-assist")}</button>
                </p>
            }
            .into_any()
        }
    }
}
