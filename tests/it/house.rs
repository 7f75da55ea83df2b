//! Who may depend on whom. Break a rule on purpose and see it fail.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use domain::channel::Channel;
use serde_json::Value;

use crate::cloud::root;

/// What the shared crates may know of one another.
const MAY_KNOW: [(&str, &[&str]); 19] = [
    ("domain", &[]),
    ("templates", &["domain"]),
    ("catalog", &["domain", "templates"]),
    ("packs", &[]),
    ("aws", &["domain"]),
    ("store", &["aws", "domain"]),
    ("queue", &["aws", "domain"]),
    ("schedule", &["aws", "domain"]),
    ("signing", &["domain"]),
    ("sns", &["aws", "domain"]),
    ("asking", &["aws", "domain"]),
    ("seals", &["asking", "aws", "domain"]),
    ("kms", &["asking", "aws", "domain", "signing"]),
    ("sockets", &["aws", "domain", "store"]),
    ("runtime", &["aws", "domain"]),
    ("https", &["domain", "runtime"]),
    ("messaging", &["aws", "delivery", "domain", "https", "queue", "runtime", "store"]),
    ("delivery", &["aws", "domain", "queue", "runtime", "schedule", "store"]),
    ("publish", &["aws", "domain", "store"]),
];

/// Whoever carries catalogs and templates decides; a channel only delivers.
const NOT_FOR_CHANNELS: [&str; 2] = ["catalog", "templates"];

/// The one crate that holds each client.
const HOMES: [(&str, &[&str]); 10] = [
    ("aws-sdk-apigatewaymanagement", &["sockets"]),
    ("aws-sdk-dynamodb", &["store"]),
    ("aws-sdk-dynamodbstreams", &["cli", "relay"]),
    ("aws-sdk-eventbridge", &["publish"]),
    ("aws-sdk-pinpointsmsvoicev2", &["sms"]),
    ("aws-sdk-scheduler", &["schedule"]),
    ("aws-sdk-sesv2", &["email"]),
    ("aws-sdk-sns", &["sns"]),
    ("aws-sdk-socialmessaging", &["whatsapp"]),
    ("aws-sdk-sqs", &["queue"]),
];

#[test]
fn arrows_point_down() {
    let house = House::look();
    for (name, may_know) in MAY_KNOW {
        let known = house.ours(name);
        let too_much: Vec<_> = known.iter().filter(|it| !may_know.contains(&it.as_str())).collect();
        assert!(too_much.is_empty(), "{name} must not know {too_much:?}");
    }
}

/// What shows the work of functions without a cloud: `carillon render` runs the code of dispatch, and shapes each request
/// by the code of its channel. Nothing that is deployed may know a function.
fn is_shown_by_cli(function: &str) -> bool {
    function == "dispatch" || Channel::from_name(function).is_some()
}

#[test]
fn functions_do_not_know_each_other_and_nobody_knows_them() {
    let house = House::look();
    let functions = house.below("functions");
    for name in house.uses.keys().filter(|key| !["tests", "benches", "simulation"].contains(&key.as_str())) {
        let known = house.ours(name).into_iter().filter(|our| functions.contains(our));
        let known: Vec<_> = known.filter(|known| name != "cli" || !is_shown_by_cli(known)).collect();
        assert!(known.is_empty(), "{name} knows {known:?}");
    }
    for channel in Channel::ALL.map(Channel::name) {
        let known = house.ours(channel);
        assert!(
            NOT_FOR_CHANNELS.iter().all(|not_for_channel| !known.contains(*not_for_channel)),
            "{channel} knows too much"
        );
    }
}

#[test]
fn the_domain_knows_no_world() {
    let house = House::look();
    for name in house.all("domain") {
        let of_the_world = ["tokio", "tracing", "hyper", "rustls", "reqwest", "ureq"]
            .contains(&name.as_str())
            || name.starts_with("aws-")
            || name.starts_with("lambda_");
        assert!(!of_the_world, "domain pulls in {name}");
    }
}

#[test]
fn aws_and_runtime_link_no_client_and_each_client_has_one_home() {
    let house = House::look();
    for name in ["aws", "runtime"] {
        let clients: Vec<_> = house.uses[name].iter().filter(|it| it.starts_with("aws-sdk-")).collect();
        assert!(clients.is_empty(), "{name} links {clients:?}");
    }
    let clients = house.uses.values().flatten().filter(|it| it.starts_with("aws-sdk-"));
    let homeless: Vec<&String> =
        clients.filter(|client| !HOMES.iter().any(|(name, _)| name == client)).collect();
    assert!(homeless.is_empty(), "these have no home: {homeless:?}");
    for (client, homes) in HOMES {
        let users: BTreeSet<&str> = house
            .uses
            .iter()
            .filter(|(_, uses)| uses.contains(client))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(users, homes.iter().copied().collect(), "{client}");
    }
}

#[test]
fn there_is_one_tls_stack() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for banned in ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "native-tls", "s2n-tls"] {
        assert!(!lock.contains(&format!("name = \"{banned}\"")), "{banned} is back");
    }
    for name in ["rustls", "ring", "hyper"] {
        let count = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(count, 1, "{name} is there {count} times");
    }
}

#[test]
fn what_breaks_the_product_on_purpose_still_fits_it_and_names_a_test_that_there_is() {
    let sources: String = sources().iter().map(|source| std::fs::read_to_string(source).unwrap()).collect();
    let folder = std::fs::read_dir(root().join("tests/broken")).unwrap().map(|dir| dir.unwrap().path());
    let patches: Vec<_> =
        folder.filter(|folder| folder.extension().is_some_and(|extension| extension == "patch")).collect();
    assert!(patches.len() >= 20);
    for patch in patches {
        let name = patch.display();
        let checked = Command::new("git").current_dir(root()).args(["apply", "--check"]).arg(&patch).output();
        let said = checked.unwrap().stderr;
        assert!(said.is_empty(), "{name}: {}", String::from_utf8_lossy(&said));
        let text = std::fs::read_to_string(&patch).unwrap();
        let test = text.lines().next().unwrap().strip_prefix("# caught by: cargo test ").expect("the test");
        let filter = test.split_whitespace().next_back().unwrap().rsplit("::").next().unwrap();
        assert!(sources.contains(filter), "{name}: no test has {filter} in its name");
    }
}

#[test]
fn files_are_short_and_no_file_is_a_drawer() {
    for file in sources() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !["utils", "util", "common", "misc", "helpers", "types"].contains(&name.as_str()),
            "{}",
            file.display()
        );
    }
}

/// A derive that buffers members reads a number as a map, because numbers keep their digits (`arbitrary_precision`).
#[test]
fn no_type_that_is_read_buffers_its_numbers() {
    // The id of an endpoint is two texts, and the options of a rule's push notifications are texts and a boolean.
    let harmless = ["domain/src/endpoint.rs", "domain/src/rule.rs"];
    let is_ours = |file: &std::path::Path| {
        !file.starts_with(root().join("tests")) && !harmless.iter().any(|it| file.ends_with(it))
    };
    for file in sources().into_iter().filter(|file| is_ours(file)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for marker in ["#[serde(flatten)]", "#[serde(untagged", "#[serde(tag = "] {
            for (place, _) in text.match_indices(marker) {
                let derive = text[..place].rfind("#[derive(").map_or("", |start| &text[start..place]);
                let derive = derive.lines().next().unwrap_or_default();
                assert!(!derive.contains("Deserialize"), "{}: {marker} below {derive}", file.display());
            }
        }
    }
}

/// The workspace as cargo knows it.
struct House {
    /// What each of our packages uses directly, without what only its tests use.
    uses: BTreeMap<String, BTreeSet<String>>,
    folders: BTreeMap<String, String>,
    /// What each package of the whole graph uses directly.
    graph: BTreeMap<String, BTreeSet<String>>,
}

impl House {
    fn look() -> House {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut house = House { uses: BTreeMap::new(), folders: BTreeMap::new(), graph: BTreeMap::new() };
        for package in metadata["packages"].as_array().unwrap() {
            let name = package["name"].as_str().unwrap().to_owned();
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let real = dependencies
                .filter(|dependency| dependency["kind"].is_null() && dependency["optional"] != true);
            let uses = real.map(|real| real["name"].as_str().unwrap().to_owned()).collect();
            if package["source"].is_null() {
                let manifest = package["manifest_path"].as_str().unwrap();
                let folder = manifest.trim_start_matches(root().to_str().unwrap()).trim_start_matches('/');
                house.folders.insert(name.clone(), folder.to_owned());
                house.uses.insert(name.clone(), BTreeSet::clone(&uses));
            }
            house.graph.insert(name, uses);
        }
        house
    }

    fn below(&self, folder: &str) -> BTreeSet<String> {
        let below = self.folders.iter().filter(|(_, it)| it.starts_with(folder));
        below.map(|(name, _)| name.clone()).collect()
    }

    /// Which of our packages one of them uses.
    fn ours(&self, name: &str) -> BTreeSet<String> {
        self.uses[name].iter().filter(|it| self.uses.contains_key(*it)).cloned().collect()
    }

    /// Everything a package pulls in.
    fn all(&self, name: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(next) = open.pop() {
            for it in self.graph.get(&next).into_iter().flatten() {
                if all.insert(it.clone()) {
                    open.push(it.clone());
                }
            }
        }
        all
    }
}

pub(crate) fn sources() -> Vec<std::path::PathBuf> {
    let mut open: Vec<_> = ["shared", "functions", "cli", "tests"].iter().map(|it| root().join(it)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
