use super::*;
use crate::canned;
use crate::golden::table::Table;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_smithy_mocks::{Rule, mock};
use domain::inbox::{InboxQuery, View};
use std::collections::HashMap;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[tokio::test]
async fn lost_transaction_is_retried_and_counted_once() {
    let (nothing, one) = (found(vec![]), found(vec![head(1)]));
    let stored = store(&[&nothing, &lost(), &one, &written(2)]).await.unwrap();
    assert_eq!((stored.seq, stored.is_new), (2, true));
    assert_eq!(stored.counts(&View::All, NOON).unseen, 2);
}

#[tokio::test]
async fn existing_entry_is_not_written_again() {
    let there = found(vec![head(3), note_key("ann", &kept().id).number("seq", 2)]);
    let stored = store(&[&there]).await.unwrap();
    assert_eq!((stored.seq, stored.is_new), (2, false));
    assert_eq!(stored.counts(&View::All, NOON).total, 3);
}

#[tokio::test]
async fn query_filters_entries_of_other_tenants() {
    check_filter(Some("north"), "#ttl > :now AND (attribute_not_exists(#tenant) OR #tenant = :tenant)").await;
    check_filter(None, "#ttl > :now").await;
}

#[test]
fn entries_sort_by_number() {
    assert!(entry_sk(9) < entry_sk(10) && entry_sk(999_999_999) < entry_sk(1_000_000_000));
    let item = under("ann", entry_sk(12))
        .text("state", "seen")
        .text("created_at", NOON.to_string())
        .text("entry", kept().to_json());
    let entry = read_entry(&item).unwrap();
    assert_eq!((entry.seq, entry.state, entry.kept.title.expose().as_str()), (12, State::Seen, "T"));
    assert!(read_entry(&item.text("state", "eaten")).is_none(), "a state of another release");
}

#[tokio::test]
async fn inbox_is_listed_by_event_time_in_any_order_of_arrival() {
    let inbox = Inbox::new(&Table::default().client(), "t".into());
    for (id, minute) in [(2, 2), (3, 3), (5, 5), (1, 1), (4, 4), (0, 0), (7, 6), (6, 6)] {
        let stored = inbox.store("ann", None, &event_of(id, minute), NOON).await.unwrap();
        assert!(stored.is_new);
    }
    for limit in [1, 2, 3, 100] {
        let (mut before, mut found) = (None, Vec::new());
        loop {
            let page = inbox.page(&ann(None), &InboxQuery::default(), before, limit, NOON).await.unwrap();
            assert!(page.entries.len() <= limit);
            found.extend(page.entries.iter().map(|entry| entry.kept.title.expose().clone()));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        // Of two entries with one time the later arrival is newer.
        assert_eq!(found, ["6", "7", "5", "4", "3", "2", "1", "0"], "{limit}");
    }
    let all = inbox.page(&ann(None), &InboxQuery::default(), Some(u64::MAX), 100, NOON).await.unwrap();
    assert_eq!(all.entries.len(), 8);
    let none = inbox.page(&ann(None), &InboxQuery::default(), Some(0), 100, NOON).await.unwrap();
    assert!(none.entries.is_empty() && none.next.is_none());
}

#[tokio::test]
async fn page_continues_at_its_position_while_entries_arrive() {
    let inbox = Inbox::new(&Table::default().client(), "t".into());
    for id in 1..=4 {
        inbox.store("ann", None, &event_of(id, i64::from(id) * 10), NOON).await.unwrap();
    }
    let first = inbox.page(&ann(None), &InboxQuery::default(), None, 2, NOON).await.unwrap();
    assert_eq!((titles(&first), first.next), (vec!["4", "3"], Some(3)));
    for (id, minute) in [(5, 50), (6, 5)] {
        inbox.store("ann", None, &event_of(id, minute), NOON).await.unwrap();
    }
    let second = inbox.page(&ann(None), &InboxQuery::default(), first.next, 10, NOON).await.unwrap();
    assert_eq!(titles(&second), ["2", "1", "6"]);
}

#[tokio::test]
async fn entries_without_ordering_rows_are_listed_in_order() {
    let table = Table::default();
    let inbox = Inbox::new(&table.client(), "t".into());
    for (id, minute) in [(1, 30), (2, 10), (3, 20)] {
        inbox.store("ann", None, &event_of(id, minute), NOON).await.unwrap();
    }
    // The state after the last release: no ordering rows, and a head without `ordered`.
    let is_row = |item: &Item| item.get("sk").is_some_and(|sk| sk.starts_with("order#"));
    let old = table.items().into_iter().filter(|item| !is_row(item)).map(|item| match item.get("head") {
        Some(head) => {
            let mut read: serde_json::Value = serde_json::from_str(head).unwrap();
            read.as_object_mut().unwrap().remove("ordered");
            item.text("head", read.to_string())
        }
        None => item,
    });
    let table = Table::of(old);
    let inbox = Inbox::new(&table.client(), "t".into());
    inbox.store("ann", None, &event_of(4, 15), NOON).await.unwrap();
    for _ in 0..2 {
        let page = inbox.page(&ann(None), &InboxQuery::default(), None, 10, NOON).await.unwrap();
        assert_eq!(titles(&page), ["1", "3", "4", "2"]);
        assert!(inbox.head("ann").await.unwrap().is_ordered());
    }
    assert_eq!(table.items().iter().filter(|item| is_row(item)).count(), 4);
}

#[tokio::test]
async fn stale_ordering_row_shows_no_entry_of_a_new_inbox() {
    let table = Table::default();
    let inbox = Inbox::new(&table.client(), "t".into());
    inbox.store("ann", None, &event_of(1, 30), NOON).await.unwrap();
    let rows =
        table.items().into_iter().filter(|item| item.get("sk").is_some_and(|sk| sk.starts_with("order#")));
    let table = Table::of(rows);
    let inbox = Inbox::new(&table.client(), "t".into());
    inbox.store("ann", None, &event_of(2, 10), NOON).await.unwrap();
    let page = inbox.page(&ann(None), &InboxQuery::default(), None, 10, NOON).await.unwrap();
    assert_eq!(titles(&page), ["2"]);
}

fn titles(page: &InboxPage) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.kept.title.expose().as_str()).collect()
}

fn event_of(id: u8, minute: i64) -> Kept {
    let mut kept = kept();
    kept.id = Key::parse(&format!("{id:0>43}")).unwrap();
    kept.event.time = NOON + SignedDuration::from_mins(minute);
    kept.title = id.to_string().into();
    kept
}

async fn check_filter(tenant: Option<&str>, expected: &'static str) {
    let asked = mock!(Client::query)
        .match_requests(move |input| input.filter_expression() == Some(expected))
        .then_output(|| QueryOutput::builder().build());
    let empty = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    let inbox = Inbox::new(&canned::client(&[&empty, &asked]), "inbox".into());
    let page = inbox.page(&ann(tenant), &InboxQuery::default(), None, 10, NOON).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_none());
}

async fn store(rules: &[&Rule]) -> Result<StoredEntry, CallError> {
    Inbox::new(&canned::client(rules), "inbox".into()).store("ann", None, &kept(), NOON).await
}

fn found(items: Vec<Item>) -> Rule {
    mock!(Client::batch_get_item).then_output(move || {
        let items = items.iter().cloned().map(Item::into_map).collect();
        BatchGetItemOutput::builder().set_responses(Some(HashMap::from([("inbox".into(), items)]))).build()
    })
}

/// A transaction of head, notification row, entry and ordering row, on the head before this number.
fn written(seq: u64) -> Rule {
    mock!(Client::transact_write_items)
        .match_requests(move |input| {
            let puts: Vec<&Put> =
                input.transact_items().iter().filter_map(|transact_item| transact_item.put()).collect();
            puts.len() == 4
                && puts[3].item()["sk"] == AttributeValue::S(ordering::sk(kept().time(), seq))
                && puts[0].condition_expression() == Some("version = :version")
                && puts[2].item()["sk"] == AttributeValue::S(entry_sk(seq))
        })
        .then_output(|| TransactWriteItemsOutput::builder().build())
}

fn lost() -> Rule {
    mock!(Client::transact_write_items).then_error(|| {
        let reason = CancellationReason::builder().code("ConditionalCheckFailed").build();
        let error = TransactionCanceledException::builder().cancellation_reasons(reason).build();
        TransactWriteItemsError::TransactionCanceledException(error)
    })
}

/// A head with this many entries.
fn head(count: u64) -> Item {
    let head = (0..count).fold(Head::default(), |head, _| head.with_new_entry(None, NOON).0);
    let version = i64::try_from(count).unwrap();
    head_key("ann").text("head", serde_json::to_string(&head).unwrap()).number("version", version)
}

fn ann(tenant: Option<&str>) -> Viewer {
    Viewer { user: "ann".into(), view: View::own(tenant.map(str::to_owned)) }
}

fn kept() -> Kept {
    serde_json::from_str(
        r#"{"id":"k","event":{"id":"e","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},"rule":"r","category":"c",
            "priority":"normal","title":"T","body":"B"}"#,
    )
    .unwrap()
}
