//! The texts of messages: in-app messages from the inbox, others from the local cloud's services. On AWS, the texts of other
//! channels are not stored.

use std::collections::HashMap;

use domain::base::channel::{Channel, Destination};
use domain::inbox::{InboxFilter, InboxQuery, View, Viewer};
use serde_json::Value;
use store::{Inbox, LedgerRow};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::sent_emails::SentEmails;
use crate::terminal::Terminal;

/// The pages of the inbox that are read.
const PAGES: usize = 5;

/// The texts of messages, by the ids of the ledger.
pub(super) struct Texts {
    /// In-app messages by key.
    live: HashMap<String, String>,
    /// Other messages by the provider's id.
    sent: HashMap<String, String>,
    emails: Option<SentEmails>,
}

impl Texts {
    /// Reads the texts. Unreadable ones are left out with a note.
    pub(super) async fn read(cloud: &Cloud, recipient: &str, terminal: &Terminal) -> Result<Texts, Error> {
        let mut texts = Texts { live: live(cloud, recipient).await?, sent: HashMap::new(), emails: None };
        let Some(local) = &cloud.local else { return Ok(texts) };
        match SentEmails::read(&local.endpoint()) {
            Ok(emails) => texts.emails = Some(emails),
            Err(error) => terminal.note(&format!("e-mails cannot be shown: {error}")),
        }
        let captured = format!("{}/captured", local.capture_endpoint());
        match get(&captured) {
            Ok(found) => collect(&found, &mut texts.sent),
            Err(error) => terminal.note(&format!("some texts cannot be shown: {error}")),
        }
        Ok(texts)
    }

    /// The text of a ledger row's message.
    pub(super) fn of(&self, row: &LedgerRow) -> Option<String> {
        let id = row.provider_id.as_deref().unwrap_or_default();
        let channel = row.channel?;
        match channel.spec().destination {
            Destination::Sockets => self.live.get(row.key.as_str()).cloned(),
            Destination::Address(_) if channel == Channel::Email => {
                self.emails.as_ref()?.find(id).map(|email| email.subject.clone())
            }
            Destination::Address(_) | Destination::Devices => self.sent.get(id).cloned(),
            // `endpoints attempts` shows the answers of endpoints.
            Destination::Endpoints => None,
        }
    }
}

async fn live(cloud: &Cloud, user: &str) -> Result<HashMap<String, String>, Error> {
    let inbox = Inbox::new(&store::client(&cloud.config), cloud.name("inbox"));
    let viewer = Viewer { user: user.to_owned(), view: View::All };
    let mut texts = HashMap::new();
    for filter in [InboxFilter::Inbox, InboxFilter::Archived] {
        let mut before = None;
        for _ in 0..PAGES {
            let filter = InboxQuery { filter, category: None };
            let page = inbox.page(&viewer, &filter, before, 100, runtime::now()).await?;
            texts.extend(page.entries.into_iter().map(|entry| {
                (
                    entry.kept.id.as_str().to_owned(),
                    joined(&[entry.kept.title.expose(), entry.kept.body.expose()]),
                )
            }));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
    }
    Ok(texts)
}

fn get(url: &str) -> Result<Value, Error> {
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let mut answer = ureq::get(url).call().map_err(|error| failed(error.to_string()))?;
    let body = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&body).map_err(|error| failed(error.to_string()))
}

/// Collects the texts of all nested objects with an id and a text.
fn collect(found: &Value, into: &mut HashMap<String, String>) {
    if let Some(list) = found.as_array() {
        list.iter().for_each(|element| collect(element, into));
    }
    let Some(object) = found.as_object() else { return };
    let id = object.get("MessageId").or(object.get("id")).and_then(Value::as_str);
    // SMS records have the text in `text`.
    let message = ["Message", "message", "text"].iter().find_map(|name| object.get(*name));
    match (id, message) {
        (Some(id), Some(message)) => {
            into.insert(id.to_owned(), text_of(message));
        }
        _ => object.values().for_each(|value| collect(value, into)),
    }
}

/// The title and the body of a message, as the provider got them.
fn text_of(message: &Value) -> String {
    let mut parts: Vec<&str> = Vec::new();
    gather(message, &mut parts);
    match parts.is_empty() {
        true => message.as_str().unwrap_or_default().to_owned(),
        false => joined(&parts),
    }
}

fn gather<'a>(value: &'a Value, parts: &mut Vec<&'a str>) {
    // `text` has the parameters of a template.
    for name in ["title", "body", "text"] {
        if let Some(text) = value[name].as_str().filter(|text| !parts.contains(text)) {
            parts.push(text);
        }
    }
    let members = value.as_object().into_iter().flat_map(|object| object.values());
    for member in members.chain(value.as_array().into_iter().flatten()) {
        gather(member, parts);
    }
}

fn joined(parts: &[&str]) -> String {
    let parts = parts.iter().filter(|part| !part.is_empty());
    parts.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(" — ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_of_each_service_are_found_by_id() {
        let mut texts = HashMap::new();
        collect(
            &json!({ "sms_messages": { "+49": [{ "MessageId": "s-1", "Message": "Your turn." }] } }),
            &mut texts,
        );
        let push = json!({ "GCM": { "fcmV1Message": { "message": { "notification": { "title": "Room 7", "body": "Now" } } } },
                           "default": "Now" });
        collect(&json!([{ "channel": "push", "id": "p-1", "message": push }]), &mut texts);
        let whatsapp = json!({ "type": "text", "text": { "body": "Hello\nthere" } });
        collect(&json!([{ "channel": "whatsapp", "id": "w-1", "message": whatsapp }]), &mut texts);
        let filled = json!({ "type": "body", "parameters": [{ "type": "text", "text": "Ten o'clock" }] });
        let whatsapp = json!({ "type": "template", "template": { "name": "t", "components": [filled] } });
        collect(&json!([{ "channel": "whatsapp", "id": "w-2", "message": whatsapp }]), &mut texts);
        collect(&json!([{ "channel": "sms", "id": "s-2", "text": "Soon." }]), &mut texts);
        let expected = [
            ("s-1", "Your turn."),
            ("s-2", "Soon."),
            ("p-1", "Room 7 — Now"),
            ("w-1", "Hello there"),
            ("w-2", "Ten o'clock"),
        ];
        for (id, expected) in expected {
            assert_eq!(texts.get(id).map(String::as_str), Some(expected));
        }
    }
}
