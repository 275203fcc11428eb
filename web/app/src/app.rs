//! The page as a whole.

use leptos::prelude::*;

use crate::offline::Offline;
use crate::session::Session;
use crate::state::{Activity, State};
use crate::views::{Answer, FailureNotice, Footer, Header, NewVersion, Question};

/// The page.
#[component]
pub fn App() -> impl IntoView {
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
    view! {
        <div id="app" data-state=phase class:swapped=move || state.look.swapped.get()>
            <Header />
            <NewVersion />
            <FailureNotice />
            <main>
                <Question />
                <Answer />
            </main>
            <Footer />
        </div>
    }
}
