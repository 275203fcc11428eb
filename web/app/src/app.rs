//! The page as a whole.

use leptos::prelude::*;

use crate::lessons;
use crate::locale;
use crate::offline::Offline;
use crate::printer::Printer;
use crate::session::Session;
use crate::state::{Activity, State};
use crate::tour;
use crate::views::{
    Answer, FailureNotice, Footer, Header, LessonPanel, NewVersion, Notice, Question, TourPanel,
};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    locale::speak(locale::choice::wanted());
    let state = State::new();
    let session = Session::start(state);
    provide_context(state);
    provide_context(session);
    provide_context(Printer::new());
    provide_context(Offline::start(state));
    // A figure that is dropped anywhere is opened.
    let drop = move |event: web_sys::DragEvent| {
        event.prevent_default();
        let files = event.data_transfer().and_then(|transfer| transfer.files());
        if let Some(file) = files.and_then(|files| files.get(0)) {
            leptos::task::spawn_local(session.open_file(file));
        }
    };
    let phase = move || match state.activity.get() {
        _ if state.failure.with(Option::is_some) => "error",
        Activity::Starting => "loading",
        Activity::NoModel => "idle",
        Activity::Busy { .. } if state.loaded.with(Option::is_none) => "loading",
        Activity::Busy { .. } => "running",
        Activity::Idle => "ready",
    };
    // Words are taken when something is drawn, so another language draws everything again.
    let everything = move || {
        let language = state.language.get();
        locale::speak(language);
        locale::choice::declare(language);
        view! {
            <Header />
            <NewVersion />
            <Notice />
            <FailureNotice />
            <TourPanel />
            <main>
                <LessonPanel />
                <Question />
                <Answer />
            </main>
            <Footer />
        }
    };
    view! {
        <div
            id="app"
            data-state=phase
            data-tour=move || tour::at(state)
            class:concealed=move || lessons::concealed(state)
            on:dragover=|event: web_sys::DragEvent| event.prevent_default()
            on:drop=drop
            class:swapped=move || state.look.swapped.get()
        >
            {everything}
        </div>
    }
}
