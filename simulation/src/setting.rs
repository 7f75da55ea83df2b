//! Catalog and people of every run.

use std::collections::BTreeMap;
use std::rc::Rc;

use dispatch::WaysOut;
use domain::catalog::{CATALOG_FORMAT, Catalog};
use domain::endpoint::Endpoint;
use domain::event::Event;
use domain::plan::{Plan, endpoint_name};
use domain::recipient::{Recipient, Recipients};
use runtime::Env;
use serde_json::json;
use templates::Renderer;

pub(crate) struct Setting {
    pub(crate) catalog: Catalog,
    pub(crate) renderer: Renderer,
    pub(crate) recipients: Recipients,
    pub(crate) ways_out: WaysOut,
    endpoint: Endpoint,
}

/// Files of the only template.
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

    /// Plan of an event, with the existing endpoints.
    pub(crate) fn plan<'a>(&'a self, event: &'a Event) -> Plan<'a> {
        let mut plan = Plan::of(event, &self.catalog);
        for matched in &mut plan.matches {
            for group in std::mem::take(&mut matched.groups) {
                matched.add(&group, [self.endpoint.id.id.clone()]);
            }
        }
        for id in plan.unknown_endpoints() {
            plan.endpoints.insert(endpoint_name(&id), self.endpoint.clone());
        }
        plan
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
        ]);
        let templates: BTreeMap<String, &str> =
            FILES.iter().map(|file| (format!("note/en/{file}"), "News of {{ data.user }}")).collect();
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
        let recipients = ["ann", "ben"].into_iter().map(|name| (name.to_owned(), person(name))).collect();
        let endpoint = json!({ "id": "crm", "url": "https://crm.example.com/hooks" });
        let endpoint = serde_json::from_value(endpoint).expect("an endpoint as the table has it");
        Setting { renderer: Renderer::new(&catalog), catalog, recipients, ways_out: ways_out(), endpoint }
    }
}

fn ways_out() -> WaysOut {
    let variables = [
        ("UNSUBSCRIBE_URL", "https://example.com"),
        ("UNSUBSCRIBE_KEYS", r#"{"k1":"a secret of the simulation, long enough"}"#),
        ("UNSUBSCRIBE_KEY", "k1"),
    ];
    let env: Env = variables.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    WaysOut::from_env(&env).expect("all that it needs is there")
}
