//! Dependency rules, file sizes and the patches in `tests/broken`. Break a rule on purpose to see its test fail.

use std::collections::BTreeSet;
use std::process::Command;

use domain::base::channel::Channel;
use workspace::{root, sources, sources_below};

use crate::cargo_metadata::Workspace;

/// Shared crates that each shared crate may depend on.
const MAY_KNOW: [(&str, &[&str]); 24] = [
    ("event", &[]),
    ("sdk-error", &[]),
    ("domain", &["event"]),
    ("templates", &["domain"]),
    ("engine", &["domain", "templates"]),
    ("catalog", &["domain", "engine", "templates"]),
    ("packs", &[]),
    ("aws", &["domain", "sdk-error"]),
    ("store", &["aws", "domain", "event"]),
    ("queue", &["aws", "domain"]),
    ("schedule", &["aws", "domain"]),
    ("signing", &["domain"]),
    ("sns", &["aws", "domain"]),
    ("aws-request", &["aws", "domain"]),
    ("seals", &["aws-request", "aws", "domain"]),
    ("kms", &["aws-request", "aws", "domain", "signing"]),
    ("sockets", &["aws", "domain", "store"]),
    ("runtime", &["aws", "domain"]),
    ("https", &["domain", "runtime"]),
    ("messaging", &["aws", "delivery", "domain", "https", "queue", "runtime", "store"]),
    ("delivery", &["aws", "domain", "queue", "runtime", "schedule", "store"]),
    ("publish", &["event", "sdk-error"]),
    ("outbox-relay", &["aws", "domain", "publish", "store"]),
    ("dev", &["catalog", "cli", "domain", "engine", "publish", "queue", "runtime", "store", "templates"]),
];

/// Functions that serve no channel. A function of a channel has the channel's name.
const FUNCTIONS: [&str; 9] =
    ["api", "audit", "dispatch", "feedback", "gateway", "people", "relay", "seal", "sweep"];

/// Crates that no deployed crate knows.
const NOT_DEPLOYED: [&str; 9] =
    ["benches", "cli", "e2e", "faults", "journeys", "rules", "simulation", "testkit", "workspace"];

/// Crates of tests and measurements, which may know functions and clients.
const TESTS: [&str; 8] =
    ["benches", "e2e", "faults", "journeys", "rules", "simulation", "testkit", "workspace"];

/// Crates that only deciding functions may link. A channel function only delivers.
const NOT_FOR_CHANNELS: [&str; 3] = ["catalog", "engine", "templates"];

/// The one crate that may link each client.
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
fn every_crate_is_listed_here_and_in_the_codemap() {
    let workspace = Workspace::load();
    let codemap = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, manifest) in &workspace.folders {
        let folder = manifest.trim_end_matches("/Cargo.toml");
        let is_function = FUNCTIONS.contains(&name.as_str()) || Channel::from_name(name).is_some();
        let is_listed = match folder.split('/').next() {
            Some("functions") => is_function,
            Some("shared") => MAY_KNOW.iter().any(|(listed, _)| listed == name),
            _ => NOT_DEPLOYED.contains(&name.as_str()) || MAY_KNOW.iter().any(|(listed, _)| listed == name),
        };
        assert!(is_listed, "{folder}: no list of tests/rules/architecture.rs names the crate {name}");
        let entry = match folder.split_once('/') {
            Some(("functions" | "tests", _)) => format!("`{name}`"),
            _ => format!("`{folder}"),
        };
        assert!(codemap.contains(&entry), "{folder}: the codemap of ARCHITECTURE.md has no {entry}");
    }
}

#[test]
fn dependencies_point_down() {
    let workspace = Workspace::load();
    for (name, may_know) in MAY_KNOW {
        let known = workspace.ours(name);
        let too_much: Vec<_> = known.iter().filter(|item| !may_know.contains(&item.as_str())).collect();
        assert!(too_much.is_empty(), "{name} must not know {too_much:?}");
    }
}

/// Whether `carillon render` links a function: each channel function shapes the request of its channel. No deployed crate
/// may depend on a function.
fn is_shown_by_cli(function: &str) -> bool {
    Channel::from_name(function).is_some()
}

#[test]
fn functions_do_not_depend_on_each_other_and_no_crate_depends_on_them() {
    let workspace = Workspace::load();
    let functions = workspace.below("functions");
    for name in workspace.uses.keys().filter(|key| !TESTS.contains(&key.as_str())) {
        let known = workspace.ours(name).into_iter().filter(|our| functions.contains(our));
        let known: Vec<_> = known.filter(|known| name != "cli" || !is_shown_by_cli(known)).collect();
        assert!(known.is_empty(), "{name} knows {known:?}");
    }
    for channel in Channel::ALL.map(Channel::name) {
        let known = workspace.ours(channel);
        assert!(
            NOT_FOR_CHANNELS.iter().all(|not_for_channel| !known.contains(*not_for_channel)),
            "{channel} knows too much"
        );
    }
}

/// Users install `carillon`, which has no part of the local cloud.
#[test]
fn no_crate_depends_on_the_program_of_developers() {
    let workspace = Workspace::load();
    let users: Vec<_> = workspace.uses.iter().filter(|(_, uses)| uses.contains("dev")).collect();
    assert!(users.is_empty(), "{users:?}");
    assert!(workspace.ours("dev").contains("cli"));
}

#[test]
fn domain_depends_on_no_runtime_or_client() {
    let workspace = Workspace::load();
    for name in workspace.all("domain") {
        let of_the_world = ["tokio", "tracing", "hyper", "rustls", "reqwest", "ureq"]
            .contains(&name.as_str())
            || name.starts_with("aws-")
            || name.starts_with("lambda_");
        assert!(!of_the_world, "domain pulls in {name}");
    }
}

#[test]
fn aws_and_runtime_link_no_client_and_each_client_has_one_home() {
    let workspace = Workspace::load();
    for name in ["aws", "runtime"] {
        let clients: Vec<_> =
            workspace.uses[name].iter().filter(|text| text.starts_with("aws-sdk-")).collect();
        assert!(clients.is_empty(), "{name} links {clients:?}");
    }
    let clients = workspace.uses.values().flatten().filter(|text| text.starts_with("aws-sdk-"));
    let homeless: Vec<&String> =
        clients.filter(|client| !HOMES.iter().any(|(name, _)| name == client)).collect();
    assert!(homeless.is_empty(), "these have no home: {homeless:?}");
    for (client, homes) in HOMES {
        let users: BTreeSet<&str> = workspace
            .uses
            .iter()
            .filter(|(name, uses)| uses.contains(client) && !TESTS.contains(&name.as_str()))
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

/// The fuzz targets are a workspace of their own, and test the versions that are deployed.
#[test]
fn fuzz_targets_lock_the_same_versions() {
    let versions = |file: &str| -> BTreeSet<(String, String)> {
        let lock = std::fs::read_to_string(root().join(file)).unwrap();
        let packages = lock.split("[[package]]\n").skip(1).map(|package| {
            let mut values = package.lines().filter_map(|line| line.split_once(" = "));
            let mut value = || values.next().unwrap().1.to_owned();
            (value(), value())
        });
        packages.collect()
    };
    let (ours, fuzzed) = (versions("Cargo.lock"), versions("fuzz/Cargo.lock"));
    let others: Vec<_> = fuzzed
        .iter()
        .filter(|(name, _)| ours.iter().any(|(our, _)| our == name))
        .filter(|package| !ours.contains(package))
        .collect();
    assert!(others.is_empty(), "fuzz/Cargo.lock has other versions: {others:?}");
}

#[test]
fn broken_patches_apply_and_name_an_existing_test() {
    let files = sources().into_iter().chain(sources_below(&["simulation"]));
    let sources: String = files.map(|source| std::fs::read_to_string(source).unwrap()).collect();
    let folder = std::fs::read_dir(root().join("tests/broken")).unwrap().map(|dir| dir.unwrap().path());
    let patches: Vec<_> =
        folder.filter(|folder| folder.extension().is_some_and(|extension| extension == "patch")).collect();
    assert!(patches.len() >= 20);
    for patch in patches {
        let name = patch.display();
        let checked = Command::new("git").current_dir(root()).args(["apply", "--check"]).arg(&patch).output();
        let output = checked.unwrap().stderr;
        assert!(output.is_empty(), "{name}: {}", String::from_utf8_lossy(&output));
        let text = std::fs::read_to_string(&patch).unwrap();
        let test = text.lines().next().unwrap().strip_prefix("# caught by: cargo test ").expect("the test");
        let filter = test.split_whitespace().next_back().unwrap().rsplit("::").next().unwrap();
        assert!(sources.contains(filter), "{name}: no test has {filter} in its name");
    }
}

#[test]
fn files_are_short_and_none_is_named_utils() {
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

/// The folders of the domain, from the bottom up: a file imports only from its own folder and those before it.
const DOMAIN_FOLDERS: [&str; 14] = [
    "base",
    "time",
    "event",
    "pattern",
    "audit",
    "recipient",
    "webhook",
    "limits",
    "catalog",
    "feedback",
    "decide",
    "delivery",
    "inbox",
    "lib",
];

#[test]
fn domain_files_import_only_from_folders_before_their_own() {
    let source = root().join("shared/domain/src");
    let rank = |name: &str| DOMAIN_FOLDERS.iter().position(|folder| *folder == name);
    let mut imports = 0;
    for path in sources().iter().filter(|path| path.starts_with(&source)) {
        let name = path.strip_prefix(&source).unwrap().with_extension("").display().to_string();
        let folder = name.split('/').next().unwrap();
        let own = rank(folder).unwrap_or_else(|| panic!("{name}: DOMAIN_FOLDERS does not list {folder}"));
        if name.split('/').any(|part| part == "tests") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for imported in line.split("crate::").skip(1) {
                let end =
                    imported.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(imported.len());
                let Some(other) = rank(&imported[..end]) else { continue };
                assert!(other <= own, "{name} imports from {}, which comes later: {line}", &imported[..end]);
                imports += 1;
            }
        }
    }
    assert!(imports > 300, "the test reads the imports: {imports}");
}

/// `docs/reference/log_codes.py` also names calls without a code and codes with different meanings.
#[test]
fn log_codes_are_complete_unique_and_documented() {
    let checked = Command::new("python3")
        .current_dir(root())
        .args(["docs/reference/log_codes.py", "--check"])
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// A derive that buffers members reads a number as a map, because `serde_json` keeps digits (`arbitrary_precision`).
#[test]
fn deserialized_types_do_not_buffer_numbers() {
    // An endpoint's id consists of two strings, and a rule's push options are strings and a boolean.
    let harmless = ["domain/src/webhook/endpoint.rs", "domain/src/catalog/rule.rs"];
    let is_ours = |file: &std::path::Path| {
        !file.starts_with(root().join("tests")) && !harmless.iter().any(|item| file.ends_with(item))
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
