//! The figures that the page shows before its engine has started (`models/primer/first*.json`).

use std::path::PathBuf;

use relp_model::{Choice, Figure, Method, PairText, Request, Site};
use relp_print::{Format, Print, Style};
use relp_tests::compare::{Tolerance, assert_close};

use crate::primer::{engine, file, headline, run};

/// What the page asks first.
fn asked(method: Method) -> Request {
    let sites = Site::PAPER.into_iter().chain([Site::Z]).collect();
    Request { method, sites, ..headline() }
}

/// The stored figures are what the engine computes now; `RELP_BLESS=1` writes them anew.
#[test]
fn the_first_figures_are_what_is_computed() {
    let mut engine = engine(Choice::Cpu);
    for (name, method) in [("first.json", Method::Relp), ("first-exact.json", Method::Ap)] {
        let found = run(&mut engine, &asked(method));
        if std::env::var_os("RELP_BLESS").is_some() {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/primer");
            let text = serde_json::to_string(&found).unwrap();
            std::fs::write(folder.join(name), text + "\n").unwrap();
        }
        let stored: Figure = serde_json::from_slice(&file(name)).unwrap();
        for (site, map) in &found.maps {
            let expected = &stored.maps[site];
            assert_eq!(expected.shape, map.shape);
            assert_close(site.name(), &expected.values, &map.values, Tolerance::GOLDEN);
        }
        // All but numbers is the same to the letter.
        let plain = |figure: &Figure| {
            let mut figure = figure.clone();
            figure.maps.clear();
            figure.predictions.clean.clear();
            figure.predictions.corrupted.clear();
            (figure.metric.clean, figure.metric.corrupted) = (0.0, 0.0);
            serde_json::to_value(figure).unwrap()
        };
        assert_eq!(plain(&stored), plain(&found));
        let likeliest = |figure: &Figure| figure.predictions.clean[0].token.clone();
        assert_eq!(likeliest(&stored), likeliest(&found));
        assert!(file(name).len() < 40_000, "it is to come at once");
    }
}

/// What the page shows before its program has come, and the paper before its figure is live.
#[test]
fn the_printed_figures_are_those_that_are_computed() {
    let first: Figure = serde_json::from_slice(&file("first.json")).unwrap();
    let pair = PairText {
        clean: "The keys to the cabinet".to_owned(),
        corrupted: "The key to the cabinet".to_owned(),
        answers: vec![" are".to_owned()],
        foils: vec![" is".to_owned()],
        ..headline().pair
    };
    let sites = vec![Site::ResidPre, Site::AttnOut];
    let keys = run(&mut engine(Choice::Cpu), &Request { pair, sites, ..headline() });
    for (path, figure, dark) in [
        ("web/app/assets/first-light.svg", &first, false),
        ("web/app/assets/first-dark.svg", &first, true),
        ("web/paper/keys.svg", &keys, false),
    ] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let style = Style { caption: false, dark, ..Style::default() };
        let print =
            |figure: &Figure| relp_print::print(&Print::of(figure), &style, Format::Svg).unwrap();
        if std::env::var_os("RELP_BLESS").is_some() {
            std::fs::write(&path, print(figure)).unwrap();
        }
        // It is what is printed of the figure in it, whose last digits may be another machine's.
        let file = std::fs::read(&path).unwrap();
        let stored = relp_print::embedded(&file).unwrap();
        assert!(print(&stored) == file, "{}", path.display());
        for (site, map) in &figure.maps {
            let tolerance = Tolerance::GOLDEN;
            assert_close(site.name(), &stored.maps[site].values, &map.values, tolerance);
        }
    }
}
