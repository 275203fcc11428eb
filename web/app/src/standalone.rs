//! Figures as pages of one file, which open without a server. The build has written the pages
//! (`web/standalone`); what they show is put in here.

use leptos::prelude::window;
use relp_model::Figure;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::locale::t;

/// The place of a figure in such a page.
const PLACE: &str = "<script type=\"application/json\" id=\"relp-figure\">null</script>";

/// A page of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The figure, to be looked at.
    Figure,
    /// The whole playground, with the engine and the bundled model.
    Playground,
}

impl Page {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Figure, Self::Playground];

    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Figure => "html",
            Self::Playground => "playground",
        }
    }

    /// How a file's name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Figure => "html",
            Self::Playground => "playground.html",
        }
    }

    fn address(self) -> &'static str {
        match self {
            Self::Figure => "standalone/figure.html",
            Self::Playground => "standalone/playground.html",
        }
    }
}

/// The page with a figure in it.
///
/// # Errors
/// If the page cannot be fetched, in a sentence.
pub async fn write(page: Page, figure: &Figure) -> Result<String, String> {
    let template = fetch(page.address()).await;
    let template = template.filter(|text| text.matches(PLACE).count() == 1);
    let template = template.ok_or_else(|| t!("export-no-page"))?;
    Ok(filled(&template, figure))
}

fn filled(template: &str, figure: &Figure) -> String {
    let place = PLACE.replace("null", &relp_print::quoted(figure));
    template.replacen(PLACE, &place, 1)
}

async fn fetch(address: &str) -> Option<String> {
    let response = JsFuture::from(window().fetch_with_str(address)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let text = response.ok().then(|| response.text())?.ok()?;
    JsFuture::from(text).await.ok()?.as_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::figure;

    #[test]
    fn the_pages_have_a_place_for_a_figure_that_nothing_in_it_can_leave() {
        let pages = [
            include_str!("../../standalone/figure.html"),
            include_str!("../../standalone/playground.html"),
        ];
        let mut figure = figure(2, 3);
        figure.tokens.clean[0].text = "</script><script>alert(1)</script>".to_owned();
        for page in pages {
            assert_eq!(page.matches(PLACE).count(), 1);
            let filled = filled(page, &figure);
            assert!(!filled.contains("<script>alert"));
            let start = filled.find("id=\"relp-figure\">").expect("its place") + 17;
            let json = filled[start..].split("</script>").next().expect("its end");
            assert_eq!(Figure::read(json).expect("a figure"), figure);
        }
    }
}
