//! One attention pattern: queries downward, keys to the right.

use leptos::prelude::*;
use relp_model::Token;

use crate::geometry::Square;
use crate::labels;
use crate::locale::{self, t};
use crate::scale::Scale;
use crate::words;

/// What the colours mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// A share, 0 to 1.
    Share,
    /// A difference of shares, on the diverging scale.
    Difference,
}

/// The pattern, its axes, and the same as a table.
pub fn attention(
    title: String,
    id: &'static str,
    tokens: &[Token],
    values: Vec<f32>,
    colours: Colours,
) -> impl IntoView + use<> {
    let count = tokens.len();
    let longest = tokens.iter().map(|token| labels::axis(&token.text).chars().count()).max();
    let square = Square::new(count, longest.unwrap_or(0));
    let scale = Scale::of(&values);
    let fill = move |value: f32| match colours {
        Colours::Share => format!(
            "fill: color-mix(in oklab, var(--share) {:.1}%, var(--zero))",
            100.0 * value.clamp(0.0, 1.0)
        ),
        Colours::Difference => format!("fill: {}", scale.css(value)),
    };
    let number = move |value: f32| match colours {
        Colours::Share => locale::number(&format!("{value:.3}")),
        Colours::Difference => labels::score(f64::from(value)),
    };
    let range = match colours {
        Colours::Share => t!("attention-range"),
        Colours::Difference => locale::number(&format!("±{:.3}", scale.limit)),
    };
    // A query looks at no later key.
    let places = (0..count).flat_map(|query| (0..=query).map(move |key| (query, key)));
    let cells: Vec<_> = places
        .filter_map(|(query, key)| {
            let value = *values.get(query * count + key)?;
            Some(view! {
                <rect
                    x=square.x(key)
                    y=square.y(query)
                    width=square.cell
                    height=square.cell
                    style=fill(value)
                    data-query=query.to_string()
                    data-key=key.to_string()
                    data-value=value.to_string()
                />
            })
        })
        .collect();
    let here = RwSignal::new(None::<(usize, usize)>);
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let to = match here.get_untracked() {
            Some(from) => square.neighbour(from, &event.key()),
            None => square.neighbour((0, 0), &event.key()).map(|_| (0, 0)),
        };
        if let Some(to) = to {
            event.prevent_default();
            here.set(Some(to));
        }
    };
    // One listener for all cells, of which there may be thousands.
    let on_pointer = move |event: leptos::ev::PointerEvent| {
        let cell = event_target::<web_sys::Element>(&event);
        let at = |name| cell.get_attribute(name).and_then(|text| text.parse().ok());
        here.set(at("data-query").zip(at("data-key")));
    };
    let summary = words::attention_summary(&title, tokens, &values);
    let names: Vec<String> = tokens.iter().map(|token| labels::visible(&token.text)).collect();
    let label = summary.clone();
    let (listed, shown) = (values.clone(), names.clone());
    let readout = move || match here.get() {
        Some((query, key)) => {
            let value = listed.get(query * count + key).copied().unwrap_or_default();
            let name = |at: usize| shown.get(at).cloned().unwrap_or_default();
            t!(
                "attention-readout",
                query = query,
                from = name(query),
                key = key,
                to = name(key),
                value = number(value),
            )
        }
        None => summary.clone(),
    };
    let axis = tokens.iter().enumerate().filter(|(at, _)| at.is_multiple_of(square.step()));
    let axis = axis.map(|(at, token)| {
        let text = labels::axis(&token.text);
        let (x, y) = (square.x(at) + square.cell / 2.0, square.floor() + 9.0);
        let middle = square.y(at) + square.cell / 2.0;
        view! {
            <text x=x y=y transform=format!("rotate(-55 {x} {y})") class="token">{text.clone()}</text>
            <text x=square.x(0) - 5.0 y=middle class="layer">{text}</text>
        }
    });
    let axis = axis.collect_view();
    let frame = move || {
        let (query, key) = here.get()?;
        Some(view! {
            <rect class="here" x=square.x(key) y=square.y(query) width=square.cell height=square.cell />
        })
    };
    let open = RwSignal::new(false);
    let table = move || {
        let head = names.iter().map(|name| view! { <th scope="col">{name.clone()}</th> });
        let row = |(query, name): (usize, &String)| {
            let cells = values.get(query * count..=query * count + query).unwrap_or_default();
            let cells = cells.iter().map(|&value| view! { <td>{number(value)}</td> });
            view! { <tr><th scope="row">{name.clone()}</th>{cells.collect_view()}</tr> }
        };
        open.get().then(|| {
            view! {
                <table>
                    <thead><tr><th scope="col">{t!("attention-query")}</th>{head.collect_view()}</tr></thead>
                    <tbody>{names.iter().enumerate().map(row).collect_view()}</tbody>
                </table>
            }
        })
    };
    let as_a_table = t!("attention-as-a-table", title = title.as_str());
    view! {
        <figure class="attention" data-run=id>
            <h3>{title} <span class="what">{range}</span></h3>
            <div class="scroll">
                <svg
                    width=square.width()
                    height=square.height()
                    viewBox=format!("0 0 {} {}", square.width(), square.height())
                    tabindex="0"
                    role="img"
                    aria-label=label
                    on:keydown=on_key
                    on:pointermove=on_pointer
                    on:pointerleave=move |_| here.set(None)
                >
                    <g class="cells">{cells}</g>
                    <g class="axes" aria-hidden="true">{axis}</g>
                    {frame}
                </svg>
            </div>
            <p class="help" aria-live="polite">{readout}</p>
            <details on:toggle=move |_| open.set(true)>
                <summary>{t!("as-a-table")}</summary>
                <div class="scroll" tabindex="0" role="region" aria-label=as_a_table>{table}</div>
            </details>
        </figure>
    }
}
