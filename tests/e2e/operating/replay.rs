//! Replay of recorded events: lost events are delivered, and no recipient is notified twice.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::event::bus::BusEvent;
use domain::recipient::Recipient;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, now_text};
use testkit::until::{quiet, until};
use workspace::programs::{carillon, json_lines, program, text};
use workspace::{root, unique};

#[tokio::test]
async fn replay_delivers_lost_events_once_and_needs_a_reason_for_a_second_send() {
    let (cloud, tenant, folder) = (Cloud::connect(), unique("tenant"), Folder::new());
    let person = cloud.new_recipient().await;
    let id = lost(&cloud, &tenant, &person, 1).await.remove(0);
    let emails = || cloud.emails(&format!("{}@example.com", person.id)).len();
    let range = Range::of(&tenant);

    let counted = range.ask(&[]);
    assert_eq!(
        (&counted["goes"], &counted["decided"], &counted["events"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert!(counted["usd"].as_f64().is_some_and(|number| number > 0.0 && number < 0.01), "{counted}");
    quiet().await;
    assert!(cloud.outcomes(&id).await.is_empty(), "a dry run does nothing");

    assert_eq!(range.run(&folder, &[]), (1, 0));
    until("the letter", async || (emails() == 1).then_some(())).await;
    until("the outcome", async || cloud.outcomes(&id).await.pop()).await;
    assert_eq!(range.run(&folder, &[]), (0, 1), "it is missing no more");
    assert_eq!(range.run(&folder, &["--all"]), (1, 0));
    assert_eq!(range.run(&folder, &["--all", "--to-consumer", "bus"]), (1, 0));
    let replayed = until("the audit saw it come by", async || replay_of(&cloud, &id).await).await;
    quiet().await;
    assert_eq!(emails(), 1, "a replay of everything tells nobody again");
    assert!(replayed.get("event").is_none() && replayed.get("renotified").is_none());
    assert_eq!(json_lines(&carillon(&["--json", "events", "ls", "--id", &id], "")).len(), 1);
    assert_eq!(range.ask(&["--all"])["events"], 1, "a replay is nothing that can be replayed");

    let reason = "the letter had the wrong link";
    assert_eq!(range.run(&folder, &["--force", "--reason", reason, "--by", "ann"]), (1, 0));
    until("a second letter", async || (emails() == 2).then_some(())).await;
    let notified = until("who asked for it", async || {
        let lines = json_lines(&carillon(&["--json", "explain", &id], ""));
        lines.into_iter().find(|line| line["reason"] == reason)
    });
    let notified = notified.await;
    assert_eq!((&notified["by"], &notified["mode"]), (&json!("ann"), &json!("force")));
    until("each telling is a hand-over of its own", async || (sets_of(&cloud, &id).await == 2).then_some(()))
        .await;
    let rows = cloud.outcomes(&id).await;
    assert!(rows.iter().any(|row| row.origin.replay.as_deref() == notified["replay"].as_str()), "{rows:?}");
}

#[tokio::test]
async fn interrupted_replay_resumes_and_notifies_each_recipient_once() {
    const EVENTS: usize = 24;
    let (cloud, tenant, folder) = (Cloud::connect(), unique("tenant"), Folder::new());
    let person = cloud.new_recipient().await;
    let ids = lost(&cloud, &tenant, &person, EVENTS).await;
    let range = Range::of(&tenant);
    let (path, file) = folder.file();
    let mut arguments = range.arguments(&["--force", "--reason", "a rehearsal", "--rate", "4", "--run"]);
    arguments.extend(["--state", &path]);
    let mut child = Command::new(program())
        .args(&arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let sent =
        until("some are sent", async || state(&file)?["sent"].as_u64().filter(|number| *number >= 4)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(usize::try_from(sent).unwrap() < EVENTS, "it was killed before the end");

    let output = carillon(&["--json", "replay", "--resume", &path, "--rate", "50/s"], "");
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(json_lines(&output)[0]["sent"], EVENTS);
    let emails = || cloud.emails(&format!("{}@example.com", person.id));
    until("every letter", async || (emails().len() >= EVENTS).then_some(())).await;
    quiet().await;
    assert_eq!(emails().len(), EVENTS);
    for id in &ids {
        let sent = cloud.outcomes(id).await.into_iter().filter(|outcome| outcome.status.was_sent()).count();
        assert!(sent >= 1, "{id}");
    }
    let output = carillon(&["replay", "--resume", &path], "");
    assert!(output.status.success() && text(&output).contains("is finished"), "{}", text(&output));
}

#[tokio::test]
async fn replay_to_a_queue_sends_events_in_the_form_of_a_rule() {
    let (cloud, tenant, folder) = (Cloud::connect(), unique("tenant"), Folder::new());
    let person = cloud.new_recipient().await;
    let ids = lost(&cloud, &tenant, &person, 3).await;
    let created = cloud.sqs.create_queue().queue_name(unique("projection")).send().await.unwrap();
    let url = created.queue_url.unwrap();
    assert_eq!(Range::of(&tenant).run(&folder, &["--to-consumer", &url]), (3, 0));
    let mut found = Vec::new();
    while found.len() < 3 {
        let some =
            cloud.sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
        found.extend(some.messages.unwrap_or_default().into_iter().filter_map(|message| message.body));
    }
    let mut events: Vec<_> =
        found.iter().map(|item| BusEvent::parse(item).unwrap().unverified_event().unwrap()).collect();
    assert!(events.iter().all(|event| event.replay_id().is_some() && event.nonce().is_none()));
    events.sort_by_key(|event| ids.iter().position(|id| *id == event.id));
    assert_eq!(events.iter().map(|event| &event.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    cloud.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    let emails = cloud.emails(&format!("{}@example.com", person.id));
    assert!(emails.is_empty(), "dispatch has nothing to do with it");
}

#[test]
fn impossible_replay_is_refused_with_a_remedy() {
    let check = |arguments: &[&str], code: i32, words: &str| {
        let output = carillon(&[&["replay"], arguments].concat(), "");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(words), "{arguments:?}: {}", text(&output));
    };
    check(&["--from", "2999-01-01T00:00:00Z"], 2, "lies ahead; name a past time");
    check(&["--from", "1h", "--to", "2h"], 2, "swap them");
    check(&["--from", "1h", "--to-consumer", "everybody"], 2, "name dispatch, audit, bus");
    check(&["--from", "1h", "--force"], 2, "--reason");
    check(&["--from", "1h", "--force", "--reason", " "], 2, "a reason of 1 to 1000");
    check(&["--from", "1h", "--force", "--reason", "x", "--to-consumer", "audit"], 2, "leave --force out");
    check(&["--from", "1h", "--rate", "0"], 2, "write a number from 1 to 1000");
    check(&["--resume", "no/such/file.json"], 2, "no/such/file.json");
    check(&["--resume", "Cargo.toml"], 2, "is no replay");
    check(&[], 2, "--from");
    let (from, to) = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    check(&["--from", from, "--to", to], 1, "no matching event was recorded");
}

/// Recorded events that dispatch has never received.
async fn lost(cloud: &Cloud, tenant: &str, to: &Recipient, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| unique("lost")).collect();
    for id in &ids {
        let event = json!({
            "specversion": "1.0", "id": id, "source": "tests", "type": "core.hello", "time": now_text(),
            "tenant": tenant, "data": { "to": [to.id], "message": "The bells ring." },
        });
        let body = json!({
            "version": "0", "id": unique("bus"), "detail-type": "core.hello", "source": "tests",
            "account": "000000000000", "time": "2026-11-21T12:00:00Z", "region": "us-east-1", "resources": [],
            "detail": event,
        });
        cloud.send("audit", &body.to_string()).await;
    }
    for id in &ids {
        until("it is recorded", async || cloud.records(id).await.pop()).await;
    }
    ids
}

async fn replay_of(cloud: &Cloud, id: &str) -> Option<store::Record> {
    cloud.records(id).await.into_iter().find(|record| record.get("replay_id").is_some())
}

/// Number of hand-overs of an event that the bus reported.
async fn sets_of(cloud: &Cloud, id: &str) -> usize {
    let all = cloud.all_records().await;
    let of_event = all.iter().filter(|record| record.get("causation_id") == Some(id));
    of_event.filter(|of_event| of_event.get("type") == Some("communication.sent")).count()
}

fn state(file: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Events of one tenant recorded until now.
struct Range {
    tenant: String,
    to: String,
}

impl Range {
    fn of(tenant: &str) -> Range {
        Range { tenant: tenant.to_owned(), to: now_text() }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let range = ["--json", "replay", "--from", "10m", "--to", &self.to, "--tenant", &self.tenant];
        [&range, more].concat()
    }

    #[track_caller]
    fn ask(&self, more: &[&str]) -> Value {
        let output = carillon(&self.arguments(more), "");
        assert!(output.status.success(), "{}", text(&output));
        json_lines(&output).remove(0)
    }

    /// Number of events sent, and number left out.
    #[track_caller]
    fn run(&self, folder: &Folder, more: &[&str]) -> (u64, u64) {
        let (path, _) = folder.file();
        let output = self.ask(&[more, &["--run", "--state", &path]].concat());
        (output["sent"].as_u64().unwrap(), output["leftOut"].as_u64().unwrap())
    }
}

/// A folder for files of replays.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        Folder(std::env::temp_dir().join(unique("replays")))
    }

    fn file(&self) -> (String, PathBuf) {
        let path = self.0.join(unique("replay")).with_extension("json");
        (path.to_str().unwrap().to_owned(), path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
