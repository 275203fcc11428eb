//! The address follows what is shown, and what is shown follows the address.

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use relp_hub::KNOWN;
use wasm_bindgen::JsValue;

use super::Session;
use crate::examples::EXAMPLES;
use crate::link::{Broken, Link};
use crate::locale::t;
use crate::models::Wanted;
use crate::state::{State, settle};

/// How long things have to rest before the address follows.
const REST: Duration = Duration::from_millis(250);

impl Session {
    /// Shows what the address says, and from then on keeps the two together.
    pub(super) fn follow_address(self) {
        let state = self.state;
        self.read_address();
        let resting = StoredValue::new(None::<TimeoutHandle>);
        // The address is written only once something changes, so that it stays as it was typed.
        Effect::watch(
            move || link_of(state),
            move |_, _, _| {
                if let Some(resting) = resting.try_update_value(Option::take).flatten() {
                    resting.clear();
                }
                let write = move || self.write_address();
                resting.set_value(set_timeout_with_handle(write, REST).ok());
            },
            false,
        );
        let back = window_event_listener(leptos::ev::popstate, move |_| {
            if untrack(|| link_of(state)).write() != fragment() {
                self.read_address();
            }
        });
        on_cleanup(move || back.remove());
    }

    fn read_address(self) {
        let (link, broken) = Link::read(&fragment());
        let state = self.state;
        let mut said: Vec<String> = broken.iter().map(said_of).collect();
        said.extend(apply(state, &link));
        state.notice.set((!said.is_empty()).then(|| said.join(" ")));
    }

    fn write_address(self) {
        // The history is the page's around it.
        if self.state.embedding.with_value(Option::is_some) {
            return;
        }
        let link = untrack(|| link_of(self.state));
        let written = link.write();
        if written == fragment() {
            return;
        }
        let Ok(history) = window().history() else { return };
        // Another question is a place to come back to; another look at the same is not.
        let (before, _) = Link::read(&fragment());
        let address = if written.is_empty() { ".".to_owned() } else { format!("#{written}") };
        // A browser may refuse when it happens too often; then the next change writes it.
        let _written = if before.asks_the_same(&link) {
            history.replace_state_with_url(&JsValue::NULL, "", Some(&address))
        } else {
            history.push_state_with_url(&JsValue::NULL, "", Some(&address))
        };
    }
}

/// The fragment of the address, without its `#`.
fn fragment() -> String {
    let hash = window().location().hash().unwrap_or_default();
    hash.strip_prefix('#').unwrap_or_default().to_owned()
}

/// What a link of what is shown says.
pub fn link_of(state: State) -> Link {
    let loaded =
        state.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.model.name.clone()));
    let known = loaded.and_then(|name| {
        let known =
            KNOWN.iter().find(|known| known.repo == name || known.aliases.contains(&&*name));
        known.map(|known| known.repo.to_owned()).or_else(|| name.contains('/').then_some(name))
    });
    let example = state.example.get().and_then(|index| EXAMPLES.get(index));
    Link {
        model: state.linked_model.get().or(known),
        example: example.map(|example| example.id.clone()),
        pair: state.pair.get(),
        method: state.method.get(),
        rules: state.rules.get(),
        direction: state.direction.get(),
        replace: state.replace.get(),
        metric: state.metric.get(),
        normalise: state.normalise.get(),
        head_site: state.head_site.get(),
        neurons: state.neurons.get(),
        batch: state.batch.get(),
        scores: state.scores.get(),
        percent: state.look.percent.get(),
        own_scales: state.look.own_scales.get(),
        swapped: state.look.swapped.get(),
        tokens_by: state.look.tokens_by.get(),
        beside: state.look.beside.get(),
        flicker: state.look.flicker.get(),
        pin: state.pin.get(),
        head: state.head.get(),
    }
}

/// Has the page show what a link says, and tells of a model that it names. A model is never fetched by a
/// link: somebody has to want it.
fn apply(state: State, link: &Link) -> Option<String> {
    let example = link.example.as_ref();
    let example = example.and_then(|id| EXAMPLES.iter().position(|example| example.id == *id));
    settle(state.example, example);
    settle(state.pair, link.pair.clone());
    settle(state.method, link.method);
    settle(state.rules, link.rules);
    settle(state.direction, link.direction);
    settle(state.replace, link.replace);
    settle(state.metric, link.metric);
    settle(state.normalise, link.normalise);
    settle(state.head_site, link.head_site);
    settle(state.neurons, link.neurons);
    settle(state.batch, link.batch);
    settle(state.scores, link.scores);
    settle(state.look.percent, link.percent);
    settle(state.look.own_scales, link.own_scales);
    settle(state.look.swapped, link.swapped);
    settle(state.look.tokens_by, link.tokens_by);
    settle(state.look.beside, link.beside);
    settle(state.look.flicker, link.flicker);
    settle(state.pin, link.pin);
    settle(state.head, link.head);
    settle(state.linked_model, None);
    let loaded = untrack(|| link_of(state).model);
    let model = link.model.as_ref().filter(|model| loaded.as_ref() != Some(model))?;
    let at = KNOWN.iter().position(|known| known.repo == *model);
    settle(state.models.wanted, at.map_or(Wanted::Other, Wanted::Known));
    if at.is_none() {
        settle(state.models.other, model.clone());
    }
    settle(state.linked_model, Some(model.clone()));
    Some(t!("link-model", model = model.as_str()))
}

fn said_of(broken: &Broken) -> String {
    match broken {
        Broken::TooLong => t!("link-too-long"),
        Broken::Version => t!("link-version"),
        Broken::Part(name) => t!("link-part", name = name.as_str()),
    }
}
