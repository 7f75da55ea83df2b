use std::path::Path;

use domain::catalog::Catalog;

use crate::{Files, Project, dry_run};

const RULE: &str = "\
- rule: paid
  when: { detail-type: [bill.paid] }
  category: system
  to: [{ user: $.data.userId }]
  channels: [socket]
  template: paid
";

#[test]
fn sample_that_its_schema_admits_is_no_problem() {
    let schema =
        r#"{ "type": "object", "required": ["userId"], "properties": { "userId": { "type": "string" } } }"#;
    assert_eq!(problems(&[("schemas/bill.paid/1.0.json", schema)]), [""; 0]);
}

#[test]
fn sample_that_differs_from_its_schema_is_a_problem_with_path_and_type() {
    let schema = r#"{ "required": ["billId"], "properties": { "userId": { "type": "integer" } } }"#;
    assert_eq!(
        problems(&[("schemas/bill.paid/1.0.json", schema)]),
        [
            "FOLDER/events/paid.json: the schema of `bill.paid` does not admit $.data.billId: found no such member; \
             write a value, or change the schema",
            "FOLDER/events/paid.json: the schema of `bill.paid` does not admit $.data.userId: found string; \
             write integer, or change the schema",
        ]
    );
}

#[test]
fn lowest_version_applies_to_a_sample_that_names_none() {
    let (strict, open) = (r#"{ "required": ["billId"] }"#, "{}");
    let files = [("schemas/bill.paid/1.0.json", open), ("schemas/bill.paid/1.1.json", strict)];
    assert_eq!(problems(&files), [""; 0]);
    let files = [("schemas/bill.paid/1.2.json", strict), ("schemas/bill.paid/1.10.json", open)];
    assert_eq!(problems(&files).len(), 1);
}

#[test]
fn schema_in_the_wrong_place_or_with_an_unknown_keyword_is_a_problem() {
    assert_eq!(
        problems(&[
            ("schemas/bill.json", "{}"),
            ("schemas/bill.paid/v1.json", "{}"),
            ("schemas/bill.sent/1.0.json", r#"{ "tpye": "object" }"#),
            ("schemas/bill.sent/1.1.json", "{"),
        ]),
        [
            "schemas/bill.json: the path schemas/bill.json names no type and version; \
             move the schema to `schemas/<type>/<major>.<minor>.json`",
            "schemas/bill.paid/v1.json: the path schemas/bill.paid/v1.json names no type and version; \
             move the schema to `schemas/<type>/<major>.<minor>.json`",
            "schemas/bill.sent/1.0.json: the schema has at `/tpye` a keyword that draft-07 does not have; \
             write one of draft-07",
            "schemas/bill.sent/1.1.json: the schema is not JSON: EOF while parsing an object at line 1 \
             column 1; write a JSON object",
        ]
    );
}

#[test]
fn every_event_of_a_shipped_pack_has_a_schema() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let project = Project::read(&config, &Files::new());
    let compiled = project.compile().map_err(|problems| format!("{problems:?}"));
    let catalog = Catalog::open(compiled.unwrap_or_else(|problems| panic!("{problems}")).file).unwrap();
    let schemas = project.schemas();
    for sample in project.samples() {
        let event = dry_run::event(&sample.text, &catalog.policy().producers).unwrap();
        let pack = sample.name.split('/').next().unwrap();
        let has_schema = schemas
            .iter()
            .any(|(of, schema)| of == pack && schema.name.starts_with(&format!("{}/", event.kind)));
        assert!(has_schema, "{}: the pack {pack} has no schema for {}", sample.name, event.kind);
    }
    assert_eq!(project.check_schemas(&catalog, "config", &[]), []);
}

/// The problems of a project with one rule, one sample and these schemas.
#[track_caller]
fn problems(schemas: &[(&str, &str)]) -> Vec<String> {
    let folder = std::env::temp_dir().join(format!("carillon-schemas-{:?}", std::thread::current().id()));
    let _ = std::fs::remove_dir_all(&folder);
    let sample = r#"{ "specversion": "1.0", "id": "e1", "source": "bills", "type": "bill.paid", "data": { "userId": "u1" } }"#;
    let base = [
        ("carillon.yaml", "packs: []\n"),
        ("rules/bills.yaml", RULE),
        ("templates/paid/en/socket.title.txt", "Paid"),
        ("templates/paid/en/socket.txt", "Paid"),
        ("events/paid.json", sample),
    ];
    for (name, text) in base.iter().chain(schemas) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let project = Project::read(&folder, &Files::new());
    let compiled = project
        .compile()
        .map_err(|problems| format!("{problems:?}"))
        .unwrap_or_else(|error| panic!("{error}"));
    let catalog = Catalog::open(compiled.file).unwrap();
    let name = folder.display().to_string();
    let problems = project.check_schemas(&catalog, &name, &[]);
    std::fs::remove_dir_all(&folder).unwrap();
    problems.iter().map(|problem| problem.to_string().replace(&name, "FOLDER")).collect()
}
