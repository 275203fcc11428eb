//! Figures against the JSON Schema that is published for them, `crates/model/schema`.

use boon::{Compiler, SchemaIndex, Schemas};
use relp_model::{Choice, Direction, FIGURE_SCHEMA, Method, Metric, Replace, Request, Site};
use serde_json::{Value, json};

use crate::primer::{engine, headline, run};

struct Schema {
    schemas: Schemas,
    figure: SchemaIndex,
}

impl Schema {
    fn load() -> Self {
        let text = include_str!("../../../crates/model/schema/relp-figure-1.json");
        let schema: Value = serde_json::from_str(text).unwrap();
        assert_eq!(schema["properties"]["schema"]["const"], FIGURE_SCHEMA);
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.add_resource("urn:relp-figure:1", schema).unwrap();
        let figure = compiler.compile("urn:relp-figure:1", &mut schemas).unwrap();
        Self { schemas, figure }
    }

    fn accepts(&self, figure: &Value) -> Result<(), String> {
        self.schemas.validate(figure, self.figure).map_err(|error| format!("{error:#}"))
    }
}

#[test]
fn every_kind_of_figure_follows_it() {
    let schema = Schema::load();
    let mut engine = engine(Choice::Cpu);
    for method in Method::ALL {
        for (direction, normalise) in [(Direction::Denoise, false), (Direction::Noise, true)] {
            let sites = Site::PATCHED.to_vec();
            let request = Request { method, direction, normalise, sites, ..headline() };
            let batch = vec![headline().pair, headline().pair];
            let kinds = [
                Request { batch, ..request.clone() },
                Request { metric: Metric::ProbDiff, ..request.clone() },
                Request { replace: Replace::Zero, ..request.clone() },
                request,
            ];
            for request in kinds.into_iter().filter(|request| request.check().is_ok()) {
                let figure = serde_json::to_value(run(&mut engine, &request)).unwrap();
                let about = || format!("{method} {} {}", request.metric, request.replace);
                schema.accepts(&figure).unwrap_or_else(|error| panic!("{}: {error}", about()));
            }
        }
    }
}

#[test]
fn what_is_no_figure_does_not() {
    let schema = Schema::load();
    let figure = serde_json::to_value(run(&mut engine(Choice::Cpu), &headline())).unwrap();
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 9] = [
        ("an unknown metric", |f| f["metric"]["name"] = json!("loss")),
        ("neurons without their list", |f| f["maps"]["post"] = f["maps"]["mlp_out"].clone()),
        ("another version", |f| f["schema"] = json!("relp-figure/2")),
        ("no tokens", |f| drop(f.as_object_mut().unwrap().remove("tokens"))),
        ("something else", |f| f["more"] = json!(1)),
        ("an unknown rule", |f| f["rules"] = json!(["ln", "gamma"])),
        ("an unknown site", |f| f["maps"]["resid"] = f["maps"]["mlp_out"].clone()),
        ("heads without their axis", |f| f["maps"]["z"] = f["maps"]["mlp_out"].clone()),
        ("scores that are no numbers", |f| f["maps"]["mlp_out"]["values"][0] = json!(null)),
    ];
    for (about, change) in changes {
        let mut other = figure.clone();
        change(&mut other);
        assert!(schema.accepts(&other).is_err(), "{about}");
    }
}
