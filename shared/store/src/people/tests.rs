use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws::Verdict;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use domain::recipient::recipient_changes::Entry;
use serde_json::json;

use super::filed::Filed;
use super::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

/// The transactions that were sent: a line per action.
type Asked = Arc<Mutex<Vec<Vec<String>>>>;

#[test]
fn profile_round_trips_through_its_item() {
    let person = recipient(json!({
        "id": "ann", "name": "Ann", "email": "ann@example.com", "phone": "1", "whatsapp": "2",
        "devices": [
            { "id": "c", "platform": "fcm", "endpoint": "arn:c" },
            { "id": "d", "platform": "fcm", "endpoint": "arn:d", "tenant": "a" },
        ],
        "locale": "de", "zone": "Europe/Berlin", "tenants": ["a", "b"], "roles": [{ "role": "staff", "in": "a" }], "topics": ["x:1"],
        "topics_in": { "b": ["x:2"] }, "preferences": { "channels": { "email": false } },
        "quiet": [{ "day": "sun", "type": "do_not_send" }],
        "in_tenants": { "a": { "zone": "Europe/London" } },
        "suppressed": [{ "channel": "sms", "why": "opted_out" }],
    }));
    let mut entry = Entry::default();
    let change = Change::Create(Box::new(person.clone()));
    entry.apply(&RecipientChange { id: "ann".into(), change, stamp: stamp(), reach: Tenants::All }).unwrap();
    let filed = Filed {
        entry,
        version: Some(3),
        open: Some(BTreeSet::from(["topic#-#x".to_owned()])),
        has_addresses: true,
    };
    let item = filed::to_item("ann", &filed);
    let devices = item.get("devices").unwrap();
    assert!(
        devices.starts_with('[') && !devices.contains("tenant"),
        "JSON that the last release reads: {devices}"
    );
    assert_eq!(item.get("device_tenants"), Some(r#"{"d":"a"}"#));
    assert_eq!(item.get_texts("topics"), ["x:1"]);
    let again = filed::filed(&item).unwrap();
    assert!(again.entry == filed.entry && again.version == filed.version && again.open == filed.open);
    let quiet = serde_json::from_value(json!([{ "day": "sun", "type": "do_not_send" }])).unwrap();
    let settings = Settings { zone: Some("Europe/London".into()), quiet: Some(quiet), preferences: None };
    let item = filed::tenant_item("clinic-7", &settings, NOON, "crm e-1");
    assert!(filed::settings(&item).unwrap() == ("clinic-7".to_owned(), settings));
}

#[test]
fn profile_without_history_is_parsed_as_undated() {
    let item = filed::profile("ann").text("id", "ann").text("name", "Ann").texts("tenants", ["a".to_owned()]);
    let filed = filed::filed(&item).unwrap();
    assert!(filed.entry.person == Some(recipient(json!({ "id": "ann", "name": "Ann", "tenants": ["a"] }))));
    assert_eq!(filed.version, None);
    assert!(filed::filed(&item.text("quiet", "not json")).is_err());
}

#[tokio::test]
async fn person_and_membership_changes_are_one_transaction() {
    let asked = Asked::default();
    let before = standing(json!({ "id": "ann", "topics": ["x:1", "x:2"] }), 7);
    let people = people(&[&found(vec![before]), &takes(&asked)]);
    people.put(&[recipient(json!({ "id": "ann", "topics": ["x:2", "x:3"] }))], NOON).await.unwrap();
    let expected = ["put user#ann profile if 7", "put topic#-#x:3 user#ann", "delete topic#-#x:1 user#ann"];
    assert_eq!(*asked.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn topic_in_a_tenant_is_removed_from_a_person_without_tenants() {
    let asked = Asked::default();
    let before = standing(json!({ "id": "ann", "topics_in": { "a": ["x:1"] } }), 7);
    let people = people(&[&found(vec![before]), &takes(&asked)]);
    people.put(&[recipient(json!({ "id": "ann" }))], NOON).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [["put user#ann profile if 7", "delete topic#a#x:1 user#ann"]]);
}

#[tokio::test]
async fn address_entries_are_keyed_hashes_and_added_with_the_next_write() {
    let key = || {
        mock!(Client::get_item).then_output(|| {
            let item = Item::default().text("pk", "address-key").text("key", "0".repeat(64));
            GetItemOutput::builder().set_item(Some(item.into_map())).build()
        })
    };
    let asked = Asked::default();
    let same = json!({ "id": "ann", "email": "Ann@example.com", "phone": "+442079460102" });
    let before = standing(same.clone(), 7);
    let table = people(&[&found(vec![before]), &key(), &takes(&asked)]).with_addresses();
    table.put(&[recipient(same)], NOON).await.unwrap();
    let first = asked.lock().unwrap().pop().unwrap();
    assert_eq!(first.len(), 3, "{first:?}");
    for entry in &first[1..] {
        assert!(entry.starts_with("put address#") && entry.ends_with(" user#ann"), "{entry}");
        assert!(!entry.contains("example") && !entry.contains("2079460102"), "{entry}");
    }

    // For a profile with entries, the entry of the old address is deleted and the unchanged one is not written
    // again.
    let filed = Filed {
        has_addresses: true,
        ..standing_filed(json!({ "id": "ann", "email": "ann@example.com", "phone": "+442079460102" }), 8)
    };
    let item = filed::to_item("ann", &filed);
    let table = people(&[&found(vec![item]), &key(), &takes(&asked)]).with_addresses();
    let changed = json!({ "id": "ann", "email": "ann@other.example", "phone": "+44 20 7946 0102" });
    table.put(&[recipient(changed)], NOON).await.unwrap();
    let second = asked.lock().unwrap().pop().unwrap();
    let of = |beginning: &str| second.iter().filter(|line| line.starts_with(beginning)).count();
    assert_eq!((of("put address#email"), of("delete address#email"), of("put address#sms")), (1, 1, 0));
}

#[tokio::test]
async fn lost_write_is_retried_on_the_new_profile() {
    let asked = Asked::default();
    let first = standing(json!({ "id": "ann", "topics": ["x:1"] }), 7);
    let then = standing(json!({ "id": "ann", "topics": ["x:9"] }), 8);
    let reread = mock!(Client::get_item)
        .then_output(move || GetItemOutput::builder().set_item(Some(then.clone().into_map())).build());
    let people = people(&[&found(vec![first]), &cancels("ConditionalCheckFailed"), &reread, &takes(&asked)]);
    people.put(&[recipient(json!({ "id": "ann" }))], NOON).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [["put user#ann profile if 8", "delete topic#-#x:9 user#ann"]]);
}

#[tokio::test]
async fn edit_decides_again_when_the_profile_changed() {
    let asked = Asked::default();
    let get = |topic: &'static str, version| {
        let item = standing(json!({ "id": "ann", "topics": [topic] }), version);
        mock!(Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(item.clone().into_map())).build())
    };
    let rules = [&get("x:1", 7), &cancels("ConditionalCheckFailed"), &get("x:9", 8), &takes(&asked)];
    let seen = Mutex::new(Vec::new());
    let decide = |before: Option<&Recipient>| {
        seen.lock().unwrap().extend(before.unwrap().topics.clone());
        Ok::<_, ()>(Some(Change::Update(Map::from_iter([("topics".to_owned(), json!([]))]))))
    };
    assert!(people(&rules).edit("ann", &later(), decide).await.unwrap().changed);
    assert_eq!(*seen.lock().unwrap(), ["x:1", "x:9"]);
    assert_eq!(*asked.lock().unwrap(), [["put user#ann profile if 8", "delete topic#-#x:9 user#ann"]]);
    let denied = people(&[&get("x:1", 7)]).edit("ann", &later(), |_| Err("no")).await;
    assert!(matches!(denied, Err(EditError::Denied("no"))));
}

#[tokio::test]
async fn many_memberships_are_added_before_others_are_removed() {
    let asked = Asked::default();
    let topics = |letter: &str| (0..120).map(|number| format!("{letter}:{number:03}")).collect::<Vec<_>>();
    let before = standing(json!({ "id": "ann", "topics": topics("a") }), 7);
    let takes: Vec<Rule> = (0..5).map(|_| takes(&asked)).collect();
    let found = found(vec![before]);
    let rules: Vec<&Rule> = std::iter::once(&found).chain(&takes).collect();
    let people = people(&rules);
    people.put(&[recipient(json!({ "id": "ann", "topics": topics("b") }))], NOON).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [1, 100, 100, 43, 1]);
    assert_eq!(asked[0], ["put user#ann profile if 7 open 120"]);
    assert_eq!(asked[4], ["put user#ann profile if 8"]);
    assert!(asked[1..4].iter().all(|lines| lines[0] == "check user#ann profile if 8"));
    let writes: Vec<&String> = asked[1..4].iter().flat_map(|lines| &lines[1..]).collect();
    assert!(writes[..120].iter().all(|write| write.starts_with("put topic#-#b:")));
    assert!(writes[120..].iter().all(|write| write.starts_with("delete topic#-#a:")));
}

#[tokio::test]
async fn interrupted_membership_changes_are_completed_by_the_next_write() {
    let asked = Asked::default();
    let mut left = standing_filed(json!({ "id": "ann", "topics": ["b:1"] }), 8);
    left.open = Some(BTreeSet::from(["topic#-#a:1".to_owned()]));
    let people = people(&[&found(vec![filed::to_item("ann", &left)]), &takes(&asked)]);
    // The same event once more, without new content.
    let topic = Topic { tenant: None, name: "b:1".into() };
    let stamp = Stamp { at: Timestamp::UNIX_EPOCH, by: String::new() };
    assert!(!people.join(&topic, "ann", stamp).await.unwrap());
    let expected = ["put user#ann profile if 8", "put topic#-#b:1 user#ann", "delete topic#-#a:1 user#ann"];
    assert_eq!(*asked.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn invalid_patch_and_refused_write_are_different_errors() {
    let ann = standing(json!({ "id": "ann" }), 1);
    let asked = Asked::default();
    let patch = |value: Value| Map::from_iter([("name".to_owned(), value)]);
    let one = people(&[&found(vec![ann.clone()])]);
    let unfit = one.merge("ann", patch(json!(7)), later()).await;
    assert!(matches!(unfit, Err(NotApplied::Unfit(refusal)) if refusal.attribute == "data.name"));
    for (code, verdict) in [("ValidationError", Verdict::Permanent), ("ThrottlingError", Verdict::Throttled)]
    {
        let one = people(&[&found(vec![ann.clone()]), &cancels(code)]);
        let refused = one.merge("ann", patch(json!("Ann")), later()).await;
        assert!(matches!(refused, Err(NotApplied::Refused(refused)) if refused.verdict == verdict), "{code}");
    }
    // Two changes of one person that are too large together: each gets its own result.
    let reread = || {
        let ann = ann.clone();
        mock!(Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(ann.clone().into_map())).build())
    };
    let no = || cancels("ValidationError");
    let rules = [&found(vec![ann.clone()]), &no(), &reread(), &no(), &reread(), &takes(&asked)];
    let both = ["large", "small"].map(|name| RecipientChange {
        id: "ann".into(),
        change: Change::Update(patch(json!(name))),
        stamp: Stamp { at: NOON + std::time::Duration::from_secs(name.len() as u64), by: name.into() },
        reach: Tenants::All,
    });
    let applied = people(&rules).apply(&both).await;
    assert!(applied[0].is_err() && matches!(applied[1], Ok(true)));
}

#[tokio::test]
async fn change_reports_removed_addresses() {
    let asked = Asked::default();
    let before = standing(json!({ "id": "ann", "email": "old@example.com" }), 7);
    let people = people(&[&found(vec![before]), &takes(&asked)]);
    let patch = Map::from_iter([("email".to_owned(), json!("new@example.com"))]);
    let amendment = RecipientChange {
        id: "ann".into(),
        change: Change::Update(patch),
        stamp: later(),
        reach: Tenants::All,
    };
    let Some(Ok(amended)) = people.amend_all(&[amendment]).await.pop() else {
        panic!("the change was not applied")
    };
    let old: Vec<&str> = amended.addresses.iter().map(|change| change.old.expose().as_str()).collect();
    assert_eq!((amended.changed, old), (true, vec!["old@example.com"]));
}

#[tokio::test]
async fn unprocessed_keys_are_read_again() {
    let some = || {
        mock!(Client::batch_get_item).then_output(|| {
            let key = filed::profile("ben").into_map();
            let left = KeysAndAttributes::builder().keys(key).build().unwrap();
            let ann = standing(json!({ "id": "ann" }), 1).into_map();
            BatchGetItemOutput::builder()
                .responses("people", vec![ann])
                .unprocessed_keys("people", left)
                .build()
        })
    };
    let rest = found(vec![standing(json!({ "id": "ben" }), 1)]);
    let ids = BTreeSet::from(["ann", "ben"]);
    assert_eq!(people(&[&some(), &rest]).find(&ids).await.unwrap().len(), 2);
    let refused = people(&[&some(), &some(), &some(), &some(), &some()]).find(&ids).await.err().unwrap();
    assert_eq!(refused.verdict, Verdict::Throttled);
}

#[tokio::test]
async fn unreadable_people_are_listed_apart_from_people_and_tenants() {
    let tenant =
        filed::tenant_item("a", &Settings { zone: Some("Z".into()), ..Settings::default() }, NOON, "");
    let bad = standing(json!({ "id": "bad" }), 1).text("roles", "{");
    let gone = filed::profile("gone").text("history", "{}");
    let people = people(&[&found(vec![standing(json!({ "id": "ann" }), 1), tenant, bad, gone])]);
    let ids = BTreeSet::from(["ann", "bad", "gone"]);
    let found = people.look_up(&ids, &BTreeSet::from(["a", "b"])).await.unwrap();
    assert_eq!(found.recipients.keys().collect::<Vec<_>>(), ["ann"]);
    assert_eq!(found.tenant(Some("a")).unwrap().zone.as_deref(), Some("Z"));
    assert!(found.tenant(Some("b")).is_none() && found.tenant(None).is_none());
    assert_eq!(found.unreadable, BTreeSet::from(["user#bad".to_owned()]));
}

#[tokio::test]
async fn group_is_read_page_by_page() {
    let query = mock!(Client::query)
        .match_requests(|input| {
            let start = input
                .exclusive_start_key()
                .map(|exclusive_start_key| exclusive_start_key["sk"].as_s().unwrap().as_str());
            input.limit() == Some(2) && start == Some("user#a%23b") && input.consistent_read() == Some(true)
        })
        .then_output(|| {
            let item = |id: &str| Item::default().text("id", id).into_map();
            let last = filed::membership_key("topic#t#x:1", "c").into_map();
            QueryOutput::builder()
                .items(item("b"))
                .items(item("c"))
                .set_last_evaluated_key(Some(last))
                .build()
        });
    let group = Group::topic(Some("t"), "x:1");
    let page = people(&[&query]).members(&group, Some("a#b"), 2).await.unwrap();
    assert_eq!(page, Page { ids: vec!["b".into(), "c".into()], next: Some("c".into()) });
}

fn standing(person: Value, version: i64) -> Item {
    let filed = standing_filed(person, version);
    filed::to_item(&filed.entry.person.as_ref().unwrap().id.clone(), &filed)
}

/// A person who was described a day ago.
fn standing_filed(person: Value, version: i64) -> Filed {
    let person = recipient(person);
    let mut entry = Entry::default();
    let change = Change::Create(Box::new(person.clone()));
    entry.apply(&RecipientChange { id: person.id, change, stamp: stamp(), reach: Tenants::All }).unwrap();
    Filed { entry, version: Some(version), open: None, has_addresses: false }
}

fn stamp() -> Stamp {
    Stamp { at: NOON - std::time::Duration::from_secs(86_400), by: "crm e-1".into() }
}

fn later() -> Stamp {
    Stamp { at: NOON, by: "crm e-2".into() }
}

fn recipient(person: Value) -> Recipient {
    serde_json::from_value(person).unwrap()
}

fn found(items: Vec<Item>) -> Rule {
    let items: Vec<_> = items.into_iter().map(Item::into_map).collect();
    mock!(Client::batch_get_item)
        .then_output(move || BatchGetItemOutput::builder().responses("people", items.clone()).build())
}

fn takes(asked: &Asked) -> Rule {
    let asked = Arc::clone(asked);
    mock!(Client::transact_write_items)
        .match_requests(move |input| {
            asked.lock().unwrap().push(input.transact_items().iter().map(line_of).collect());
            true
        })
        .then_output(|| TransactWriteItemsOutput::builder().build())
}

fn cancels(code: &'static str) -> Rule {
    mock!(Client::transact_write_items).then_error(move || {
        let reason = CancellationReason::builder().code(code).build();
        let cancelled = TransactionCanceledException::builder().cancellation_reasons(reason).build();
        TransactWriteItemsError::TransactionCanceledException(cancelled)
    })
}

/// One action as a line of text.
fn line_of(action: &TransactWriteItem) -> String {
    let text = |value: &AttributeValue| value.as_s().unwrap().clone();
    let condition = |values: Option<&HashMap<String, AttributeValue>>| {
        values.map_or(String::new(), |values| format!(" if {}", values[":v"].as_n().unwrap()))
    };
    if let Some(put) = action.put() {
        let open =
            put.item().get("open").map(|value| serde_json::from_str::<Vec<String>>(&text(value)).unwrap());
        let open = open.map_or(String::new(), |groups| format!(" open {}", groups.len()));
        let values = condition(put.expression_attribute_values());
        return format!("put {} {}{values}{open}", text(&put.item()["pk"]), text(&put.item()["sk"]));
    }
    if let Some(delete) = action.delete() {
        return format!("delete {} {}", text(&delete.key()["pk"]), text(&delete.key()["sk"]));
    }
    let condition_check = action.condition_check().unwrap();
    let values = condition(condition_check.expression_attribute_values());
    format!("check {} {}{values}", text(&condition_check.key()["pk"]), text(&condition_check.key()["sk"]))
}

/// The table behind a real client with prepared answers, in this order.
fn people(rules: &[&Rule]) -> People {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    People::new(&Client::from_conf(config), "people".to_owned())
}
