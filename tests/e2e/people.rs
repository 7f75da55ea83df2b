//! Updates of people, topics and tenants by the bus and the CLI.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::time::Duration;

use domain::Timestamp;
use domain::recipient::recipient_changes::{Stamp, Topic};
use domain::recipient::{Group, Recipient};
use publish::Entry;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, entry, now};
use testkit::until::{quiet, until};
use workspace::{root, unique};

mod by_http;
mod privacy;
mod received;
mod tenancy;

pub(crate) use by_http::http;

#[tokio::test]
async fn person_is_created_changed_and_deleted_by_events_with_their_memberships() {
    let cloud = Cloud::connect();
    let (id, clinic) = (unique("user"), unique("clinic"));
    let (staff, team) = (staff(&clinic), Group::topic(Some(&clinic), "team:7"));
    let person = json!({
        "id": id, "name": "Ann", "email": "ann@example.com", "tenants": [clinic], "topics": ["team:7"],
        "roles": [{ "role": "clinic-staff", "in": clinic }],
        "devices": [{ "id": "d", "platform": "apns", "endpoint": "arn:e" }],
    });
    cloud.put(&[news("recipient.created", now(), &person)]).await;
    let found = until("she is known", async || find(&cloud, &id).await).await;
    assert!(found == serde_json::from_value(person).unwrap());
    assert_eq!(all(&cloud, &staff).await, [id.as_str()]);
    assert_eq!(all(&cloud, &team).await, [id.as_str()]);

    let patch = json!({ "id": id, "name": "Anna", "email": null, "roles": [] });
    cloud.put(&[news("recipient.updated", now(), &patch)]).await;
    let changed = until("she is Anna", async || {
        find(&cloud, &id).await.filter(|person| person.name == Some("Anna".into()))
    })
    .await;
    assert!(changed.email.is_none() && changed.devices == found.devices);
    assert!(all(&cloud, &staff).await.is_empty());
    assert_eq!(all(&cloud, &team).await, [id.as_str()]);

    let then = now();
    cloud.put(&[news("recipient.deleted", then, &json!({ "id": id }))]).await;
    until("she is gone", async || find(&cloud, &id).await.is_none().then_some(())).await;
    assert!(all(&cloud, &team).await.is_empty());
    let late = news("recipient.updated", then - Duration::from_secs(5), &json!({ "id": id, "name": "Late" }));
    cloud.put(&[late]).await;
    quiet().await;
    assert!(find(&cloud, &id).await.is_none(), "what was said before does not bring her back");
}

#[tokio::test]
async fn late_and_duplicate_events_leave_the_same_person_as_events_in_order() {
    let cloud = Cloud::connect();
    let id = unique("user");
    let start = now() - Duration::from_secs(60);
    let at = |second: u64| start + Duration::from_secs(second);
    let newest = news("recipient.updated", at(3), &json!({ "id": id, "email": "new@example.com" }));
    let middle =
        news("recipient.updated", at(2), &json!({ "id": id, "email": "old@example.com", "zone": "Etc/UTC" }));
    let first =
        news("recipient.created", at(1), &json!({ "id": id, "name": "Ann", "email": "first@example.com" }));
    for event in [&newest, &middle, &first, &newest, &middle] {
        cloud.put(std::slice::from_ref(event)).await;
    }
    let expected = json!({ "id": id, "name": "Ann", "email": "new@example.com", "zone": "Etc/UTC" });
    let expected: Recipient = serde_json::from_value(expected).unwrap();
    until("all are in", async || find(&cloud, &id).await.filter(|person| *person == expected)).await;
    quiet().await;
    assert!(find(&cloud, &id).await == Some(expected), "and it stays so");
}

#[tokio::test]
async fn topic_is_scoped_to_its_tenant() {
    let cloud = Cloud::connect();
    let (ours, theirs) = (unique("tenant"), unique("tenant"));
    let (ann, ben) = (unique("user"), unique("user"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [ours, theirs] })).await;
    cloud.new_recipient_with(json!({ "id": ben, "tenants": [theirs], "topics": ["project:42"] })).await;
    let mut joined = news("topic.joined", now(), &json!({ "topic": "project:42", "users": [ann, ben] }));
    joined.detail = of_tenant(&joined.detail, &ours);
    cloud.put(&[joined]).await;
    let (here, there) = (Group::topic(Some(&ours), "project:42"), Group::topic(Some(&theirs), "project:42"));
    until("ann follows", async || (all(&cloud, &here).await == [ann.as_str()]).then_some(())).await;
    assert_eq!(all(&cloud, &there).await, [ben.as_str()]);
    let mut left = news("topic.left", now(), &json!({ "topic": "project:42", "users": [ann, ben] }));
    left.detail = of_tenant(&left.detail, &ours);
    cloud.put(&[left]).await;
    until("ann is out", async || all(&cloud, &here).await.is_empty().then_some(())).await;
    assert_eq!(all(&cloud, &there).await, [ben.as_str()], "what was left was ours");
}

#[tokio::test]
async fn tenant_settings_are_found_with_its_people() {
    let cloud = Cloud::connect();
    let (ann, clinic) = (cloud.new_recipient().await, unique("clinic"));
    let output = |zone: &str, at| news("tenant.updated", at, &json!({ "id": clinic, "zone": zone }));
    cloud.put(&[output("Europe/London", now())]).await;
    let ids = BTreeSet::from([ann.id.as_str()]);
    let look = async || cloud.people.look_up(&ids, &BTreeSet::from([clinic.as_str()])).await.unwrap();
    let found =
        until("the tenant", async || Some(look().await).filter(|people| !people.tenants.is_empty())).await;
    assert_eq!(found.tenant(Some(&clinic)).unwrap().zone.as_deref(), Some("Europe/London"));
    assert!(found.recipients.contains_key(&ann.id));
    cloud.put(&[output("Asia/Tokyo", now() - Duration::from_secs(60))]).await;
    quiet().await;
    assert_eq!(look().await.tenant(Some(&clinic)).unwrap().zone.as_deref(), Some("Europe/London"));
}

#[tokio::test]
async fn invalid_person_is_dead_lettered_once_with_its_cause() {
    let cloud = Cloud::connect();
    let known = cloud.new_recipient().await;
    for (detail, kind, data) in [
        (
            "data.<4 characters>: found a member",
            "recipient.created",
            json!({ "id": unique("user"), "mail": "a@example.com" }),
        ),
        ("data.id: found nothing", "recipient.updated", json!({ "name": unique("name") })),
        (
            "data.email: found a text of 10 characters (there is no @ in it), wanted an e-mail address",
            "recipient.created",
            json!({ "id": unique("user"), "email": "no-at-sign" }),
        ),
        (
            "data.phone: found a text of 5 characters",
            "recipient.updated",
            json!({ "id": known.id, "phone": "+1900" }),
        ),
        (
            "data.name: found 257 characters, wanted at most 256 characters",
            "recipient.updated",
            json!({ "id": known.id, "name": "n".repeat(257) }),
        ),
        // The error depends on the stored person, so it is found only after the read.
        ("data.devices: found a number", "recipient.updated", json!({ "id": known.id, "devices": 7 })),
        (
            "data.zone: found a text that names no time zone",
            "recipient.created",
            json!({ "id": unique("user"), "zone": "Mars/Phobos" }),
        ),
        (
            "data.in_tenants.<1 character>.zone: found a text that names no time zone",
            "recipient.updated",
            json!({ "id": known.id, "in_tenants": { "t": { "zone": "X/Y" } } }),
        ),
        (
            "data.zone: found a text that names no time zone",
            "tenant.updated",
            json!({ "id": unique("clinic"), "zone": "bad" }),
        ),
        ("data.users: found 0 entries", "topic.joined", json!({ "topic": unique("x:1"), "users": [] })),
        ("type: found a text of 24 characters", "recipient.moved", json!({ "id": unique("user") })),
    ] {
        let bad = news(kind, now(), &data);
        let mark = serde_json::from_str::<Value>(&bad.detail).unwrap()["id"].as_str().unwrap().to_owned();
        let good = unique("user");
        cloud.put(&[bad, news("recipient.created", now(), &json!({ "id": good }))]).await;
        let emails = until("a dead letter", async || {
            Some(cloud.dead_letters("people", &mark).await).filter(|messages| !messages.is_empty())
        })
        .await;
        assert_eq!(emails.len(), 1, "once");
        let attributes = emails[0].message_attributes.as_ref().unwrap();
        let notified = |name: &str| attributes[name].string_value().unwrap().to_owned();
        assert_eq!((notified("cause").as_str(), notified("by").as_str()), ("refused", "people"));
        assert!(notified("detail").starts_with(detail), "{}", notified("detail"));
        until("the neighbour is known", async || find(&cloud, &good).await).await;
    }
    assert!(find(&cloud, &known.id).await == Some(known));
}

#[tokio::test]
async fn large_audience_is_read_in_pages_from_any_position() {
    let cloud = Cloud::connect();
    let clinic = unique("clinic");
    let ids: Vec<String> = (0..130).map(|at| format!("{clinic}-{at:03}")).collect();
    let role = json!([{ "role": "clinic-staff", "in": clinic }]);
    let people: Vec<Recipient> =
        ids.iter().map(|id| serde_json::from_value(json!({ "id": id, "roles": role })).unwrap()).collect();
    cloud.people.put(&people, now()).await.unwrap();
    let (mut seen, mut start): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = cloud.people.members(&staff(&clinic), start.as_deref(), 50).await.unwrap();
        assert!(page.ids.len() <= 50);
        seen.extend(page.ids);
        // The last person of a page may have been deleted when the next page is read.
        if let Some(last) = &page.next {
            let stamp = Stamp { at: now(), by: "test".to_owned() };
            cloud.people.remove(last, stamp).await.unwrap();
        }
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    assert_eq!(all(&cloud, &staff(&clinic)).await.len(), 128);
}

#[tokio::test]
async fn memberships_over_the_transaction_limit_are_replaced_exactly() {
    let cloud = Cloud::connect();
    let (id, mark) = (unique("user"), unique("many"));
    let topics = |email: &str| (0..120).map(|number| format!("{mark}:{email}{number}")).collect::<Vec<_>>();
    let (before, after) = (topics("a"), topics("b"));
    for topics in [&before, &after, &after] {
        cloud.new_recipient_with(json!({ "id": id, "topics": topics })).await;
    }
    for (topics, expected) in [(&before, 0), (&after, 1)] {
        for topic in topics {
            assert_eq!(all(&cloud, &Group::topic(None, topic)).await.len(), expected, "{topic}");
        }
    }
}

#[tokio::test]
async fn concurrent_writers_leave_no_stale_membership() {
    let cloud = Cloud::connect();
    let (id, mark) = (unique("user"), unique("race"));
    let topic = |at: usize| format!("{mark}:{at}");
    let joins = (0..4).map(|at| {
        let (cloud, id, name) = (&cloud, &id, topic(at));
        async move {
            cloud.new_recipient_with(json!({ "id": id, "topics": [name] })).await;
            let stamp = Stamp { at: now(), by: format!("test {at}") };
            cloud.people.join(&Topic { tenant: None, name: format!("{name}x") }, id, stamp).await.map(drop)
        }
    });
    for joined in futures_util::future::join_all(joins).await {
        joined.unwrap();
    }
    let person = find(&cloud, &id).await.unwrap();
    let mut entered = BTreeSet::new();
    for name in (0..4).flat_map(|at| [topic(at), format!("{}x", topic(at))]) {
        let group = Group::topic(None, &name);
        if !all(&cloud, &group).await.is_empty() {
            entered.insert(group);
        }
    }
    assert_eq!(entered, person.groups());
}

#[test]
fn cli_imports_shows_and_lists_people_and_tenants() {
    let (clinic, ann) = (unique("clinic"), unique("user"));
    let lines = [
        json!({ "tenant": clinic, "zone": "Europe/London" }),
        json!({ "id": ann, "phone": "+442071838750", "tenants": [clinic], "topics": ["project:42"],
            "roles": [{ "role": "clinic-staff", "in": clinic }] }),
        json!({ "id": unique("user"), "topics": ["no-value"] }),
        json!({ "tenant": clinic, "name": "x" }),
        json!({ "id": unique("user"), "zone": "Mars/Phobos" }),
        json!({ "tenant": clinic, "zone": "bad" }),
        json!({ "id": unique("user"), "email": "a@b.c\r\nBcc: x@example.com" }),
        json!({ "id": unique("user"), "locale": "l".repeat(36) }),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{clinic}.jsonl"));
    std::fs::write(&file, text.join("\n")).unwrap();
    let output = carillon(&["people", "import", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let notified = String::from_utf8_lossy(&output.stderr);
    assert!(notified.contains("jsonl:3: topics: found a name without a value"), "{notified}");
    assert!(notified.contains("jsonl:4: name: found a member that is not known"), "{notified}");
    assert!(notified.contains("jsonl:5: zone: found a text that names no time zone"), "{notified}");
    assert!(notified.contains("jsonl:6: zone: found a text that names no time zone"), "{notified}");
    assert!(notified.contains("jsonl:7: email: found a text of"), "{notified}");
    assert!(!notified.contains("Bcc"), "{notified}");
    assert!(notified.contains("jsonl:8: locale: found 36 bytes, wanted at most 35 bytes"), "{notified}");
    let notified = String::from_utf8_lossy(&output.stdout);
    assert!(notified.contains("6 refused, 1 person and 1 tenant"), "{notified}");

    let shown: Value = serde_json::from_slice(&carillon(&["--json", "people", "show", &ann]).stdout).unwrap();
    assert_eq!(shown, lines[1]);
    let table = carillon(&["people", "show", &ann]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.lines().any(|line| line.split_whitespace().eq(["phone", "+442071838750"])), "{table}");
    assert_eq!(carillon(&["people", "show", &unique("nobody")]).status.code(), Some(1));

    let members = |words: &[&str]| {
        let output = carillon(&[&["people", "members"], words].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    assert_eq!(members(&["topic:project:42", "--tenant", &clinic]), (Some(0), ann.clone()));
    assert_eq!(members(&["role:clinic-staff", "--in", &clinic]), (Some(0), ann.clone()));
    assert_eq!(members(&["role:clinic-staff", "--in", &clinic, "--after", &ann]).0, Some(1));
    assert_eq!(members(&["topic:project:42", "--tenant", &unique("other")]).0, Some(1));
    assert_eq!(members(&["clinic-staff"]).0, Some(2));
}

#[test]
fn import_refuses_unreachable_audiences_and_a_dry_run_writes_no_row() {
    let id = unique("user");
    let lines = [
        json!({ "id": id, "tenants": ["*"], "phone": "+44 (0)7700 900124", "email": "Ann <ann@exämple.org>" }),
        json!({ "id": unique("user"), "preferences": { "channel_types": { "e-mail": false } } }),
        json!({ "id": unique("user"), "preferences": { "categories": { "news": { "channels": { "sms ": false } } } } }),
        json!({ "id": unique("user"), "roles": [{ "role": "clinic-stuff", "in": "a" }] }),
        json!({ "id": unique("user"), "topics": ["projekt:42"] }),
        json!({ "id": unique("user"), "phone": "020 7946 0102" }),
        json!({ "id": unique("user"), "preferences": { "channel": { "sms": false } } }),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{id}.jsonl"));
    std::fs::write(&file, text.join("\n")).unwrap();
    let output = carillon(&["--json", "people", "import", "--dry-run", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let noted = carillon(&["people", "import", "--dry-run", file.to_str().unwrap()]);
    let notified = String::from_utf8_lossy(&noted.stderr);
    for expected in [
        "jsonl:2: preferences.channel_types.e-mail: found the unknown channel `e-mail`, wanted one of",
        "did you mean `email`?",
        "jsonl:3: preferences.categories.news.channels.sms ",
        "did you mean `clinic-staff`?",
        "jsonl:5: topics: found a topic that the policy does not know",
        "jsonl:6: phone: found a text of 13 characters (it does not begin with + and the country code)",
        "did you mean `channels`?",
    ] {
        assert!(notified.contains(expected), "{expected}: {notified}");
    }
    let answers: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let refused = answers.iter().filter(|answer| answer["refused"].is_string()).count();
    assert_eq!((refused, answers.len()), (6, 8), "each refusal is a line of JSON, too");
    assert_eq!(
        (&answers[6]["phone"], &answers[6]["email"]),
        (&json!("+447700900124"), &json!("ann@xn--exmple-cua.org"))
    );
    assert_eq!(answers[7], json!({ "dry_run": true, "people": 1, "tenants": 0, "refused": 6 }));
    assert_eq!(carillon(&["people", "show", &id]).status.code(), Some(1), "nobody was stored");
}

async fn find(cloud: &Cloud, id: &str) -> Option<Recipient> {
    cloud.people.find(&BTreeSet::from([id])).await.unwrap().remove(id)
}

async fn all(cloud: &Cloud, group: &Group) -> Vec<String> {
    let page = cloud.people.members(group, None, 1_000).await.unwrap();
    assert_eq!(page.next, None);
    page.ids
}

fn staff(clinic: &str) -> Group {
    Group::Role { scope: clinic.to_owned(), role: "clinic-staff".to_owned() }
}

fn news(kind: &str, at: Timestamp, data: &Value) -> Entry {
    let kind = format!("carillon.{kind}");
    let detail = json!({
        "specversion": "1.0", "id": unique("event"), "source": "tests", "type": kind, "time": at.to_string(),
        "data": data,
    });
    entry("tests", &kind, &detail)
}

fn of_tenant(detail: &str, tenant: &str) -> String {
    let mut detail: Value = serde_json::from_str(detail).unwrap();
    detail["tenant"] = tenant.into();
    detail.to_string()
}

fn carillon(arguments: &[&str]) -> Output {
    Command::new(root().join("target/local/carillon")).args(arguments).current_dir(root()).output().unwrap()
}
