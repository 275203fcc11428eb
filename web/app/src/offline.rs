//! What the page is made of is kept by its service worker (`assets/sw.js`), so that it opens without a
//! network; and a new version of it is announced, not slipped in.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    MessageEvent, ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration,
    ServiceWorkerState,
};

use crate::state::{Activity, Origin, State};

/// The script, which the build writes beside the page.
const SCRIPT: &str = "sw.js";

/// What is known of the kept page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// It is not kept: not yet, or not here.
    #[default]
    No,
    /// All of it is.
    Whole,
    /// All of it is, and all of a new version too.
    NewVersion,
    /// The new version cannot be used while other tabs are open that began with this one.
    OthersOpen,
}

/// The kept page. Copies are handles to the same one.
#[derive(Clone, Copy)]
pub struct Offline {
    /// What is known of it.
    pub kept: RwSignal<Kept>,
    registration: StoredValue<Option<ServiceWorkerRegistration>, LocalStorage>,
}

impl Offline {
    /// Has the page kept as soon as its first figure is there, so that nobody waits for it.
    pub fn start(state: State) -> Self {
        let offline =
            Self { kept: RwSignal::new(Kept::No), registration: StoredValue::new_local(None) };
        let is_there = Memo::new(move |_| {
            let computed = state.shown.with(|shown| {
                shown.as_ref().is_some_and(|shown| shown.origin != Some(Origin::Beforehand))
            });
            computed && state.activity.get() == Activity::Idle
        });
        let begun = StoredValue::new(false);
        Effect::new(move || {
            if is_there.get() && !begun.get_value() {
                begun.set_value(true);
                // A browser that refuses keeps nothing, and the page is what it is.
                spawn_local(async move { drop(offline.register().await) });
            }
        });
        offline
    }

    /// Has the new version used, which loads the page again, unless other tabs are open.
    pub fn use_new_version(self) {
        let waiting = self.registration.with_value(|found| found.as_ref()?.waiting());
        if let Some(waiting) = waiting {
            // It answers if it must not.
            let _ = waiting.post_message(&"use".into());
        }
    }

    async fn register(self) -> Result<(), JsValue> {
        let container = window().navigator().service_worker();
        // There is none over an insecure connection, nor in some private windows.
        if container.is_undefined() {
            return Ok(());
        }
        self.listen(&container);
        let registration = JsFuture::from(container.register(SCRIPT)).await?;
        let registration: ServiceWorkerRegistration = registration.unchecked_into();
        self.registration.set_value(Some(registration.clone()));
        self.look(&registration);
        let of = registration.clone();
        let found = Closure::<dyn FnMut()>::new(move || self.follow(&of));
        registration.set_onupdatefound(Some(found.as_ref().unchecked_ref()));
        found.forget();
        self.follow(&registration);
        Ok(())
    }

    /// Hears of another version in charge, and of why there is none.
    fn listen(self, container: &ServiceWorkerContainer) {
        let had = container.controller().is_some();
        let changed = Closure::<dyn FnMut()>::new(move || {
            // At the first visit nothing changes hands.
            if had {
                let _ = window().location().reload();
            }
        });
        container.set_oncontrollerchange(Some(changed.as_ref().unchecked_ref()));
        changed.forget();
        let told = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data() == JsValue::from_str("others") {
                self.kept.set(Kept::OthersOpen);
            }
        });
        container.set_onmessage(Some(told.as_ref().unchecked_ref()));
        told.forget();
    }

    /// Waits for a version that is being fetched.
    fn follow(self, registration: &ServiceWorkerRegistration) {
        let Some(coming) = registration.installing() else { return };
        let (of, worker) = (registration.clone(), coming.clone());
        let changed = Closure::<dyn FnMut()>::new(move || {
            let ends = [ServiceWorkerState::Installed, ServiceWorkerState::Activated];
            if ends.contains(&worker.state()) {
                self.look(&of);
            }
        });
        coming.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
        changed.forget();
    }

    fn look(self, registration: &ServiceWorkerRegistration) {
        let is_active = |worker: &ServiceWorker| worker.state() == ServiceWorkerState::Activated;
        self.kept.set(match (registration.waiting(), registration.active()) {
            (Some(_), Some(_)) => Kept::NewVersion,
            (_, Some(active)) if is_active(&active) => Kept::Whole,
            _ => Kept::No,
        });
        // One that is about to be in charge says so.
        if let Some(active) = registration.active().filter(|active| !is_active(active)) {
            let of = registration.clone();
            let changed = Closure::<dyn FnMut()>::new(move || self.look(&of));
            active.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
            changed.forget();
        }
    }
}
