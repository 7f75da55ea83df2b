//! The notifications that each sample event leads to, in plain text.

use domain::decide::{Decision, Verdict};
use domain::delivery::job::{Chat, Content};
use engine::Evaluation;
use insta::{assert_snapshot, glob};
use workspace::root;

use crate::engine_run::{catalog, evaluate, recipients};

#[test]
fn every_sample_notifies_a_recipient_with_this_content() {
    let (catalog, recipients) = (catalog(), recipients());
    glob!("../../packs", "*/events/*.json", |path| {
        let journey = evaluate(path, &catalog, &recipients, |evaluation| {
            let notifications = evaluation.decisions.iter().map(|decision| describe(decision, &evaluation));
            notifications.collect::<Vec<_>>().join("\n---\n")
        });
        assert_snapshot!(journey);
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
