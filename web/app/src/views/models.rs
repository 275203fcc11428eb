//! The choice of a model: what there is, what it would take, and what this browser keeps.

use leptos::prelude::*;
use relp_hub::KNOWN;
use relp_model::Precision;
use relp_protocol::StoredModel;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DragEvent, HtmlInputElement};

use super::explain::Explain;
use crate::dropped::Dropped;
use crate::locale::t;
use crate::models::{self, Wanted};
use crate::session::Session;
use crate::state::{Activity, State};
use crate::words;

/// Opens below the name of the model in use.
#[component]
pub fn Models() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let models = state.models;
    let open = RwSignal::new(false);
    let look = move || {
        if open.get_untracked() {
            session.look_at_models();
        }
    };
    // What a model takes depends on all of these.
    Effect::watch(
        move || {
            (models.wanted.get(), models.other.get(), models.precision.get(), state.choice.get())
        },
        move |_, _, _| look(),
        false,
    );
    // What was loaded is kept from now on.
    Effect::watch(move || state.loaded.get().map(|l| l.model.name), move |_, _, _| look(), false);
    let toggle = move |event: leptos::ev::Event| {
        let details = event_target::<web_sys::HtmlDetailsElement>(&event);
        open.set(details.open());
        look();
    };
    let load = move |_| {
        if let Some(source) = untrack(|| models.source()) {
            if untrack(|| state.linked_model.get()).is_some() {
                // It says that the link's model is not the loaded one.
                state.linked_model.set(None);
                state.notice.set(None);
            }
            session.load_model(source);
        }
    };
    // A worker that is not ready hears nothing yet.
    let cannot_load =
        move || state.activity.get() == Activity::Starting || models.source().is_none();
    let too_large = move || models.preflight.with(|found| found.as_ref().is_some_and(|p| !p.fits));
    view! {
        <details class="models" on:toggle=toggle>
            <summary id="models">{t!("models-choose-one")}</summary>
            <div class="panel" on:dragover=|event: DragEvent| event.prevent_default() on:drop=move |event| drop_files(session, models, &event)>
                <div class="row">
                    <label class="grow">
                        <span class="name">{t!("models-model")}</span>
                        <select
                            id="model"
                            on:change=move |event| {
                                let at = event_target_value(&event).parse().unwrap_or(0);
                                models.wanted.set(Wanted::all().nth(at).unwrap_or_default());
                            }
                        >
                            {Wanted::all()
                                .enumerate()
                                .map(|(at, wanted)| {
                                    let chosen = move || models.wanted.get() == wanted;
                                    let title = move || models.title(wanted);
                                    view! { <option value=at.to_string() selected=chosen>{title}</option> }
                                })
                                .collect_view()}
                        </select>
                    </label>
                    <label>
                        <span class="name">{t!("models-weights")}</span>
                        <select
                            id="precision"
                            on:change=move |event| {
                                let name = event_target_value(&event);
                                models.precision.set(name.parse().unwrap_or_default());
                            }
                        >
                            {Precision::ALL
                                .map(|precision| {
                                    let title = match precision {
                                        Precision::F32 => t!("models-32-bits"),
                                        Precision::F16 => t!("models-16-bits"),
                                    };
                                    let chosen = move || models.precision.get() == precision;
                                    view! { <option value=precision.name() selected=chosen>{title}</option> }
                                })
                                .collect_view()}
                        </select>
                    </label>
                    <button
                        type="button"
                        id="load-model"
                        disabled=move || cannot_load() || too_large()
                        on:click=load
                    >
                        {t!("models-load")}
                    </button>
                    <Explain text=t!("about-models") at="models" />
                </div>
                {move || match models.wanted.get() {
                    Wanted::Bundled => None,
                    Wanted::Files => Some(view! { <OwnFiles /> }.into_any()),
                    Wanted::Known(_) | Wanted::Other => Some(view! { <FromHub /> }.into_any()),
                }}
                <p class="preflight" id="preflight" aria-live="polite">
                    {move || models.preflight.get().map(|found| found.words)}
                </p>
                <div role="alert" id="model-problem">
                    {move || models.problem.get().map(|text| view! { <p class="problem">{text}</p> })}
                </div>
                {move || {
                    let instead = models.preflight.with(|found| found.as_ref()?.instead.clone())?;
                    let at = KNOWN.iter().position(|known| known.repo == instead)?;
                    let title = KNOWN.get(at)?.title;
                    let choose = move |_| models.wanted.set(Wanted::Known(at));
                    Some(view! {
                        <button type="button" id="instead" on:click=choose>{t!("models-choose", title = title)}</button>
                    })
                }}
                <Kept />
            </div>
        </details>
    }
}

/// Which hub, and of another model its name.
#[component]
fn FromHub() -> impl IntoView {
    let state = expect_context::<State>();
    let models = state.models;
    let is_other = move || models.wanted.get() == Wanted::Other;
    view! {
        <div class="row">
            {move || is_other().then(|| view! {
                <label class="grow">
                    <span class="name">{t!("models-name-on-hub")}</span>
                    <input
                        id="other-model"
                        class="target"
                        placeholder=t!("models-owner-name")
                        autocomplete="off"
                        spellcheck="false"
                        list="models-here"
                        prop:value=move || models.other.get()
                        on:change=move |event| models.other.set(event_target_value(&event))
                    />
                    // Those of the page's own server that have no entry of their own.
                    <datalist id="models-here">
                        {move || {
                            let mut here = models.here.get();
                            here.retain(|repo| KNOWN.iter().all(|known| known.repo != repo.as_str()));
                            here.into_iter().map(|repo| view! { <option value=repo.to_string()></option> }).collect_view()
                        }}
                    </datalist>
                </label>
            })}
            <label class="grow">
                <span class="name">{t!("models-mirrors")}</span>
                <input
                    id="mirrors"
                    class="target"
                    placeholder="https://huggingface.co"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || models.mirrors.get()
                    on:change=move |event| models.mirrors.set(event_target_value(&event))
                />
            </label>
        </div>
    }
}

/// A folder, or the three files.
#[component]
fn OwnFiles() -> impl IntoView {
    let session = expect_context::<Session>();
    let choose = move |event: leptos::ev::Event| {
        let input = event_target::<HtmlInputElement>(&event);
        if let Some(files) = input.files().filter(|files| files.length() > 0) {
            session.load_files(js_sys::Array::from(files.as_ref()).into());
        }
        // So that the same files can be chosen again.
        input.set_value("");
    };
    view! {
        <div class="row">
            <label class="file">
                <span class="name">{t!("models-folder")}</span>
                <input type="file" id="model-folder" prop:webkitdirectory=true on:change=choose />
            </label>
            <label class="file">
                <span class="name">{t!("models-three-files")}</span>
                <input type="file" id="model-files" multiple="" on:change=choose />
            </label>
        </div>
        <p class="help">{t!("models-files-help")}</p>
    }
}

/// What this browser keeps.
#[component]
fn Kept() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let row = move |model: StoredModel| {
        let StoredModel { repo, title, bytes, complete } = model;
        let bytes = words::bytes(bytes as u64);
        let what = if complete {
            t!("models-kept", title = title.as_str(), bytes = bytes)
        } else {
            t!("models-kept-in-part", title = title.as_str(), bytes = bytes)
        };
        let label = t!("models-remove-one", title = title);
        view! {
            <li>
                <span class="grow">{what}</span>
                <button type="button" aria-label=label on:click=move |_| session.remove_model(repo.clone())>
                    {t!("models-remove")}
                </button>
            </li>
        }
    };
    move || {
        let stored = state.models.stored.get()?;
        let sentence = models::keeping(&stored);
        let list = (!stored.models.is_empty()).then(|| {
            view! {
                <ul class="kept" id="kept">{stored.models.into_iter().map(row).collect_view()}</ul>
            }
        });
        Some(view! {
            <div class="keeping">
                <p class="help" id="keeping">{sentence}</p>
                {list}
            </div>
        })
    }
}

fn drop_files(session: Session, models: models::Models, event: &DragEvent) {
    event.prevent_default();
    // What is dropped here is a model, not a figure.
    event.stop_propagation();
    let Some(dropped) = event.data_transfer().map(|data| Dropped::of(&data)) else { return };
    spawn_local(async move {
        match dropped.files().await {
            Ok(files) if files.length() > 0 => session.load_files(files.into()),
            Ok(_) => {}
            Err(_) => models.problem.set(Some(t!("unreadable-folder"))),
        }
    });
}
