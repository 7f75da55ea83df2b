use super::*;
use crate::job::{Content, Job};
use crate::key::Key;
use jiff::ToSpan as _;
use serde_json::{Value, json};

mod properties;

const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

#[test]
fn an_entry_is_seen_then_read_then_put_away_and_only_two_marks_go_back() {
    use State::{Archived, Read, Seen, Unseen};
    check(Mark::Seen, [Seen, Seen, Read, Archived]);
    check(Mark::Read, [Read, Read, Read, Archived]);
    check(Mark::Unread, [Unseen, Seen, Seen, Archived]);
    check(Mark::Archived, [Archived, Archived, Archived, Archived]);
    check(Mark::Unarchived, [Unseen, Seen, Read, Read]);
}

#[test]
fn what_is_counted_is_what_lies_on_the_shelves() {
    let head = three();
    let ann = View::All;
    assert_eq!(head.counts(&ann, NOON), counts(3, 3, 3));
    let (head, changed) = head.marked(&[place(1, State::Unseen), place(2, State::Unseen)], Mark::Read, NOON);
    assert_eq!(changed.len(), 2);
    assert_eq!(head.counts(&ann, NOON), counts(1, 1, 3));
    let (head, _) = head.marked(&[place(1, State::Read)], Mark::Archived, NOON);
    assert_eq!(head.counts(&ann, NOON), counts(1, 1, 2));
    let (same, changed) = head.marked(&[place(1, State::Archived)], Mark::Seen, NOON);
    assert_eq!((same, changed), (head, vec![]), "it is put away, and was seen before");
}

#[test]
fn head_knows_when_a_release_that_files_nothing_by_time_has_written_it() {
    let head = three();
    assert!(head.is_ordered() && head.ordered == 3);
    let mut of_the_last_release = serde_json::to_value(&head).unwrap();
    of_the_last_release.as_object_mut().unwrap().remove("ordered");
    let read: Head = serde_json::from_value(of_the_last_release).unwrap();
    let (next, _) = read.with_one_more(None, NOON);
    assert!(!read.is_ordered() && !next.is_ordered(), "one more does not file those before it");
    assert!(Head::default().is_ordered());
}

#[test]
fn entry_lies_at_the_time_of_its_event_or_when_its_run_went_on() {
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
fn an_entry_that_is_named_twice_is_counted_once() {
    let twice = [place(1, State::Unseen), place(1, State::Unseen)];
    let (head, changed) = three().marked(&twice, Mark::Seen, NOON);
    assert_eq!((head.counts(&View::All, NOON), changed.len()), (counts(2, 3, 3), 1));
}

#[test]
fn who_looks_for_a_tenant_counts_its_entries_and_those_of_none() {
    let (head, _) = Head::default().with_one_more(Some("north"), NOON);
    let (head, _) = head.with_one_more(Some("south"), NOON);
    let (head, seq) = head.with_one_more(None, NOON);
    assert_eq!(seq, 3, "and they are numbered together");
    for (tenant, expected) in [(Some("north"), 2), (Some("west"), 1), (None, 3)] {
        assert_eq!(head.counts(&View::own(tenant.map(str::to_owned)), NOON).total, expected, "{tenant:?}");
    }
    let only = |tenant: &str| head.counts(&View::Only(tenant.into()), NOON).total;
    assert_eq!((only("north"), only("west")), (1, 0), "and who looks on counts its entries alone");
}

#[test]
fn a_week_goes_as_a_whole_and_nothing_has_to_be_written_for_it() {
    let (head, _) = Head::default().with_one_more(None, NOON);
    let gone = expires_at(NOON);
    let kept = gone.duration_since(NOON).as_hours() / 24;
    assert!((RETENTION_DAYS..=RETENTION_DAYS + 7).contains(&kept), "{kept} days");
    let (ann, before) = (View::All, gone.checked_sub(1.second()).unwrap());
    assert_eq!(head.counts(&ann, before).total, 1);
    assert_eq!(head.counts(&ann, gone).total, 0);
    let (same, changed) = head.marked(&[place(1, State::Unseen)], Mark::Seen, gone);
    assert_eq!((&same, changed.len()), (&head, 0), "nobody marks what is gone");
    let (next, seq) = head.with_one_more(None, gone);
    assert_eq!((seq, next.counts(&ann, gone).total), (2, 1), "numbers go on");
    assert_eq!(head.expires_at(), gone);
}

#[test]
fn a_head_is_read_back_as_it_was_written() {
    let text = serde_json::to_string(&three()).unwrap();
    assert_eq!(text, r#"{"last":3,"ordered":3,"sums":[{"week":2968,"unseen":3,"unread":3,"total":3}]}"#);
    assert_eq!(serde_json::from_str::<Head>(&text).unwrap(), three());
    assert_eq!(serde_json::from_str::<Head>("{}").unwrap(), Head::default());
}

#[test]
fn a_live_message_to_a_person_is_kept_unless_it_is_of_use_now_or_never() {
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
    assert!(kept(&to(&json!({ "room": "queue:7" }), false)).is_none(), "a room");
    let letter =
        json!({ "email": { "to": "a@example.com", "subject": "", "html": "", "text": "", "locale": "en" } });
    assert!(kept(&letter).is_none(), "no live message");
    let before = json!({ "socket": { "to": { "user": "ann" }, "title": "T", "body": "Soon", "data": {} } });
    assert!(kept(&before).is_some(), "a job of the release before says neither");
}

#[test]
fn an_entry_loses_its_data_first_then_the_end_of_its_text_and_says_so() {
    let long = "x".repeat(MAX_ENTRY_BYTES);
    let kept = |body: &str, data: &Value| {
        let to = json!({ "user": "ann" });
        let content = json!({ "socket": { "to": to, "title": body, "body": body, "data": data } });
        Kept::of(&job(&content)).unwrap().1
    };
    let fits = kept("Soon", &json!({ "at": 3 }));
    assert!(fits.data.is_some() && !fits.truncated);
    let short = kept("Soon", &json!({ "all": long }));
    assert!(short.data.is_none() && short.truncated && short.body == "Soon");
    for body in [long.clone(), "\"".repeat(MAX_ENTRY_BYTES), "\u{1}é".repeat(9_000), "👋🏽".repeat(5_000)]
    {
        let cut = kept(&body, &json!({}));
        assert!(cut.to_json().len() <= MAX_ENTRY_BYTES && cut.truncated, "{}", cut.to_json().len());
        assert!(cut.body.ends_with('…') && body.starts_with(cut.body.trim_end_matches('…')));
        assert!(cut.to_json().len() > MAX_ENTRY_BYTES - 16, "no more is cut than must be");
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

/// Three entries of no tenant.
fn three() -> Head {
    (0..3).fold(Head::default(), |head, _| head.with_one_more(None, NOON).0)
}

fn place(seq: u64, state: State) -> Place {
    Place { seq, state, tenant: None, created: NOON }
}

fn counts(unseen: u32, unread: u32, total: u32) -> Counts {
    Counts { unseen, unread, total }
}

/// Where each state is after a mark: unseen, seen, read, archived.
#[track_caller]
fn check(mark: Mark, expected: [State; 4]) {
    assert_eq!(State::ALL.map(|all| all.after(mark)), expected, "{}", mark.name());
}
