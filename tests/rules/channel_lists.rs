//! Compares every list of channels outside the domain with [`Channel::ALL`].

use std::collections::BTreeSet;
use std::process::Command;

use domain::base::channel::Channel;
use serde_json::Value;
use workspace::root;

/// A list in Rust sources has at least this many channels within this many bytes.
const MOST_CHANNELS: usize = 5;
const WINDOW: usize = 200;

/// The names of resources in the template: `Email`, `Push` and so on.
pub(crate) fn resources() -> impl Iterator<Item = String> {
    Channel::ALL.into_iter().map(|channel| {
        let name = channel.name();
        format!("{}{}", name[..1].to_uppercase(), &name[1..])
    })
}

#[test]
fn every_channel_has_a_row_a_function_a_sample_and_a_page() {
    let script = std::fs::read_to_string(root().join("infra/channels.py")).unwrap();
    let rows = script.split("dict(name=\"").skip(1).filter_map(|row| row.split('"').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), names(), "infra/channels.py");
    for channel in Channel::ALL.map(Channel::name) {
        for file in [
            format!("functions/{channel}/Cargo.toml"),
            format!("shared/domain/src/base/channel/{channel}.rs"),
            format!("events/lambda/{channel}.json"),
        ] {
            assert!(root().join(&file).is_file(), "{file} is missing");
        }
        // Channels of the first release are described in other pages.
        let has_page = root().join(format!("docs/channels/{channel}.md")).is_file();
        let is_message = Channel::from_name(channel)
            .unwrap()
            .address()
            .is_some_and(|address| matches!(address.form, domain::base::channel::AddressForm::Id(_)));
        assert!(has_page || !is_message, "docs/channels/{channel}.md is missing");
    }
}

#[test]
fn template_matches_the_table_of_channels() {
    let checked =
        Command::new("python3").current_dir(root()).args(["infra/channels.py", "--check"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn http_api_lists_every_channel_and_address() {
    let python = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open('functions/api/openapi.yaml')), default=str))";
    let read = Command::new(root().join(".local/sam/bin/python"))
        .current_dir(root())
        .args(["-c", python])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&read.stdout).expect("openapi.yaml as JSON");
    let schemas = &document["components"]["schemas"];
    let listed = schemas["Channel"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str);
    assert_eq!(listed.collect::<BTreeSet<_>>(), names(), "Channel");
    let properties = |schema: &str| -> BTreeSet<&str> {
        schemas[schema]["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    };
    let mut types = properties("ChannelTypes");
    types.remove("__strategy__");
    assert_eq!(types, names(), "ChannelTypes");
    let lookups =
        &document["paths"]["/v1/lookups"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let lookups: BTreeSet<String> = lookups["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
        .flat_map(|schema| properties(schema).into_iter().map(str::to_owned))
        .collect();
    let members: BTreeSet<String> =
        Channel::with_addresses().map(|(_, address)| address.member.to_owned()).collect();
    assert_eq!(lookups, members, "/v1/lookups");
    for schema in ["Recipient", "RecipientPatch"] {
        let properties = properties(schema);
        let missing: Vec<_> = members.iter().filter(|member| !properties.contains(member.as_str())).collect();
        assert!(missing.is_empty(), "{schema} misses {missing:?}");
    }
}

#[test]
fn no_source_lists_channels_by_hand() {
    // The list itself, the members of a person, and the receivers of the fault suite. The compiler checks these three.
    let own = ["shared/domain/src/base/channel.rs", "shared/domain/src/recipient.rs", "tests/faults/jobs.rs"];
    let own = own.map(|file| root().join(file));
    for file in workspace::sources().into_iter().filter(|file| !own.contains(file)) {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut found: Vec<(usize, Channel)> = Channel::ALL
            .into_iter()
            .flat_map(|channel| {
                [format!("\"{}\"", channel.name()), format!("Channel::{channel:?}")]
                    .into_iter()
                    .flat_map(|word| text.match_indices(&word).map(|(place, _)| place).collect::<Vec<_>>())
                    .map(move |place| (place, channel))
            })
            .collect();
        found.sort_unstable();
        for (index, (place, _)) in found.iter().enumerate() {
            let near = found[index..].iter().take_while(|(other, _)| other - place < WINDOW);
            let near: BTreeSet<Channel> = near.map(|(_, channel)| *channel).collect();
            let line = text[..*place].lines().count();
            assert!(
                near.len() < MOST_CHANNELS,
                "{}:{line} lists {near:?}; derive it from Channel::ALL",
                file.display()
            );
        }
    }
}

fn names() -> BTreeSet<&'static str> {
    Channel::ALL.map(Channel::name).into()
}
