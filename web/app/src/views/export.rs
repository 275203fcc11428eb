//! The figure on paper: format, size and look, what it will be, and the file.

use leptos::prelude::*;
use relp_model::Figure;
use relp_print::{Format, Style};
use relp_protocol::PrintJob;

use wasm_bindgen::JsValue;

use super::dialog::Dialog;
use super::explain::Explain;
use super::files::download;
use crate::comparison::{Drawn, Scores};
use crate::figure_file;
use crate::locale::t;
use crate::printer::Printer;
use crate::standalone::{self, Page};
use crate::state::State;

/// What a figure is saved as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saved {
    /// On paper, or as data.
    As(Format),
    /// As a page of one file.
    In(Page),
}

impl Saved {
    fn all() -> impl Iterator<Item = Self> {
        Format::ALL.map(Self::As).into_iter().chain(Page::ALL.map(Self::In))
    }

    fn name(self) -> &'static str {
        match self {
            Self::As(format) => format.name(),
            Self::In(page) => page.name(),
        }
    }

    /// What it is called, and what it is for.
    fn title(self) -> String {
        match self {
            Self::As(format) => format!("{} – {}", format.name().to_uppercase(), about(format)),
            Self::In(Page::Figure) => format!("HTML – {}", t!("export-html")),
            Self::In(Page::Playground) => format!("HTML – {}", t!("export-playground")),
        }
    }
}

#[component]
pub fn Export() -> impl IntoView {
    let state = expect_context::<State>();
    let open = RwSignal::new(false);
    let nothing = move || state.shown.with(Option::is_none);
    view! {
        <button
            type="button"
            id="export"
            aria-haspopup="dialog"
            disabled=nothing
            on:click=move |_| open.set(true)
        >
            {t!("export")}
        </button>
        <Dialog open id="export-dialog" title=t!("export-title")><Options /></Dialog>
    }
}

/// What is printed now, as a job.
fn job(state: State, style: Style, format: Format) -> Option<PrintJob> {
    let shown = state.shown.get_untracked()?;
    let drawn = untrack(|| state.drawn(&shown.figure));
    let less = less(&drawn);
    // Scores that are a difference come with the figure that they are of; others are one themselves.
    let source = less.is_some().then(|| (*shown.figure).clone());
    let drawn = (*drawn.known.figure).clone();
    Some(PrintJob { id: 0, drawn, source, less, style, format })
}

/// The figure that is drawn.
fn drawn_figure(state: State) -> Option<Figure> {
    let shown = state.shown.get_untracked()?;
    Some((*untrack(|| state.drawn(&shown.figure)).known.figure).clone())
}

fn keep(content: &JsValue, name: &str, media_type: &str) -> Result<(), String> {
    download(content, name, media_type).map_err(|_| t!("not-saved"))
}

/// What the scores that are drawn are less of, in the words of the file.
fn less(drawn: &Drawn) -> Option<String> {
    let unsigned = drawn.known.figure.method.is_unsigned();
    match (&drawn.before, drawn.scores) {
        (Some(before), _) => Some(format!("{} ({})", before.method.title(), before.rules)),
        (_, Scores::Error) if unsigned => Some("the size of the exact answer (AP)".to_owned()),
        (_, Scores::Error) => Some("the exact answer (AP)".to_owned()),
        _ => None,
    }
}

#[component]
fn Options() -> impl IntoView {
    let state = expect_context::<State>();
    let printer = expect_context::<Printer>();
    let wanted = RwSignal::new(Saved::As(Format::Svg));
    let style =
        RwSignal::new(Style { swapped: state.look.swapped.get_untracked(), ..Style::default() });
    let preview = RwSignal::new(None::<String>);
    let problem = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let let_go = move || {
        if let Some(url) = preview.try_update(Option::take).flatten() {
            let _gone = web_sys::Url::revoke_object_url(&url);
        }
    };
    // What it will be, as it changes.
    Effect::new(move |_| {
        let style = style.get();
        if let Err(why) = style.check() {
            return problem.set(Some(why));
        }
        let Some(job) = job(state, style, Format::Svg) else { return };
        printer.print(job, move |printed| match printed {
            Ok(bytes) => {
                let_go();
                // The dialog may be gone by then.
                let _shown = problem.try_set(None);
                let _shown = preview.try_set(url_of(&bytes, Format::Svg));
            }
            Err(why) => {
                let _shown = problem.try_set(Some(why));
            }
        });
    });
    on_cleanup(let_go);
    let save = move |_| {
        let done = move |saved: Result<(), String>| {
            let _shown = busy.try_set(false);
            let _shown = problem.try_set(saved.err());
        };
        match wanted.get_untracked() {
            Saved::As(format) => {
                let Some(job) = job(state, style.get_untracked(), format) else { return };
                let name = figure_file::name(&job.drawn, format.extension());
                busy.set(true);
                printer.print(job, move |printed| {
                    done(printed.and_then(|bytes| keep(&bytes.into(), &name, format.media_type())));
                });
            }
            Saved::In(page) => {
                let Some(figure) = drawn_figure(state) else { return };
                busy.set(true);
                leptos::task::spawn_local(async move {
                    let name = figure_file::name(&figure, page.extension());
                    let written = standalone::write(page, &figure).await;
                    done(written.and_then(|text| keep(&text.into(), &name, "text/html")));
                });
            }
        }
    };
    let formats = Saved::all().map(|one| view! { <option value=one.name()>{one.title()}</option> });
    let formats = formats.collect_view();
    let width = move || match style.with(|style| style.width_mm) {
        Style::SINGLE => "single",
        Style::DOUBLE => "double",
        _ => "other",
    };
    let choose_width = move |event: leptos::ev::Event| {
        let wide = match event_target_value(&event).as_str() {
            "single" => Style::SINGLE,
            "double" => Style::DOUBLE,
            _ => 120.0,
        };
        style.update(|style| style.width_mm = wide);
    };
    let switch = move |id: &'static str,
                       title: String,
                       get: fn(&Style) -> bool,
                       set: fn(&mut Style, bool)| {
        view! {
            <label class="switch">
                <input
                    type="checkbox"
                    id=id
                    prop:checked=move || style.with(get)
                    on:change=move |event| style.update(|style| set(style, event_target_checked(&event)))
                />
                {title}
            </label>
        }
    };
    let small = move || {
        (!style.with(Style::is_legible)).then(|| {
            view! { <p class="problem" id="export-small">{t!("export-small")}</p> }
        })
    };
    view! {
        <div class="export">
            <div class="export-options">
                <label>
                    <span class="name">{t!("export-format")}</span>
                    <select
                        id="export-format"
                        on:change=move |event| {
                            let value = event_target_value(&event);
                            if let Some(one) = Saved::all().find(|one| one.name() == value) {
                                wanted.set(one);
                            }
                        }
                    >
                        {formats}
                    </select>
                </label>
                <label>
                    <span class="name">{t!("export-width")}</span>
                    <select id="export-width" prop:value=width on:change=choose_width>
                        <option value="single">{t!("export-single")}</option>
                        <option value="double" selected=true>{t!("export-double")}</option>
                        <option value="other">{t!("export-other")}</option>
                    </select>
                </label>
                <div class="row">
                    {number_field(style, "export-mm", t!("export-millimetres"), |style| &mut style.width_mm)}
                    {number_field(style, "export-font", t!("export-font"), |style| &mut style.font_pt)}
                    {number_field(style, "export-dpi", t!("export-dpi"), |style| &mut style.dpi)}
                </div>
                <div class="row">
                    {switch("export-caption", t!("export-caption"), |style| style.caption, |style, on| style.caption = on)}
                    {switch("export-dark", t!("export-dark"), |style| style.dark, |style, on| style.dark = on)}
                    <Explain text=t!("about-export") at="export" />
                </div>
                <div aria-live="polite">
                    {small}
                    {move || problem.get().map(|why| view! { <p class="problem" id="export-problem">{why}</p> })}
                </div>
                <button type="button" class="main" id="export-save" disabled=busy on:click=save>
                    {move || if busy.get() { t!("export-busy") } else { t!("export-save") }}
                </button>
            </div>
            <div class="export-preview">
                {move || match preview.get() {
                    Some(url) => view! { <img id="export-preview" src=url alt=t!("export-preview") /> }.into_any(),
                    None => view! { <p class="help">{t!("export-drawing")}</p> }.into_any(),
                }}
            </div>
        </div>
    }
}

/// A number of the style. Which of them can be is the style's to say.
fn number_field(
    style: RwSignal<Style>,
    id: &'static str,
    title: String,
    part: fn(&mut Style) -> &mut f64,
) -> impl IntoView {
    let value = move || part(&mut style.get()).to_string();
    let change = move |event: leptos::ev::Event| {
        // What is no number yet changes nothing.
        if let Ok(number) = event_target_value(&event).parse() {
            style.update(|style| *part(style) = number);
        }
    };
    view! {
        <label>
            <span class="name">{title}</span>
            <input class="target" id=id type="number" step="any" prop:value=value on:change=change />
        </label>
    }
}

/// What a format is for.
fn about(format: Format) -> String {
    match format {
        Format::Svg => t!("export-svg"),
        Format::Pdf => t!("export-pdf"),
        Format::Png => t!("export-png"),
        Format::Csv => t!("export-csv"),
        Format::Tikz => t!("export-tikz"),
        Format::Json => t!("export-json"),
    }
}

/// An address of bytes, for as long as the page keeps it.
fn url_of(bytes: &js_sys::Uint8Array, format: Format) -> Option<String> {
    let kind = web_sys::BlobPropertyBag::new();
    kind.set_type(format.media_type());
    let parts = js_sys::Array::of1(bytes);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &kind).ok()?;
    web_sys::Url::create_object_url_with_blob(&blob).ok()
}
