//! How far the figure is from the exact answer: numbers, and a point a cell.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method, Site, SiteAgreement, agreement};

use super::explain::Explain;
use super::grid::look_at;
use crate::comparison::{self, Point};
use crate::known::{Exact, Known};
use crate::labels;
use crate::locale::t;
use crate::session::Session;
use crate::state::State;
use crate::words;

/// Side of the scatter, and its margin, in CSS pixels.
const SIDE: f64 = 164.0;
const MARGIN: f64 = 14.0;

#[component]
pub fn AgreementPanel(figure: Memo<Arc<Figure>>, exact: Memo<Option<Known>>) -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    // The bar moves by itself, so that the rest of the panel is not drawn again with it.
    let phase =
        Memo::new(move |_| match (figure.with(|figure| figure.method), state.exact.get()) {
            (Method::Ap, _) => Phase::IsExact,
            (Method::GradXInput, _) => Phase::Nothing(t!("not-an-estimate")),
            (_, Exact::Here(_)) => Phase::Here,
            (_, Exact::Running(_)) => Phase::Running,
            (_, Exact::Stopped(_)) => state.not_here().map_or(Phase::Stopped, Phase::Nothing),
        });
    let content = move || match phase.get() {
        Phase::IsExact => view! { <p class="help">{t!("is-exact")}</p> }.into_any(),
        Phase::Nothing(why) => view! { <p class="help">{why}</p> }.into_any(),
        Phase::Stopped => view! {
            <p>
                <button type="button" id="check" on:click=move |_| session.check()>
                    {t!("agreement-compute")}
                </button>
            </p>
        }
        .into_any(),
        Phase::Running => {
            let value = move || match state.checked.get() {
                (_, 0) => None,
                (done, _) => Some(done.to_string()),
            };
            view! {
                <div class="checking">
                    <p id="checking">{t!("agreement-computing")}</p>
                    <progress
                        max=move || state.checked.get().1.max(1).to_string()
                        value=value
                        aria-labelledby="checking"
                    ></progress>
                    <button type="button" id="stop-checking" on:click=move |_| session.stop_checking()>
                        {t!("agreement-stop")}
                    </button>
                </div>
            }
            .into_any()
        }
        Phase::Here => ().into_any(),
    };
    let compared = move || {
        let exact =
            exact.get().filter(|_| !matches!(phase.get(), Phase::IsExact | Phase::Nothing(_)))?;
        let figure = figure.get();
        // A part of the cells would tell something else than all of them.
        let rows = (phase.get() == Phase::Here).then(|| agreement(&figure, &exact.figure));
        Some(view! {
            <div class="compared">
                {rows.map(|rows| table(&rows, figure.method))}
                {scatter(state, figure.method, &comparison::points(&figure, &exact, &Site::PAPER))}
            </div>
        })
    };
    view! {
        <section class="agreement" id="agreement" aria-labelledby="agreement-title">
            <h2 id="agreement-title">{t!("agreement-title")}</h2>
            {content}
            {compared}
            <Explain text=t!("agreement-help") at="agreement" />
        </section>
    }
}

/// How far the exact answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// The figure is itself exact.
    IsExact,
    /// There is nothing to compare with.
    Nothing(String),
    Stopped,
    Running,
    Here,
}

fn table(rows: &[SiteAgreement], method: Method) -> impl IntoView + use<> {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), labels::coefficient);
    let share =
        |value: Option<f64>| value.map_or("–".to_owned(), |x| format!("{:.0} %", 100.0 * x));
    let rows = rows.iter().map(|row| {
        let of = row.agreement;
        let name = if row.without_layer_0 {
            t!("agreement-without-layer-0", site = row.site.name())
        } else {
            row.site.to_string()
        };
        let pearson = of.pearson.map(|x| x.to_string());
        view! {
            <tr data-site=row.site.name() data-without=row.without_layer_0.to_string() data-pearson=pearson>
                <th scope="row">{name}</th>
                <td>{number(of.pearson)}</td>
                <td>{number(of.spearman)}</td>
                <td>{number(of.slope)}</td>
                <td>{share(of.same_sign)}</td>
                <td>{share(of.top_overlap)}</td>
                <td>{format!("{}/{}", of.non_zero, of.cells)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=t!("agreement-by-site")>
            <table>
                <caption class="visually-hidden">{words::agreement_caption(method)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!("agreement-site")}</th>
                        <th scope="col">"Pearson"</th>
                        <th scope="col">"Spearman"</th>
                        <th scope="col">{t!("agreement-slope")}</th>
                        <th scope="col" title=t!("sign-help")>{t!("agreement-same-sign")}</th>
                        <th scope="col" title=t!("top-help")>{t!("agreement-top-cells")}</th>
                        <th scope="col" title=t!("non-zero-help")>{t!("agreement-not-0")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn scatter(state: State, method: Method, points: &[Point]) -> impl IntoView + use<> {
    let magnitude = |point: &Point| point.exact.abs().max(point.approximate.abs());
    let limit = points.iter().map(magnitude).fold(0.0_f32, f32::max).max(f32::MIN_POSITIVE);
    let half = SIDE / 2.0;
    let place = move |value: f32| f64::from(value / limit) * (half - MARGIN);
    let dots: Vec<_> = points
        .iter()
        .map(|&point| {
            let (x, y) = (half + place(point.exact), half - place(point.approximate));
            let cell = (point.layer, point.position);
            let here = move || state.cell.get() == Some(cell);
            let enter = look_at(state.cell, move || Some(cell));
            // A shape a site, so that they do not hang on colour alone.
            let shape = match point.site {
                Site::AttnOut => {
                    format!("M{} {y}L{x} {}L{} {y}L{x} {}Z", x - 5.0, y - 5.0, x + 5.0, y + 5.0)
                }
                Site::MlpOut => format!("M{} {}h7v7h-7Z", x - 3.5, y - 3.5),
                _ => format!("M{} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", x - 4.0),
            };
            view! {
                <path
                    class=format!("point {}", point.site)
                    class:here=here
                    d=shape
                    data-layer=point.layer.to_string()
                    data-position=point.position.to_string()
                    on:pointerenter=enter
                />
            }
        })
        .collect();
    let keys = Site::PAPER.map(|site| {
        let shape = match site {
            Site::AttnOut => "M1 6L6 1L11 6L6 11Z",
            Site::MlpOut => "M2.5 2.5h7v7h-7Z",
            _ => "M2 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
        };
        view! {
            <li>
                <svg width="12" height="12" aria-hidden="true"><path class=format!("point {site}") d=shape /></svg>
                {site.name()}
            </li>
        }
    });
    let limit = labels::score(f64::from(limit));
    let across = if method.is_unsigned() {
        t!("scatter-exact-size", limit = limit)
    } else {
        t!("scatter-exact", limit = limit)
    };
    view! {
        <figure class="scatter">
            <svg
                width=SIDE
                height=SIDE
                viewBox=format!("0 0 {SIDE} {SIDE}")
                role="img"
                aria-label=words::scatter_summary(points.len())
                on:pointerleave=look_at(state.cell, || None)
            >
                <g class="frame" aria-hidden="true">
                    <line x1="0" y1=half x2=SIDE y2=half />
                    <line x1=half y1="0" x2=half y2=SIDE />
                    <line class="diagonal" x1="0" y1=SIDE x2=SIDE y2="0" />
                    <text x=SIDE - 4.0 y=half + 14.0 class="end">{across}</text>
                    <text x=half + 5.0 y="11">{t!("scatter-method")}</text>
                </g>
                <g>{dots}</g>
            </svg>
            <ul class="key">{keys.into_iter().collect_view()}</ul>
        </figure>
    }
}
