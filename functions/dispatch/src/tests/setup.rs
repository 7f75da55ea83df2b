//! The events, people and rules of the tests.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::catalog::{CATALOG_FORMAT, Catalog};
use domain::decide::continuation::{Continuation, Cursor, Task};
use domain::event::Event;
use domain::recipient::Group;
use domain::recipient::unsubscribe::Keys;
use serde_json::{Value, json};

use super::cloud::Cloud;
use crate::{Config, Dispatcher, Lanes, Targets};

pub(super) fn now() -> Timestamp {
    runtime::now()
}

pub(super) fn paid(id: &str, user: &str) -> String {
    event(id, "order.paid", &json!({ "user": user }), now())
}

/// The body that EventBridge puts into the queue for an event.
pub(super) fn event(id: &str, kind: &str, data: &Value, time: Timestamp) -> String {
    let time = time.to_string();
    let detail = json!({
        "specversion": "1.0", "id": id, "source": "/shop", "type": kind, "time": time, "data": data,
    });
    json!({
        "version": "0", "id": format!("bus-{id}"), "detail-type": kind, "source": "/shop",
        "account": "123456789012", "time": time, "resources": [], "detail": detail,
    })
    .to_string()
}

/// The continuation for the members of a topic after `aaa`.
pub(super) fn page() -> String {
    let event = json!({
        "specversion": "1.0", "id": "e-1", "source": "/shop", "type": "news.posted", "time": now().to_string(),
        "data": { "user": "ann", "topic": "1" },
    });
    let group = Group::Topic { tenant: None, name: "news:1".to_owned() };
    let task = Task::FanOut { cursor: Cursor::Member { group, after: "aaa".to_owned() } };
    Continuation::new(&Event::parse(&event.to_string()).unwrap(), "news", task).to_json()
}

/// A cloud with two people, and a third without an e-mail address.
pub(super) fn cloud() -> Cloud {
    let person = |id: &str, email: Option<&str>| {
        let mut item =
            json!({ "pk": { "S": format!("user#{id}") }, "sk": { "S": "profile" }, "id": { "S": id } });
        if let Some(email) = email {
            item["email"] = json!({ "S": email });
        }
        (format!("user#{id}"), item)
    };
    let people = [
        person("ann", Some("ann@example.com")),
        person("ben", Some("ben@example.com")),
        person("cleo", None),
    ];
    Cloud { items: people.into(), ..Cloud::default() }
}

pub(super) fn dispatcher(cloud: &Cloud) -> Dispatcher {
    let url = |name: &str| format!("https://sqs.example/{name}");
    let arn = |name: &str| format!("arn:{name}");
    let keys = Keys::read(r#"{"k1":"a secret of the tests, long enough"}"#, "k1").unwrap();
    let queues = |channel: Channel| {
        let name = channel.name();
        (channel, url(name), url(&format!("{name}-critical")))
    };
    let config = Config {
        catalog: catalog(),
        people_table: "people".to_owned(),
        endpoints_table: "endpoints".to_owned(),
        ledger_table: "ledger".to_owned(),
        counters_table: "counters".to_owned(),
        dead_letters_url: url("dead-letters"),
        lanes: Lanes { critical: url("critical"), normal: url("normal"), bulk: url("bulk") },
        links: engine::UnsubscribeLinks::new("https://example.com", keys, None),
        schedule: schedule::Config { prefix: "test-".to_owned(), role_arn: arn("role") },
        targets: Targets { critical_arn: arn("critical"), normal_arn: arn("normal"), bulk_arn: arn("bulk") },
        channels: Channel::ALL.into_iter().map(queues).collect(),
        function: "dispatch".to_owned(),
    };
    Dispatcher::new(&cloud.config(), config)
}

fn catalog() -> Catalog {
    let rule = |name: &str, kind: &str, template: &str| {
        json!({
            "rule": name, "when": { "detail-type": [kind] }, "category": name, "template": template,
            "steps": [{ "send": { "channels": ["email"] } }], "to": [{ "user": { "path": "$.data.user" } }],
        })
    };
    let mut code = rule("code", "code.issued", "note");
    code["expires"] = "PT1M".into();
    let mut visit = rule("visit", "visit.booked", "note");
    visit["cancel"] = json!({ "key": ["$.data.visit"], "when": { "detail-type": ["visit.cancelled"] } });
    let mut news = rule("news", "news.posted", "note");
    news["to"] = json!([{ "topic": { "name": "news", "of": { "path": "$.data.topic" } } }]);
    let rules = json!([
        news,
        rule("paid", "order.paid", "note"),
        code,
        visit,
        rule("report", "report.written", "report"),
    ]);
    let file = |template: &str, part: &str, text: &str| (format!("{template}/en/{part}"), text.to_owned());
    let repeated = "{{ data.text }}".repeat(6);
    let templates: BTreeMap<String, String> = [
        file("note", "email.subject.txt", "News"),
        file("note", "email.txt", "News of {{ data.user }}"),
        file("note", "email.html", "<p>News of {{ data.user }}</p>"),
        file("report", "email.subject.txt", "Report"),
        file("report", "email.txt", &repeated),
        file("report", "email.html", &repeated),
    ]
    .into();
    let file = json!({ "format": CATALOG_FORMAT, "version": "1", "rules": rules, "templates": templates });
    Catalog::open(serde_json::from_value(file).unwrap()).unwrap()
}
