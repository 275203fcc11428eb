//! The page as a whole.

use leptos::prelude::*;

use crate::lessons;
use crate::locale;
use crate::offline::Offline;
use crate::session::Session;
use crate::state::{Activity, State};
use crate::tour;
use crate::views::{
    Answer, FailureNotice, Footer, Header, LessonPanel, NewVersion, Question, TourPanel,
};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    locale::speak(locale::choice::wanted());
    let state = State::new();
    let session = Session::start(state);
    provide_context(state);
    provide_context(session);
    provide_context(Offline::start(state));
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
            class:swapped=move || state.look.swapped.get()
        >
            {everything}
        </div>
    }
}
