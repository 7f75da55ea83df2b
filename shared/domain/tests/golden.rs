//! Golden files of messages and catalogs from releases, in `fixtures/<release>/`. The current code must read them with
//! their original meaning. Its own output must contain every member of them, so that the last release can read it.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::Reason;
use domain::catalog::{CATALOG_FORMAT, Catalog, CatalogFile};
use domain::decide::continuation::{Continuation, Cursor, Task, WAKE_VERSION};
use domain::decide::plan::Audience;
use domain::delivery::job::{Content, JOB_VERSION, Job, SocketTarget};
use domain::event::{Event, Priority};
use domain::recipient::keyed_hash::KeyedHashes;
use serde_json::Value;

/// The release whose messages may still be in queues, schedules and tables during the deployment of this release.
const LAST_RELEASE: &str = "0.1.0";

#[test]
fn jobs_of_the_last_release_keep_their_meaning() {
    let jobs = files(LAST_RELEASE, "jobs");
    let read: BTreeMap<&str, Job> =
        jobs.iter().map(|(name, text)| (name.as_str(), job(name, text))).collect();
    for (name, channel, recipient, address) in [
        ("email", Channel::Email, "ann", Some("ann@example.com")),
        ("email-least", Channel::Email, "ann", Some("ann@example.com")),
        ("push", Channel::Push, "ann", None),
        ("push-least", Channel::Push, "ann", None),
        ("sms", Channel::Sms, "ann", Some("+493012345678")),
        ("sms-least", Channel::Sms, "ann", Some("+493012345678")),
        ("whatsapp", Channel::Whatsapp, "ann", Some("+493012345678")),
        ("whatsapp-least", Channel::Whatsapp, "ann", Some("+493012345678")),
        ("socket", Channel::Socket, "ann", None),
        ("socket-room", Channel::Socket, "room:clinic:7", None),
        ("webhook", Channel::Webhook, "endpoint:clinic-7/crm", None),
        ("webhook-ping", Channel::Webhook, "endpoint:-/crm", None),
        ("webhook-least", Channel::Webhook, "endpoint:-/crm", None),
    ] {
        let job = &read[name];
        assert_eq!((job.channel(), job.recipient.as_str()), (channel, recipient), "{name}");
        assert_eq!(job.content.address().as_ref().map(|found| *found.expose()), address, "{name}");
        assert_eq!(job.key.as_str(), "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "{name}");
        assert_eq!((job.event.id.as_str(), job.event.source.as_str()), ("e-1", "/clinic"), "{name}");
        assert_eq!(job.priority, Priority::High, "{name}");
    }
    assert_eq!(read.len(), 13, "every golden job is compared");
    // Members that the last release omits when they have their default.
    let least = &read["email-least"];
    assert_eq!((least.step, least.held_s, least.one_time), (0, 0, false));
    assert!(least.expires_at.is_none() && least.failover.is_none() && least.set.is_none());
    let whole = &read["sms"];
    assert_eq!(whole.expires_at, Some(time("2026-11-20T13:00:00Z")));
    assert_eq!((whole.step, whole.held_s, whole.one_time), (1, 30, true));
    let failover = whole.failover.as_ref().unwrap();
    assert_eq!(failover.to, Channel::Sms);
    assert_eq!(failover.continuation.event().unwrap(), event());
}

#[test]
fn continuations_of_the_last_release_keep_their_meaning() {
    let continuations = files(LAST_RELEASE, "wakes");
    for (name, text) in &continuations {
        let continuation = continuation(name, text);
        assert_eq!(
            (continuation.rule.as_str(), continuation.event().unwrap()),
            ("booked", event()),
            "{name}"
        );
        let run = |wanted: &str| match &continuation.task {
            Task::Run { audience, start } => {
                assert_eq!(audience.name(&hashes()), wanted, "{name}");
                start.clone()
            }
            Task::Close { .. } | Task::FanOut { .. } => panic!("{name}"),
        };
        match name.as_str() {
            "wait" => {
                let start = run("ann");
                assert_eq!((start.step, start.counted), (2, 1));
                assert_eq!(start.due, Some(time("2026-11-20T12:10:00Z")));
            }
            "quiet-hours" => {
                let start = run("ben");
                assert!(matches!(&continuation.task, Task::Run { audience: Audience::Member(_), .. }));
                assert_eq!((start.only, start.device.as_deref()), (Some(Channel::Push), Some("d-1")));
            }
            "recurrence" => {
                let audience =
                    Audience::Address { channel: Channel::Email, address: "ann@example.com".into() };
                assert_eq!(run(&audience.name(&hashes())).occurrence, 3);
            }
            "again" => assert_eq!(run("room:clinic:7").again.as_deref(), Some("n-1")),
            "failover" => {
                let instead = run("endpoint:clinic-7/crm").instead_of.unwrap();
                assert_eq!((instead.channel, instead.why), (Channel::Email, Reason::RetriesExhausted));
            }
            "digest" | "digest-least" => {
                let Task::Close { audience, step, only, window, window_id, resume } = &continuation.task
                else {
                    panic!()
                };
                assert_eq!((audience.name(&hashes()).as_str(), *step), ("ann", 1));
                assert_eq!((window.as_str(), window_id.as_str()), ("w-1", "wi-1"));
                assert_eq!((only.is_some(), resume.is_some()), (name == "digest", name == "digest"));
            }
            "page-named" => assert_eq!(continuation.task, Task::FanOut { cursor: Cursor::Named(100) }),
            "page-topic" | "page-role" | "page-endpoints" => {
                let Task::FanOut { cursor: Cursor::Member { after, .. } } = &continuation.task else {
                    panic!("{name}")
                };
                assert_eq!(after, if name == "page-endpoints" { "crm" } else { "ann" });
            }
            other => panic!("{other} has no comparison"),
        }
    }
    assert_eq!(continuations.len(), 11);
}

#[test]
fn catalog_of_the_last_release_keeps_its_meaning() {
    let text = fs::read_to_string(folder(LAST_RELEASE).join("catalog.json")).unwrap();
    let file = CatalogFile::read(&text).unwrap();
    superset("catalog", &parse(&text), &serde_json::to_value(&file).unwrap());
    let catalog = Catalog::open(file).unwrap();
    assert_eq!(catalog.version(), "0123456789ab");
    let names = |kind: &str| {
        let event = Event { kind: kind.to_owned(), ..event() };
        catalog.matching(&event).iter().map(|rule| rule.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("appointment.booked"), names("hello")),
        (vec!["booked".to_owned()], vec!["least".to_owned()])
    );
    let cancelled = Event { kind: "appointment.cancelled".into(), ..event() };
    assert_eq!(catalog.cancelled_by(&cancelled).len(), 1);
    let rule = catalog.rule("booked").unwrap();
    assert_eq!(rule.channels().len(), 6);
    let policy = catalog.policy();
    assert_eq!((policy.rate, policy.zone.name()), (500, "Europe/London"));
    assert_eq!(policy.topics_of("ward", "3"), ["ward:3", "house:3"]);
}

#[test]
fn last_release_leaves_broadcasts_to_newer_functions() {
    let broadcasts = files("unreleased", "jobs");
    assert_eq!(broadcasts.len(), 2);
    for (name, text) in broadcasts {
        let job = job(&name, &text);
        assert_eq!((job.version, job.channel()), (2, Channel::Socket), "{name}");
        assert!(job.content.address().is_none(), "{name}");
        let Content::Broadcast(broadcast) = &job.content else { panic!("{name} is not a broadcast") };
        assert_eq!(broadcast.to, SocketTarget::Room("clinic:7".into()), "{name}");
        let is_least = name == "broadcast-least";
        assert_eq!(broadcast.exclude.is_empty(), is_least, "{name}");
        assert_eq!(job.is_recorded(), is_least, "{name}");
        superset(&name, &parse(&text), &serde_json::to_value(&job).unwrap());
    }
}

#[test]
fn output_has_every_member_of_the_last_release() {
    for (name, text) in files(LAST_RELEASE, "jobs") {
        superset(&name, &parse(&text), &serde_json::to_value(job(&name, &text)).unwrap());
    }
    for (name, text) in files(LAST_RELEASE, "wakes") {
        superset(&name, &parse(&text), &parse(&continuation(&name, &text).to_json()));
    }
}

#[test]
fn event_inside_a_message_is_unchanged() {
    let (name, text) = files(LAST_RELEASE, "wakes").into_iter().next().unwrap();
    assert_eq!(continuation(&name, &text).to_json(), text);
    let (name, text) = files(LAST_RELEASE, "jobs").into_iter().next().unwrap();
    assert!(text.contains("\"price\":1.50"), "{name}");
    assert!(serde_json::to_string(&job(&name, &text)).unwrap().contains("\"price\":1.50"));
}

/// A version without golden files has no test for its reader. Record them before the version changes.
#[test]
fn every_readable_version_has_golden_files() {
    let mut jobs = BTreeSet::new();
    let mut continuations = BTreeSet::new();
    let mut catalogs = BTreeSet::new();
    for release in releases() {
        jobs.extend(files(&release, "jobs").iter().map(|(_, text)| number(text, "version")));
        continuations.extend(files(&release, "wakes").iter().map(|(_, text)| number(text, "carillon_wake")));
        // The golden files of unreleased code cover only the kinds that changed.
        if let Ok(catalog) = fs::read_to_string(folder(&release).join("catalog.json")) {
            catalogs.insert(number(&catalog, "format"));
        }
    }
    let up_to = |oldest: u32, newest: u32| (oldest..=newest).collect::<BTreeSet<u32>>();
    assert_eq!(jobs, up_to(1, JOB_VERSION));
    assert_eq!(continuations, up_to(1, WAKE_VERSION));
    assert_eq!(catalogs, up_to(2, CATALOG_FORMAT));
}

fn job(name: &str, text: &str) -> Job {
    Job::read(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn continuation(name: &str, text: &str) -> Continuation {
    Continuation::read(text)
        .unwrap_or_else(|| panic!("{name} is not a continuation"))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn event() -> Event {
    let text = r#"{"specversion":"1.0","id":"e-1","source":"/clinic","type":"appointment.booked",
        "time":"2026-11-20T12:00:00Z","subject":"appointment/7","dataschema":"https://example.com/a.json",
        "tenant":"clinic-7","correlationid":"c-1","causationid":"e-0","actor":"dr-lee","priority":"high","sequence":"3",
        "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","expirytime":"2026-12-20T12:00:00Z",
        "channelhint":"x","datacontenttype":"application/json",
        "data":{"userId":"ann","price":1.50,"startsAt":"2026-11-21T09:00:00Z"}}"#;
    Event::parse(text).unwrap()
}

/// Checks that `new` has every member of `old` with the same value. `new` may have more members.
#[track_caller]
fn superset(place: &str, old: &Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                let found = new.get(name).unwrap_or_else(|| panic!("{place}.{name} is missing"));
                superset(&format!("{place}.{name}"), value, found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter().zip(new).for_each(|(old, new)| superset(&format!("{place}[]"), old, new));
        }
        (old, new) => assert_eq!(old, new, "{place}"),
    }
}

fn folder(release: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(release)
}

fn releases() -> Vec<String> {
    let all = fs::read_dir(folder("")).unwrap();
    all.map(|all| all.unwrap().file_name().into_string().unwrap()).collect()
}

/// Name and text of every golden file of a kind, sorted by name.
fn files(release: &str, kind: &str) -> Vec<(String, String)> {
    let of_kind = folder(release).join(kind);
    if !of_kind.exists() {
        return Vec::new();
    }
    let mut found: Vec<(String, String)> = fs::read_dir(of_kind)
        .unwrap()
        .map(|dir| {
            let path = dir.unwrap().path();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn number(text: &str, member: &str) -> u32 {
    u32::try_from(parse(text)[member].as_u64().unwrap()).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hashes() -> KeyedHashes {
    KeyedHashes::development()
}
