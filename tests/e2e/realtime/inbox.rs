//! In-app messages in the inbox: listed, counted, marked, and synchronised after an absence.

use domain::base::outcome::{Reason, Status};
use domain::catalog::rule::Unless;
use domain::delivery::job::Job;
use domain::event::key::Key;
use domain::inbox::{Counts, InboxFilter, InboxQuery, Kept, Mark, State, View, Viewer};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use store::LedgerRow;
use testkit::cloud::{Cloud, cloud_event, now, now_text};
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::unique;

#[tokio::test]
async fn absent_user_finds_the_message_later() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient_with(json!({ "id": unique("user") })).await;
    let event = unique("event");
    cloud.put(&[cloud_event("core.hello", &event, &json!({ "to": [ann.id], "message": "Later." }))]).await;
    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() == 2))
            .await;
    let row = &rows[1];
    assert_eq!((row.status, row.provider_id.as_deref()), (Status::Sent, Some("inbox:1")));
    let mut client = Client::of(&cloud, &ann.id, None, &[]).await;
    let page = client.ask(r#"{"action":"inbox"}"#).await;
    assert_eq!(page["counts"], counts(1, 1, 1));
    let entry = &page["entries"][0];
    assert_eq!((&entry["id"], &entry["state"]), (&json!(row.key), &json!("unseen")));
    assert_eq!((&entry["event"]["id"], &entry["rule"]), (&json!(event), &json!("hello")));
    assert!(entry["title"].is_string() && entry["body"].is_string() && page["next"].is_null(), "{page}");
    assert_eq!(client.ask(r#"{"action":"counts"}"#).await["unseen"], 1);
}

#[tokio::test]
async fn duplicate_job_leads_to_one_inbox_entry() {
    let cloud = Cloud::connect();
    let ann = viewer(None);
    let job = job(&ann.user, None, false);
    let (_, kept) = Kept::of(&job).unwrap();
    let at_once = (0..5).map(|_| cloud.inbox.store(&ann.user, None, &kept, now()));
    let stored = futures_util::future::try_join_all(at_once).await.unwrap();
    assert_eq!(stored.iter().filter(|item| item.is_new).count(), 1);
    assert!(stored.iter().all(|item| item.seq == 1));
    // The first sender stored the entry and died before it settled. SQS then delivers the message to another process.
    let then = now() - jiff::SignedDuration::from_secs(60);
    let over = then + jiff::SignedDuration::from_secs(30);
    cloud.ledger.claim(&[&job], "a-sender-that-died", then, over).await.unwrap();
    cloud.send("socket", &serde_json::to_string(&job).unwrap()).await;
    let row = sent(&cloud, &job.key).await;
    assert_eq!(row.provider_id.as_deref(), Some("inbox:1"));
    assert_eq!(cloud.inbox.counts(&ann, now()).await.unwrap(), Counts { unseen: 1, unread: 1, total: 1 });
}

#[tokio::test]
async fn seen_mark_reaches_the_ledger_the_inbox_and_other_sockets() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let mut phone = Client::of(&cloud, &user, Some("north"), &[]).await;
    let mut laptop = Client::of(&cloud, &user, None, &[]).await;
    let job = deliver(&cloud, &user, Some("north"), false).await;
    for client in [&mut phone, &mut laptop] {
        let frame = client.next_message().await;
        assert_eq!(frame["id"], job.key.as_str());
        assert_eq!(frame["inbox"], json!({ "seq": 1, "unseen": 1, "unread": 1, "total": 1 }));
    }
    sent(&cloud, &job.key).await;
    let output = phone.ask(&json!({ "action": "seen", "ids": [job.key] }).to_string()).await;
    assert_eq!(output, json!({ "type": "seen", "ids": [job.key], "counts": counts(0, 1, 1) }));
    let received = laptop.next_message().await;
    assert_eq!(received, json!({ "type": "counts", "unseen": 0, "unread": 1, "total": 1 }));
    assert_eq!(cloud.ledger.noticed(std::slice::from_ref(&job.key)).await.unwrap(), Some(Unless::Seen));
    // A repeated mark changes no state and sends no message.
    phone.ask(&json!({ "action": "seen", "ids": [job.key] }).to_string()).await;
    let output = laptop.ask(&mark("read", &[&job.key])).await;
    let entries = json!([{ "id": job.key, "state": "read" }]);
    assert_eq!(
        output,
        json!({ "type": "marked", "as": "read", "entries": entries, "counts": counts(0, 0, 1) })
    );
    assert_eq!(phone.next_message().await["unread"], 0);
    let output = phone.ask(&mark("archived", &[&job.key])).await;
    assert_eq!(output["counts"], counts(0, 0, 0));
    assert_eq!(laptop.next_message().await["total"], 0);
    let filter = |name: &str| json!({ "action": "inbox", "filter": name }).to_string();
    assert_eq!(laptop.ask(&filter("inbox")).await["entries"], json!([]));
    assert_eq!(laptop.ask(&filter("archived")).await["entries"][0]["state"], "archived");
    assert_eq!(laptop.ask(&mark("unarchived", &[&job.key])).await["entries"][0]["state"], "read");
    phone.next_message().await;
    assert_eq!(phone.ask(&mark("unread", &[&job.key])).await["counts"], counts(0, 1, 1));
}

#[tokio::test]
async fn archived_message_counts_as_seen_for_escalations() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let job = deliver(&cloud, &user, None, false).await;
    sent(&cloud, &job.key).await;
    let mut client = Client::of(&cloud, &user, None, &[]).await;
    client.ask(&mark("archived", &[&job.key])).await;
    assert_eq!(cloud.ledger.noticed(std::slice::from_ref(&job.key)).await.unwrap(), Some(Unless::Seen));
}

#[tokio::test]
async fn all_messages_or_one_category_are_marked_at_once() {
    let cloud = Cloud::connect();
    let ann = viewer(None);
    fill(&cloud, &ann.user, 70, "news").await;
    fill(&cloud, &ann.user, 60, "billing").await;
    let mut client = Client::of(&cloud, &ann.user, None, &[]).await;
    let all = |category: Option<&str>| {
        json!({ "action": "mark", "as": "seen", "all": true, "category": category }).to_string()
    };
    let output = client.ask(&all(Some("billing"))).await;
    assert_eq!((&output["count"], &output["more"]), (&json!(60), &json!(false)));
    assert_eq!(output["counts"], counts(70, 130, 130));
    assert_eq!(client.ask(&all(None)).await["counts"], counts(0, 130, 130));
    assert_eq!(client.ask(&all(None)).await["count"], 0, "there is nothing left to be seen");
    let output = client.ask(r#"{"action":"mark","as":"archived","all":true}"#).await;
    assert_eq!(output["counts"], counts(0, 0, 0));
    check_recount(&cloud, &ann).await;
}

#[tokio::test]
async fn ephemeral_message_is_received_and_not_stored() {
    let cloud = Cloud::connect();
    let (here, away) = (unique("user"), unique("user"));
    let mut client = Client::of(&cloud, &here, None, &[]).await;
    let job = deliver(&cloud, &here, None, true).await;
    let frame = client.next_message().await;
    assert_eq!((&frame["id"], &frame["inbox"]), (&json!(job.key), &Value::Null));
    let job = deliver(&cloud, &away, None, true).await;
    let row = outcome(&cloud, &job.key).await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::NotConnected)));
    for user in [here, away] {
        let viewer = Viewer { user, view: View::All };
        assert_eq!(cloud.inbox.counts(&viewer, now()).await.unwrap(), Counts::default());
    }
}

#[tokio::test]
async fn rule_can_mark_a_message_as_ephemeral() {
    let cloud = Cloud::connect();
    let user = unique("user");
    cloud.new_recipient_with(json!({ "id": user, "tenants": ["clinic-westend"] })).await;
    let data = json!({ "queueId": unique("queue"), "ticket": "A-19", "position": 2, "userId": user, "waiting": 5,
                       "nowServing": "A-17", "estimatedWaitMinutes": 12, "queueName": "Triage" });
    let event = unique("event");
    cloud.put(&[cloud_event("queue.updated", &event, &data)]).await;
    let rows =
        until("two outcomes", async || Some(cloud.outcomes(&event).await).filter(|rows| rows.len() == 2))
            .await;
    let theirs = rows.iter().find(|row| row.recipient == user).unwrap();
    assert_eq!(
        (theirs.status, theirs.reason),
        (Status::Suppressed, Some(Reason::NotConnected)),
        "{theirs:?}"
    );
    assert_eq!(
        cloud.inbox.counts(&Viewer { user, view: View::All }, now()).await.unwrap(),
        Counts::default()
    );
}

#[tokio::test]
async fn inbox_hides_messages_of_another_tenant() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let north = deliver(&cloud, &user, Some("north"), false).await;
    let nobodys = deliver(&cloud, &user, None, false).await;
    for item in [&north, &nobodys] {
        sent(&cloud, &item.key).await;
    }
    let mut south = Client::of(&cloud, &user, Some("south"), &[]).await;
    let page = south.ask(r#"{"action":"inbox"}"#).await;
    assert_eq!(page["counts"], counts(1, 1, 1));
    let ids: Vec<&Value> = page["entries"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&json!(nobodys.key)]);
    let not_yours = json!([{ "id": north.key, "reason": "not_yours" }]);
    for item in ["seen", "archived", "unread"] {
        let output = south.ask(&mark(item, &[&north.key])).await;
        assert_eq!((&output["entries"], &output["refused"]), (&json!([]), &not_yours), "{item}");
    }
    let resume = json!({ "action": "resume", "after": north.key }).to_string();
    assert_eq!(south.ask(&resume).await["reason"], "unknown_id");
    south.ask(r#"{"action":"mark","as":"archived","all":true}"#).await;
    let theirs = Viewer { user: user.clone(), view: View::Tenant("north".into()) };
    let page = cloud.inbox.page(&theirs, &InboxQuery::default(), None, 10, now()).await.unwrap();
    assert_eq!(
        page.entries.iter().map(|entry| (&entry.kept.id, entry.state)).collect::<Vec<_>>(),
        [(&north.key, State::Unseen)]
    );
    let stranger = Viewer { user: unique("user"), view: View::Tenant("north".into()) };
    assert!(
        cloud
            .inbox
            .page(&stranger, &InboxQuery::default(), None, 10, now())
            .await
            .unwrap()
            .entries
            .is_empty()
    );
}

#[tokio::test]
async fn inbox_pages_have_no_gaps_or_repeats_while_messages_arrive() {
    let cloud = Cloud::connect();
    let ann = viewer(None);
    fill(&cloud, &ann.user, 250, "news").await;
    let mut client = Client::of(&cloud, &ann.user, None, &[]).await;
    let (mut seen, mut times, mut before, mut pages) = (Vec::new(), Vec::new(), Value::Null, 0);
    loop {
        let mut asked = json!({ "action": "inbox", "limit": 20 });
        if !before.is_null() {
            asked["before"] = before.clone();
        }
        let page = client.ask(&asked.to_string()).await;
        seen.extend(page["entries"].as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap()));
        times.extend(page["entries"].as_array().unwrap().iter().map(|item| item["time"].to_string()));
        before = page["next"].clone();
        pages += 1;
        if pages == 3 {
            fill(&cloud, &ann.user, 5, "news").await;
        }
        if before.is_null() {
            break;
        }
    }
    assert!(times.iter().rev().is_sorted(), "the newest come first");
    seen.sort_unstable();
    assert_eq!(seen, (1..=250).collect::<Vec<u64>>());
    assert!(pages >= 13);
    check_recount(&cloud, &ann).await;
    // A rare category is found behind many other entries.
    fill(&cloud, &ann.user, 1, "billing").await;
    fill(&cloud, &ann.user, 200, "news").await;
    let filter = InboxQuery { filter: InboxFilter::Unseen, category: Some("billing".into()) };
    let page = cloud.inbox.page(&ann, &filter, None, 10, now()).await.unwrap();
    assert_eq!((page.entries.len(), page.next), (1, None));
}

#[tokio::test]
async fn unread_count_is_exact_under_concurrent_writes() {
    let cloud = Cloud::connect();
    let ann = viewer(None);
    fill(&cloud, &ann.user, 10, "news").await;
    let marking = async |mark: Mark| {
        for _ in 0..3 {
            store::mark_all(&cloud.inbox, &cloud.ledger, &ann, None, mark, now()).await.unwrap();
        }
    };
    let storing = fill(&cloud, &ann.user, 30, "news");
    tokio::join!(storing, marking(Mark::Seen), marking(Mark::Archived), marking(Mark::Unarchived));
    check_recount(&cloud, &ann).await;
}

#[tokio::test]
async fn invalid_client_message_gets_an_error_and_changes_no_state() {
    let cloud = Cloud::connect();
    let ann = viewer(None);
    fill(&cloud, &ann.user, 2, "news").await;
    let mut client = Client::of(&cloud, &ann.user, None, &[]).await;
    for (output, reason) in [
        (r#"{"action":"inbox","filter":"attic"}"#, "bad_listing"),
        (r#"{"action":"inbox","limit":1000000}"#, "bad_listing"),
        (r#"{"action":"inbox","limit":-1}"#, "bad_listing"),
        (r#"{"action":"inbox","before":"last"}"#, "bad_listing"),
        (r#"{"action":"inbox","before":99999999999999999999}"#, "bad_listing"),
        (r#"{"action":"mark"}"#, "bad_marking"),
        (r#"{"action":"mark","as":"eaten","all":true}"#, "bad_marking"),
        (r#"{"action":"mark","as":"read","ids":["short"]}"#, "bad_marking"),
        (r#"{"action":"resume"}"#, "bad_after"),
        (r#"{"action":"resume","after":"../../head"}"#, "bad_after"),
    ] {
        let received = client.ask(output).await;
        assert_eq!((&received["type"], &received["reason"]), (&json!("error"), &json!(reason)), "{output}");
        assert!(received["wanted"].is_string());
    }
    for before in [0, 1, u64::MAX] {
        let page = client.ask(&json!({ "action": "inbox", "before": before }).to_string()).await;
        assert_eq!(page["entries"].as_array().unwrap().len(), if before > 1 { 2 } else { 0 }, "{before}");
    }
    assert_eq!(client.ask(r#"{"action":"counts","x":[]}"#).await["unseen"], 2);
}

/// Sends a job to the socket queue, as dispatch does.
pub(crate) async fn deliver(cloud: &Cloud, user: &str, tenant: Option<&str>, ephemeral: bool) -> Job {
    let job = job(user, tenant, ephemeral);
    cloud.send("socket", &serde_json::to_string(&job).unwrap()).await;
    job
}

fn job(user: &str, tenant: Option<&str>, ephemeral: bool) -> Job {
    let id = unique("event");
    let event = json!({ "specversion": "1.0", "id": id, "source": "tests", "type": "t", "time": now_text() });
    let event = domain::event::Event::parse(&event.to_string()).unwrap();
    let key = Key::of(&event, "tests", user, Some(domain::base::channel::Channel::Socket), 0, "");
    let job = json!({
        "version": 1, "key": key, "rule": "tests", "catalog": "tests", "recipient": user, "priority": "normal",
        "event": { "id": id, "source": "tests", "type": "t", "time": now_text(), "tenant": tenant },
        "on_unknown": "resend",
        "content": { "socket": { "to": { "user": user }, "title": "T", "body": "B", "data": {}, "category": "news",
                                 "ephemeral": ephemeral } },
    });
    serde_json::from_str(&job.to_string()).unwrap()
}

/// Puts entries into an inbox, several at a time, without notifying sockets.
pub(crate) async fn fill(cloud: &Cloud, user: &str, count: usize, category: &str) {
    let kept = (0..count).map(|_| {
        let (_, mut kept) = Kept::of(&job(user, None, false)).map(|(_, kept)| ((), kept)).unwrap();
        kept.category = category.to_owned();
        kept
    });
    let stored =
        stream::iter(kept).map(async |item| cloud.inbox.store(user, None, &item, now()).await.unwrap());
    let all: Vec<_> = stored.buffer_unordered(3).collect().await;
    assert!(all.iter().all(|item| item.is_new));
}

/// Checks that the stored counters equal a count of the entries.
async fn check_recount(cloud: &Cloud, viewer: &Viewer) {
    let count = async |filter| {
        let filter = InboxQuery { filter, category: None };
        let (mut before, mut count) = (None, 0_u32);
        loop {
            let page = cloud.inbox.page(viewer, &filter, before, 100, now()).await.unwrap();
            count += u32::try_from(page.entries.len()).unwrap();
            before = page.next;
            if before.is_none() {
                return count;
            }
        }
    };
    let counted = Counts {
        unseen: count(InboxFilter::Unseen).await,
        unread: count(InboxFilter::Unread).await,
        total: count(InboxFilter::Inbox).await,
    };
    assert_eq!(cloud.inbox.counts(viewer, now()).await.unwrap(), counted);
}

pub(crate) async fn outcome(cloud: &Cloud, key: &Key) -> LedgerRow {
    until("an outcome", async || cloud.ledger.find(key).await.unwrap().filter(|row| row.status.is_final()))
        .await
}

pub(crate) async fn sent(cloud: &Cloud, key: &Key) -> LedgerRow {
    let row = outcome(cloud, key).await;
    assert_eq!(row.status, Status::Sent);
    row
}

pub(crate) fn mark(mark: &str, ids: &[&Key]) -> String {
    json!({ "action": "mark", "as": mark, "ids": ids }).to_string()
}

fn viewer(tenant: Option<&str>) -> Viewer {
    Viewer { user: unique("user"), view: View::own(tenant.map(str::to_owned)) }
}

pub(crate) fn counts(unseen: u32, unread: u32, total: u32) -> Value {
    json!({ "unseen": unseen, "unread": unread, "total": total })
}
