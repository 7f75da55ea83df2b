//! What was said, where that can be read: live messages from the inbox, the rest from the local cloud's services. On AWS
//! nobody keeps the words of letters, texts and notes.

use std::collections::HashMap;

use domain::channel::{Channel, Destination};
use domain::inbox::{Filter, Shelf, View, Viewer};
use serde_json::Value;
use store::{Inbox, LedgerRow};

use crate::cloud::Cloud;
use crate::demo::mailbox::Mailbox;
use crate::error::Error;
use crate::terminal::Terminal;

/// Pages of the inbox that are read for their words.
const PAGES: usize = 5;

/// What a person was told, by the names that the ledger has for it.
pub(super) struct Words {
    /// Live messages by key.
    live: HashMap<String, String>,
    /// Everything else by the provider's id.
    sent: HashMap<String, String>,
    letters: Option<Mailbox>,
}

impl Words {
    /// Words that cannot be read are left out: what became of them is what was asked.
    pub(super) async fn read(cloud: &Cloud, recipient: &str, terminal: &Terminal) -> Result<Words, Error> {
        let mut words = Words { live: live(cloud, recipient).await?, sent: HashMap::new(), letters: None };
        let Some(local) = &cloud.local else { return Ok(words) };
        match Mailbox::read(&local.endpoint()) {
            Ok(it) => words.letters = Some(it),
            Err(error) => terminal.note(&format!("letters cannot be shown: {error}")),
        }
        let captured = format!("{}/captured", local.capture_endpoint());
        match ask(&captured) {
            Ok(found) => collect(&found, &mut words.sent),
            Err(error) => terminal.note(&format!("some words cannot be shown: {error}")),
        }
        Ok(words)
    }

    pub(super) fn of(&self, row: &LedgerRow) -> Option<String> {
        let id = row.provider_id.as_deref().unwrap_or_default();
        let channel = row.channel?;
        match channel.spec().destination {
            Destination::Sockets => self.live.get(row.key.as_str()).cloned(),
            Destination::Address(_) if channel == Channel::Email => {
                self.letters.as_ref()?.find(id).map(|letter| letter.subject.clone())
            }
            Destination::Address(_) | Destination::Devices => self.sent.get(id).cloned(),
            // Its words are the tenant's system's, and `endpoints attempts` shows what that said.
            Destination::Endpoints => None,
        }
    }
}

async fn live(cloud: &Cloud, user: &str) -> Result<HashMap<String, String>, Error> {
    let inbox = Inbox::new(&store::client(&cloud.config), cloud.name("inbox"));
    let viewer = Viewer { user: user.to_owned(), view: View::All };
    let mut words = HashMap::new();
    for shelf in [Shelf::Inbox, Shelf::Archived] {
        let mut before = None;
        for _ in 0..PAGES {
            let filter = Filter { shelf, category: None };
            let page = inbox.page(&viewer, &filter, before, 100, runtime::now()).await?;
            words.extend(page.entries.into_iter().map(|entry| {
                (entry.kept.id.as_str().to_owned(), joined(&[&entry.kept.title, &entry.kept.body]))
            }));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
    }
    Ok(words)
}

fn ask(url: &str) -> Result<Value, Error> {
    let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
    let mut answer = ureq::get(url).call().map_err(|error| failed(error.to_string()))?;
    let body = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&body).map_err(|error| failed(error.to_string()))
}

/// Whatever has an id and words, however deep the service puts it.
fn collect(found: &Value, into: &mut HashMap<String, String>) {
    if let Some(list) = found.as_array() {
        list.iter().for_each(|it| collect(it, into));
    }
    let Some(object) = found.as_object() else { return };
    let id = object.get("MessageId").or(object.get("id")).and_then(Value::as_str);
    // A text is its own message.
    let words = ["Message", "message", "text"].iter().find_map(|name| object.get(*name));
    match (id, words) {
        (Some(id), Some(words)) => {
            into.insert(id.to_owned(), said(words));
        }
        _ => object.values().for_each(|it| collect(it, into)),
    }
}

/// The title and the text of a message, as their provider was given them.
fn said(message: &Value) -> String {
    let mut parts: Vec<&str> = Vec::new();
    gather(message, &mut parts);
    match parts.is_empty() {
        true => message.as_str().unwrap_or_default().to_owned(),
        false => joined(&parts),
    }
}

fn gather<'a>(value: &'a Value, parts: &mut Vec<&'a str>) {
    // `text` is what fills a template.
    for name in ["title", "body", "text"] {
        if let Some(text) = value[name].as_str().filter(|it| !parts.contains(it)) {
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
    fn the_words_of_each_service_are_found_by_its_id() {
        let mut words = HashMap::new();
        collect(
            &json!({ "sms_messages": { "+49": [{ "MessageId": "s-1", "Message": "Your turn." }] } }),
            &mut words,
        );
        let note = json!({ "GCM": { "fcmV1Message": { "message": { "notification": { "title": "Room 7", "body": "Now" } } } },
                           "default": "Now" });
        collect(&json!([{ "channel": "push", "id": "p-1", "message": note }]), &mut words);
        let chat = json!({ "type": "text", "text": { "body": "Hello\nthere" } });
        collect(&json!([{ "channel": "whatsapp", "id": "w-1", "message": chat }]), &mut words);
        let filled = json!({ "type": "body", "parameters": [{ "type": "text", "text": "Ten o'clock" }] });
        let chat = json!({ "type": "template", "template": { "name": "t", "components": [filled] } });
        collect(&json!([{ "channel": "whatsapp", "id": "w-2", "message": chat }]), &mut words);
        collect(&json!([{ "channel": "sms", "id": "s-2", "text": "Soon." }]), &mut words);
        let expected = [
            ("s-1", "Your turn."),
            ("s-2", "Soon."),
            ("p-1", "Room 7 — Now"),
            ("w-1", "Hello there"),
            ("w-2", "Ten o'clock"),
        ];
        for (id, expected) in expected {
            assert_eq!(words.get(id).map(String::as_str), Some(expected));
        }
    }
}
