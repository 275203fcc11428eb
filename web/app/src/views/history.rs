//! The figures of this visit, to go back to.

use leptos::prelude::*;

use crate::locale::t;
use crate::session::Session;
use crate::state::State;
use crate::words;

#[component]
pub fn History() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let choose = move |event| {
        if let Ok(number) = event_target_value(&event).parse::<u32>() {
            session.go_back(number);
        }
    };
    move || {
        let earlier = state.history.get();
        // The one that is shown is no way back.
        (earlier.len() > 1).then(|| {
            let option = |(number, figure): &(u32, std::sync::Arc<relp_model::Figure>)| {
                let title = words::figure_title(*number, figure);
                view! { <option value=number.to_string()>{title}</option> }
            };
            let options = earlier.iter().rev().map(option).collect_view();
            view! {
                <label class="small history">
                    <span class="visually-hidden">{t!("history-figures")}</span>
                    <select id="history" on:change=choose prop:value="">
                        <option value="" selected=true>{t!("history-figures")}</option>
                        {options}
                    </select>
                </label>
            }
        })
    }
}
