//! Journeys: the notifications that each sample event leads to, as snapshots.

use std::path::Path;

use catalog::BusEntry;
use domain::Timestamp;
use domain::catalog::Catalog;
use domain::decide::{Decision, Verdict};
use domain::delivery::job::{Chat, Content};
use domain::event::bus::BusEvent;
use domain::recipient::{Recipient, Recipients};
use engine::{Engine, Evaluation, Fixtures, Subject, run_ready};
use insta::{assert_snapshot, glob};
use templates::Renderer;

use crate::cloud::root;

/// 2026-11-20T12:00:00Z.
const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

#[test]
fn every_sample_notifies_a_recipient_with_this_content() {
    let compiled = catalog::compile(&root().join("config")).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let catalog = Catalog::open(compiled.file).unwrap();
    let renderer = Renderer::new(&catalog);
    let recipients = recipients();
    glob!("../../packs", "*/events/*.json", |path| {
        assert_snapshot!(journey(path, &catalog, &renderer, &recipients));
    });
}

/// The care circle consists of families. Only emergencies may send an SMS, which can arrive at night.
#[test]
fn care_circle_sends_sms_in_emergencies_only() {
    let rules: Vec<serde_json::Value> = ["care", "direct"]
        .iter()
        .flat_map(|file| {
            let file = root().join(format!("packs/care/rules/{file}.yaml"));
            let rules: Vec<serde_json::Value> =
                serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            rules
        })
        .filter(|rule| rule["refuse"].is_null())
        .collect();
    let sends_texts = |value: &&serde_json::Value| {
        value["channels"].to_string().contains("\"sms\"") || value["steps"].to_string().contains("\"sms\"")
    };
    let texting: Vec<&serde_json::Value> = rules.iter().filter(sends_texts).collect();
    assert!(!texting.is_empty());
    for rule in texting {
        assert_eq!(
            (&rule["category"], &rule["priority"]),
            (&"emergency".into(), &"critical".into()),
            "{rule}"
        );
    }
}

fn journey(path: &Path, catalog: &Catalog, renderer: &Renderer, recipients: &Recipients) -> String {
    let entry = BusEntry::read(&std::fs::read_to_string(path).unwrap()).unwrap();
    let wrapped = entry.to_bus_event("bus-id", NOON);
    let event = BusEvent::parse(&wrapped).unwrap().event(&catalog.policy().producers).unwrap();
    let facts = Fixtures::of(recipients);
    let engine = Engine::unpaged(catalog, renderer, &facts);
    let now = event.time.min(NOON);
    run_ready(engine.run(&Subject::event(event), now, |evaluation| {
        let stories = evaluation.decisions.iter().map(|decision| describe(decision, &evaluation));
        stories.collect::<Vec<_>>().join("\n---\n")
    }))
}

/// The provider request, or the reason why there is none.
fn describe(decision: &Decision<'_>, evaluation: &Evaluation<'_>) -> String {
    let rule = decision.rule.map_or("-", |rule| rule.name.as_str());
    let channel = decision.channel.map_or("-", |channel| channel.name());
    let head = format!("{rule}: {channel} to {}", decision.recipient);
    match &decision.verdict {
        Verdict::Suppress(reason) => format!("{head}\nnot sent: {}", reason.name()),
        Verdict::Later(later) => format!("{head}\nlater: {} at {}", later.why.reason().name(), later.until),
        Verdict::Merge(merge) => format!("{head}\ncollected until {}", merge.closes_at),
        Verdict::Cancel(_) => format!("{head}\ntakes back what was waiting"),
        Verdict::Send(order) => match evaluation.preview(order) {
            Ok(Content::Email(email)) => {
                format!(
                    "{head} <{}>\nSubject: {}\n\n{}",
                    email.to.expose(),
                    email.subject.expose(),
                    email.text.expose()
                )
            }
            Ok(Content::Socket(socket)) => {
                let mut data: serde_json::Value = serde_json::from_str(socket.data.expose().get()).unwrap();
                data.sort_all_objects();
                format!("{head}\n{}\n{}\n{data}", socket.title.expose(), socket.body.expose())
            }
            Ok(Content::Push(push)) => format!("{head}\n{}\n{}", push.title.expose(), push.body.expose()),
            Ok(Content::Sms(sms)) => format!("{head}\n{}", sms.text.expose()),
            Ok(Content::Whatsapp(whatsapp)) => {
                format!("{head}\n{}{}", whatsapp.text.expose(), approved(&whatsapp))
            }
            Ok(Content::Message(message)) => {
                let card = message
                    .card
                    .as_ref()
                    .map(|card| format!("\n{}", card.expose().get()))
                    .unwrap_or_default();
                format!("{head}\n{}{card}", message.text.expose())
            }
            Ok(Content::Webhook(webhook)) => format!("{head}\n{}", webhook.body.expose()),
            Ok(Content::Broadcast(broadcast)) => format!("{head}\nlive: {}", broadcast.data.expose().get()),
            Err(unrendered) => format!("{head}\n{unrendered}"),
        },
    }
}

/// The approved WhatsApp template as a person reads it who has not written to us.
fn approved(chat: &Chat) -> String {
    let Some(template) = &chat.template else { return String::new() };
    let parameters: Vec<&str> = template.parameters.iter().map(|value| value.expose().as_str()).collect();
    format!("\nor, as approved: {} ({}) {}", template.name, template.language, parameters.join(" | "))
}

fn recipients() -> Recipients {
    let project = catalog::Project::read(&root().join("config"), &catalog::Files::new());
    let people = project.people().into_iter().flat_map(|file| {
        let people: Vec<Recipient> = serde_json::from_str(&file.text).unwrap();
        people
    });
    people.map(|person| (person.id.clone(), person)).collect()
}
