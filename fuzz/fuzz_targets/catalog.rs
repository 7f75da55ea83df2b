//! Catalog files: rules, policy and decision tests as YAML, separated by lines `%%`. A catalog is written and opened
//! again, and each problem names a line of its file.
#![no_main]

use std::collections::BTreeMap;

use domain::base::channel::Channel;
use domain::catalog::{Catalog, CatalogFile};
use domain::recipient::Recipients;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut texts = text.splitn(3, "\n%%\n");
    let mut next = || texts.next().unwrap_or_default().to_owned();
    let (rules, policy, tests) = (next(), next(), next());
    let required = Channel::ALL.iter().flat_map(|channel| channel.parts()).filter(|part| part.required);
    let mut files: BTreeMap<String, String> =
        required.map(|part| (format!("templates/t/en/{}", part.file), "text".to_owned())).collect();
    files.insert("rules/r.yaml".to_owned(), rules);
    files.insert("policy.yaml".to_owned(), policy);
    let compiled = match catalog::compile_files(files) {
        Ok(compiled) => compiled,
        Err(problems) => {
            assert!(!problems.is_empty(), "a refusal has a reason");
            assert!(problems.iter().all(|problem| problem.line != Some(0)));
            return;
        }
    };
    let written = serde_json::to_string(&compiled.file).expect("a catalog is JSON");
    let catalog = Catalog::open(CatalogFile::read(&written).expect("a written catalog is readable"))
        .expect("the catalog has our format");
    let tests = BTreeMap::from([("tests/t.yaml".to_owned(), tests)]);
    let _ = catalog::run_tests(&tests, &catalog, &Recipients::new(), &BTreeMap::new());
});
