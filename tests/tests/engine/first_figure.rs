//! The figures that the page shows before its engine has started (`models/primer/first*.json`).

use std::path::PathBuf;

use relp_model::{Choice, Figure, Method, Request, Site};
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
