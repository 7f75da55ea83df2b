//! Catalog and people of every run.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::catalog::{CATALOG_FORMAT, Catalog};
use domain::recipient::unsubscribe::Keys;
use domain::recipient::{Recipient, Recipients};
use domain::webhook::endpoint::Endpoint;
use engine::{Engine, Facts, UnsubscribeLinks};
use serde_json::json;
use templates::Renderer;

use crate::audience::{PAGE, members};

pub(crate) struct Setting {
    pub(crate) catalog: Catalog,
    pub(crate) renderer: Renderer,
    pub(crate) recipients: Recipients,
    pub(crate) links: UnsubscribeLinks,
    pub(crate) endpoint: Endpoint,
}

/// A member whose profile has no e-mail address.
const WITHOUT_ADDRESS: &str = "m8";

/// Files of each template.
const FILES: [&str; 8] = [
    "email.html",
    "email.subject.txt",
    "email.txt",
    "push.title.txt",
    "push.txt",
    "sms.txt",
    "socket.title.txt",
    "socket.txt",
];

thread_local! {
    static SETTING: Rc<Setting> = Rc::new(Setting::new());
}

impl Setting {
    /// Setting shared by all runs of a thread, because it does not change.
    pub(crate) fn shared() -> Rc<Setting> {
        SETTING.with(Rc::clone)
    }

    /// The engine over a source of facts.
    pub(crate) fn engine<'a, F: Facts>(&'a self, facts: &'a F) -> Engine<'a, F> {
        Engine { catalog: &self.catalog, renderer: &self.renderer, facts, page_size: PAGE }
    }

    fn new() -> Setting {
        let to = json!([{ "user": { "path": "$.data.user" } }]);
        let send = |channels: &[&str]| json!([{ "send": { "channels": channels } }]);
        let rules = json!([
            // Two channels at once.
            { "rule": "paid", "when": { "detail-type": ["order.paid"] }, "category": "orders", "template": "note",
              "steps": send(&["email", "push"]), "to": to },
            // Critical, with a fallback channel.
            { "rule": "alarm", "when": { "detail-type": ["alarm.raised"] }, "category": "alarms", "template": "note",
              "priority": "critical", "to": to,
              "steps": [{ "send": { "channels": ["push"], "failover": ["sms"] } }] },
            // With an expiry.
            { "rule": "code", "when": { "detail-type": ["code.issued"] }, "category": "one-time-code",
              "template": "note", "steps": send(&["email"]), "to": to, "expires": "PT1M" },
            // With a wait, and cancellable.
            { "rule": "visit", "when": { "detail-type": ["visit.booked"] }, "category": "visits", "template": "note",
              "to": to, "cancel": { "key": ["$.data.visit"], "when": { "detail-type": ["visit.cancelled"] } },
              "steps": [{ "wait": { "for": "PT3M" } }, { "send": { "channels": ["email", "sms"] } }] },
            // For webhook endpoints.
            { "rule": "hook", "when": { "detail-type": ["order.paid"] }, "category": "hooks", "template": "note",
              "steps": send(&["webhook"]), "to": [{ "endpoints": "tenant" }], "expose": ["$.data.user"] },
            // For the inbox only.
            { "rule": "chat", "when": { "detail-type": ["chat.posted"] }, "category": "chats", "template": "note",
              "steps": send(&["socket"]), "to": [{ "room": { "name": "chat", "of": { "path": "$.data.user" } } }] },
            // A digest that each event extends and the third fills. Its events can be cancelled.
            { "rule": "remark", "when": { "detail-type": ["remark.added"] }, "category": "remarks",
              "template": "digest", "to": to,
              "cancel": { "key": ["$.data.visit"], "when": { "detail-type": ["remark.removed"] } },
              "steps": [{ "digest": { "span": "2m", "policy": { "max_items": 3, "sliding": { "max": "PT5M" } } } },
                        { "send": { "channels": ["email", "push"] } }] },
            // A digest that a schedule closes.
            { "rule": "summary", "when": { "detail-type": ["remark.added"] }, "category": "summaries",
              "template": "digest", "to": to,
              "steps": [{ "digest": { "span": "16m", "policy": {} } }, { "send": { "channels": ["email"] } }] },
            // For a group of several pages.
            { "rule": "news", "when": { "detail-type": ["news.posted"] }, "category": "news", "template": "note",
              "steps": send(&["email"]),
              "to": [{ "topic": { "name": "news", "of": { "path": "$.data.visit" } } }] },
            // For several pages of people whom the event names.
            { "rule": "list", "when": { "detail-type": ["list.posted"] }, "category": "lists", "template": "note",
              "steps": send(&["push"]), "to": [{ "user": { "path": "$.data.users" } }] },
        ]);
        let texts = [
            ("note", "News of {{ data.user }}"),
            (
                "digest",
                "{{ digest.total_activities }}{% for event in digest.activities %} {{ event.id }}{% endfor %}",
            ),
        ];
        let templates: BTreeMap<String, &str> = texts
            .iter()
            .flat_map(|(name, text)| FILES.iter().map(move |file| (format!("{name}/en/{file}"), *text)))
            .collect();
        let file =
            json!({ "format": CATALOG_FORMAT, "version": "1", "rules": rules, "templates": templates });
        let catalog = serde_json::from_value(file).expect("it is written as `carillon check` writes it");
        let catalog = Catalog::open(catalog).expect("it has this release's format");
        let person = |id: &str| -> Recipient {
            serde_json::from_value(json!({
                "id": id, "email": format!("{id}@example.com"), "phone": "+4915112345678",
                "devices": [{ "id": "phone", "platform": "fcm", "endpoint": format!("arn:{id}") }],
            }))
            .expect("a person as the people table has them")
        };
        let mut recipients: Recipients =
            ["ann", "ben"].into_iter().chain(members()).map(|name| (name.to_owned(), person(name))).collect();
        if let Some(member) = recipients.get_mut(WITHOUT_ADDRESS) {
            member.email = None;
        }
        let endpoint = json!({ "id": "crm", "url": "https://crm.example.com/hooks" });
        let endpoint = serde_json::from_value(endpoint).expect("an endpoint as the table has it");
        Setting { renderer: Renderer::new(&catalog), catalog, recipients, links: links(), endpoint }
    }
}

fn links() -> UnsubscribeLinks {
    let keys = Keys::read(r#"{"k1":"a secret of the simulation, long enough"}"#, "k1");
    UnsubscribeLinks::new("https://example.com", keys.expect("the key is in the list"), None)
}
