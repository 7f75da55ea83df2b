use super::*;
use crate::delivery::job::{Content, Job};
use crate::event::key::Key;
use jiff::ToSpan as _;
use serde_json::{Value, json};

mod properties;

const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

#[test]
fn state_transitions_of_every_mark() {
    use State::{Archived, Read, Seen, Unseen};
    check(Mark::Seen, [Seen, Seen, Read, Archived]);
    check(Mark::Read, [Read, Read, Read, Archived]);
    check(Mark::Unread, [Unseen, Seen, Seen, Archived]);
    check(Mark::Archived, [Archived, Archived, Archived, Archived]);
    check(Mark::Unarchived, [Unseen, Seen, Read, Read]);
}

#[test]
fn counts_equal_the_listed_entries() {
    let head = three();
    let ann = View::All;
    assert_eq!(head.counts(&ann, NOON), counts(3, 3, 3));
    let (head, changed) = head.marked(&[place(1, State::Unseen), place(2, State::Unseen)], Mark::Read, NOON);
    assert_eq!(changed.len(), 2);
    assert_eq!(head.counts(&ann, NOON), counts(1, 1, 3));
    let (head, _) = head.marked(&[place(1, State::Read)], Mark::Archived, NOON);
    assert_eq!(head.counts(&ann, NOON), counts(1, 1, 2));
    let (same, changed) = head.marked(&[place(1, State::Archived)], Mark::Seen, NOON);
    assert_eq!((same, changed), (head, vec![]), "marking an archived entry as seen changes nothing");
}

#[test]
fn head_detects_writes_of_a_release_without_the_time_index() {
    let head = three();
    assert!(head.is_ordered() && head.ordered == 3);
    let mut of_the_last_release = serde_json::to_value(&head).unwrap();
    of_the_last_release.as_object_mut().unwrap().remove("ordered");
    let read: Head = serde_json::from_value(of_the_last_release).unwrap();
    let (next, _) = read.with_new_entry(None, NOON);
    assert!(!read.is_ordered() && !next.is_ordered(), "a new entry does not index earlier ones");
    assert!(Head::default().is_ordered());
}

#[test]
fn entry_time_is_the_event_time_or_the_continuation_time() {
    for (event, due, expected) in [
        ("2026-11-20T12:00:00Z", None, "2026-11-20T12:00:00Z"),
        ("2026-11-20T12:00:00Z", Some("2026-11-23T12:00:00Z"), "2026-11-23T12:00:00Z"),
        ("2026-11-20T12:00:00Z", Some("2026-11-19T12:00:00Z"), "2026-11-20T12:00:00Z"),
    ] {
        let job: Job = serde_json::from_value(json!({
            "version": 1, "key": "k-1", "rule": "r", "catalog": "c", "recipient": "ann", "priority": "normal",
            "event": { "id": "e-1", "source": "s", "type": "t", "time": event }, "due": due, "on_unknown": "resend",
            "content": { "socket": { "to": { "user": "ann" }, "title": "T", "body": "B", "data": {} } },
        }))
        .unwrap();
        let (_, kept) = Kept::of(&job).unwrap();
        assert_eq!(kept.time().to_string(), expected, "{event} {due:?}");
        let again: Kept = serde_json::from_str(&kept.to_json()).unwrap();
        assert_eq!(again.time(), kept.time());
    }
}

#[test]
fn duplicate_entry_in_a_request_is_counted_once() {
    let twice = [place(1, State::Unseen), place(1, State::Unseen)];
    let (head, changed) = three().marked(&twice, Mark::Seen, NOON);
    assert_eq!((head.counts(&View::All, NOON), changed.len()), (counts(2, 3, 3), 1));
}

#[test]
fn tenant_view_counts_its_entries_and_those_without_a_tenant() {
    let (head, _) = Head::default().with_new_entry(Some("north"), NOON);
    let (head, _) = head.with_new_entry(Some("south"), NOON);
    let (head, seq) = head.with_new_entry(None, NOON);
    assert_eq!(seq, 3, "entries of all tenants share one numbering");
    for (tenant, expected) in [(Some("north"), 2), (Some("west"), 1), (None, 3)] {
        assert_eq!(head.counts(&View::own(tenant.map(str::to_owned)), NOON).total, expected, "{tenant:?}");
    }
    let only = |tenant: &str| head.counts(&View::Only(tenant.into()), NOON).total;
    assert_eq!((only("north"), only("west")), (1, 0), "an admin's view counts only the tenant's entries");
}

#[test]
fn week_expires_as_a_whole_without_a_write() {
    let (head, _) = Head::default().with_new_entry(None, NOON);
    let gone = expires_at(NOON);
    let kept = gone.duration_since(NOON).as_hours() / 24;
    assert!((RETENTION_DAYS..=RETENTION_DAYS + 7).contains(&kept), "{kept} days");
    let (ann, before) = (View::All, gone.checked_sub(1.second()).unwrap());
    assert_eq!(head.counts(&ann, before).total, 1);
    assert_eq!(head.counts(&ann, gone).total, 0);
    let (same, changed) = head.marked(&[place(1, State::Unseen)], Mark::Seen, gone);
    assert_eq!((&same, changed.len()), (&head, 0), "an expired entry is not marked");
    let (next, seq) = head.with_new_entry(None, gone);
    assert_eq!((seq, next.counts(&ann, gone).total), (2, 1), "the numbering continues");
    assert_eq!(head.expires_at(), gone);
}

#[test]
fn head_round_trips_through_json() {
    let text = serde_json::to_string(&three()).unwrap();
    assert_eq!(text, r#"{"last":3,"ordered":3,"sums":[{"week":2968,"unseen":3,"unread":3,"total":3}]}"#);
    assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), three());
    assert_eq!(serde_json::from_str::<Head>("{}").unwrap(), Head::default());
}

#[test]
fn in_app_message_to_a_person_is_stored_unless_ephemeral() {
    let kept = |content: &Value| {
        let job = job(content);
        Kept::of(&job).map(|(user, kept)| (user.to_owned(), kept.to_json()))
    };
    let to = |to: &Value, ephemeral: bool| {
        json!({ "socket": { "to": to, "title": "T", "body": "Soon", "data": { "at": 3 }, "category": "queue",
                            "ephemeral": ephemeral } })
    };
    let (user, text) = kept(&to(&json!({ "user": "ann" }), false)).unwrap();
    assert_eq!(user, "ann");
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&read["title"], &read["category"], &read["data"]["at"]),
        (&json!("T"), &json!("queue"), &json!(3))
    );
    assert!(kept(&to(&json!({ "user": "ann" }), true)).is_none(), "ephemeral");
    assert!(kept(&to(&json!({ "room": "queue:7" }), false)).is_none(), "a room has no inbox");
    let letter =
        json!({ "email": { "to": "a@example.com", "subject": "", "html": "", "text": "", "locale": "en" } });
    assert!(kept(&letter).is_none(), "not an in-app message");
    let before = json!({ "socket": { "to": { "user": "ann" }, "title": "T", "body": "Soon", "data": {} } });
    assert!(kept(&before).is_some(), "jobs of the last release have neither member");
}

#[test]
fn oversized_entry_loses_its_data_and_then_text() {
    let long = "x".repeat(MAX_ENTRY_BYTES);
    let kept = |body: &str, data: &Value| {
        let to = json!({ "user": "ann" });
        let content = json!({ "socket": { "to": to, "title": body, "body": body, "data": data } });
        Kept::of(&job(&content)).unwrap().1
    };
    let fits = kept("Soon", &json!({ "at": 3 }));
    assert!(fits.data.is_some() && !fits.truncated);
    let short = kept("Soon", &json!({ "all": long }));
    assert!(short.data.is_none() && short.truncated && short.body.expose() == "Soon");
    for body in [long.clone(), "\"".repeat(MAX_ENTRY_BYTES), "\u{1}é".repeat(9_000), "👋🏽".repeat(5_000)]
    {
        let cut = kept(&body, &json!({}));
        assert!(cut.to_json().len() <= MAX_ENTRY_BYTES && cut.truncated, "{}", cut.to_json().len());
        let text = cut.body.expose();
        assert!(text.ends_with('…') && body.starts_with(text.trim_end_matches('…')));
        assert!(cut.to_json().len() > MAX_ENTRY_BYTES - 16, "the text is truncated only as needed");
    }
}

fn job(content: &Value) -> Job {
    let job = json!({
        "version": 1, "key": "k", "rule": "r", "catalog": "c", "recipient": "ann", "priority": "normal",
        "on_unknown": "resend", "content": content,
        "event": { "id": "1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" },
    });
    let job: Job = serde_json::from_str(&job.to_string()).unwrap();
    assert!(
        matches!(job.content, Content::Socket(_) | Content::Email(_)) && job.key == Key::from("k".to_owned())
    );
    job
}

/// A head with three entries without a tenant.
fn three() -> Head {
    (0..3).fold(Head::default(), |head, _| head.with_new_entry(None, NOON).0)
}

fn place(seq: u64, state: State) -> Place {
    Place { seq, state, tenant: None, created: NOON }
}

fn counts(unseen: u32, unread: u32, total: u32) -> Counts {
    Counts { unseen, unread, total }
}

/// Checks the state after a mark from: unseen, seen, read, archived.
#[track_caller]
fn check(mark: Mark, expected: [State; 4]) {
    assert_eq!(State::ALL.map(|all| all.after(mark)), expected, "{}", mark.name());
}
