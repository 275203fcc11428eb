//! The neurons with the largest scores, layer by layer. They are asked for when the list is opened.

use leptos::prelude::*;
use relp_model::{Figure, Neuron, Site};

use super::explain::Explain;
use crate::comparison;
use crate::known::Known;
use crate::labels;
use crate::locale::t;
use crate::state::State;

#[component]
pub fn Neurons() -> impl IntoView {
    let state = expect_context::<State>();
    let toggled = move |event: leptos::ev::Event| {
        let open = event_target::<web_sys::HtmlDetailsElement>(&event).open();
        if state.neurons.get_untracked() != open {
            state.neurons.set(open);
        }
    };
    let list = move || {
        let shown = state.shown.get().filter(|_| state.neurons.get())?;
        let figure = comparison::of_pair(&shown.figure, state.of_pair.get());
        let known = state.exact.get().known();
        let known = known.map(|known| known.of_pair(state.of_pair.get()));
        Some(match figure.maps.get(&Site::Post) {
            Some(_) => layers(&figure, known.as_ref()).into_any(),
            None => view! { <p class="help">{t!("no-neurons")}</p> }.into_any(),
        })
    };
    view! {
        <details class="neurons" id="neurons" prop:open=move || state.neurons.get() on:toggle=toggled>
            <summary>{t!("neurons-top")}</summary>
            {list}
        </details>
    }
}

fn layers(figure: &Figure, known: Option<&Known>) -> impl IntoView + use<> {
    let listed = comparison::neurons(figure, known);
    let token = |neuron: Neuron| {
        let token = figure.tokens.clean.get(neuron.position);
        token.map(|token| labels::axis(&token.text)).unwrap_or_default()
    };
    let number =
        |score: Option<f32>| score.map_or("–".to_owned(), |x| labels::score(f64::from(x)));
    let row = |(neuron, score, exact): &(Neuron, f32, Option<f32>)| {
        view! {
            <tr data-neuron=neuron.neuron.to_string() data-exact=exact.map(|x| x.to_string())>
                <th scope="row">{neuron.neuron}</th>
                <td class="token">{format!("{} {}", neuron.position, token(*neuron))}</td>
                <td>{number(Some(*score))}</td>
                <td>{number(*exact)}</td>
            </tr>
        }
    };
    let layer = |of_layer: &[(Neuron, f32, Option<f32>)]| {
        let layer = of_layer.first().map_or(0, |(neuron, ..)| neuron.layer);
        view! {
            <table>
                <caption>{t!("neurons-layer", layer = layer)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!("neurons-neuron")}</th>
                        <th scope="col">{t!("neurons-at")}</th>
                        <th scope="col">{figure.method.title()}</th>
                        <th scope="col">{t!("neurons-exact")}</th>
                    </tr>
                </thead>
                <tbody>{of_layer.iter().map(row).collect_view()}</tbody>
            </table>
        }
    };
    let all = listed.chunk_by(|(a, ..), (b, ..)| a.layer == b.layer).map(layer).collect_view();
    view! {
        <p class="help">{t!("neurons-help")}</p>
        <Explain text=t!("about-neurons") at="neurons" />
        <div class="scroll columns" tabindex="0" role="region" aria-label=t!("neurons-top")>{all}</div>
    }
}
