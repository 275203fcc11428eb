//! The page as a whole.

use leptos::prelude::*;

use crate::embedding::Embedding;
use crate::here;
use crate::lessons;
use crate::locale;
use crate::offline::Offline;
use crate::printer::Printer;
use crate::session::{self, Session};
use crate::state::{Activity, State};
use crate::tour;
use crate::views::{
    Answer, EmbedBar, FailureNotice, Footer, Header, LessonPanel, NewVersion, Notice, Question,
    TourPanel,
};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    locale::speak(locale::choice::wanted());
    let state = State::new(Embedding::here());
    let session = Session::start(state);
    provide_context(state);
    provide_context(session);
    provide_context(Printer::new());
    let embedding = state.embedding.get_value();
    let is_embedded = embedding.is_some();
    // Other people's pages keep nothing.
    if !is_embedded {
        provide_context(Offline::start(state));
        here::ask(state.models.here);
    }
    let app = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        if let (Some(app), Some(embedding)) = (app.get(), embedding.clone()) {
            session::follow_height(embedding, &app);
        }
    });
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
        if is_embedded {
            return view! {
                <EmbedBar />
                <Notice />
                <FailureNotice />
                <main>
                    <Question />
                    <Answer />
                </main>
            }
            .into_any();
        }
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
        .into_any()
    };
    view! {
        <div
            id="app"
            node_ref=app
            class:embedded=is_embedded
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
