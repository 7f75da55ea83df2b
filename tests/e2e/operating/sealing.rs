//! Tampering with audit records or seals is found and reported.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::audit::seal::{Sealed, minute_of};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use workspace::programs::carillon;
use workspace::unique;

const TABLE: &str = "carillon-local-events";

/// Time by which an audit write may be late: the function's timeout and some seconds.
const LAG: SignedDuration = SignedDuration::from_secs(40);

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

type Item = HashMap<String, AttributeValue>;

#[tokio::test]
async fn changes_to_sealed_records_and_seals_are_found_and_named() {
    let cloud = Cloud::connect();
    let admin = TableAdmin { client: store::client(&cloud.config) };
    // The first minute of an hour may be the first of the chain, and the test needs the seal before it.
    while now().as_second().rem_euclid(3_600) < 60 {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let ids = [unique("event"), unique("event"), unique("event")];
    let entries: Vec<_> = ids.iter().map(|id| cloud_event("tests.sealed", id, &json!({ "n": 1 }))).collect();
    cloud.put(&entries).await;
    let mut items = Vec::new();
    for id in &ids {
        items.push(until("a record", async || admin.item(&cloud, id).await).await);
    }
    let minutes: Vec<Timestamp> = items.iter().map(minute).collect();
    let last = *minutes.iter().max().unwrap();
    seal_until(&cloud, last + MINUTE).await;

    let seals = seals();
    let at = seals.iter().position(|seal| seal["minute"] == json!(minutes.iter().min().unwrap())).unwrap();
    assert!(at > 0, "there is one before ours: {seals:?}");
    let from = seals[at - 1]["minute"].as_str().unwrap().to_owned();
    let span = Span { from, to: (last + MINUTE).to_string() };
    span.check(&[], &[]);

    a_record_that_was_touched_is_named(&admin, &items, last, &span).await;
    a_seal_that_was_touched_is_named(&span, &seals[at], last);
}

async fn a_record_that_was_touched_is_named(
    admin: &TableAdmin,
    items: &[Item],
    last: Timestamp,
    span: &Span,
) {
    let [one, two, three] = items else { panic!("three records") };
    let mut changed = one.clone();
    changed.insert("event".into(), text("{}"));
    admin.put(&changed).await;
    admin.delete(two).await;
    let mut moved = three.clone();
    moved.insert(
        "recorded_at".into(),
        text(&(minute(three) - MINUTE + SignedDuration::from_secs(5)).to_string()),
    );
    // A minute of the day before is in another bucket. The first minute of the hour is not used.
    admin.put(&moved).await;
    let mut inserted = one.clone();
    inserted.insert("sk".into(), text(&unique("event#forged")));
    inserted.insert("recorded_at".into(), text(&(last + SignedDuration::from_secs(1)).to_string()));
    admin.put(&inserted).await;

    let named = [
        ("changed", name(one)),
        ("removed", name(two)),
        ("moved", name(three)),
        ("inserted", name(&inserted)),
    ];
    span.check(&[], &named);

    for record in [one, two, three] {
        admin.put(record).await;
    }
    admin.delete(&inserted).await;
    span.check(&[], &[]);
}

fn a_seal_that_was_touched_is_named(span: &Span, ours: &Value, last: Timestamp) {
    let folder = std::env::temp_dir().join(unique("seals"));
    let path = folder.to_str().unwrap();
    let saved = carillon(&["audit", "seals", "--to", &(last + MINUTE).to_string(), "--save", path], "");
    assert!(saved.status.success(), "{}", String::from_utf8_lossy(&saved.stderr));
    let key = folder.join("public-key.pem");
    let offline = ["--seals", path, "--public-key", key.to_str().unwrap()];
    span.check(&offline, &[]);
    // A minute is verified as a whole wherever the range begins.
    let ragged = Span { from: span.from.replace(":00Z", ":42Z"), to: span.to.clone() };
    assert_ne!(ragged.from, span.from);
    ragged.check(&offline, &[]);

    let number = ours["number"].as_u64().unwrap();
    let (this, before) = (file(&folder, ours["minute"].as_str().unwrap()), file(&folder, &span.from));
    let (this_text, before_text) = (std::fs::read(&this).unwrap(), std::fs::read(&before).unwrap());
    let broken =
        |number: u64, expected: u64| format!("seal {number} stands where seal {expected} is expected");

    // One seal in place of another.
    std::fs::write(&this, &before_text).unwrap();
    std::fs::write(&before, &this_text).unwrap();
    span.check(&offline, &[("broken_chain", broken(number - 1, number + 1))]);
    std::fs::write(&before, &before_text).unwrap();

    // A seal with a changed signed text, and one whose leaves were exchanged.
    let mut forged: Sealed = serde_json::from_slice(&this_text).unwrap();
    forged.statement.records += 1;
    std::fs::write(&this, serde_json::to_vec(&forged).unwrap()).unwrap();
    let seal = format!("seal {number}");
    span.check(&offline, &[("bad_signature", seal.clone()), ("bad_seal", seal.clone())]);
    let mut forged: Sealed = serde_json::from_slice(&this_text).unwrap();
    forged.leaves.pop();
    std::fs::write(&this, serde_json::to_vec(&forged).unwrap()).unwrap();
    span.check(&offline, &[("bad_seal", seal)]);
    std::fs::write(&this, "not json").unwrap();
    let output = span.findings(&offline);
    assert!(
        output.iter().any(|finding| finding["what"].as_str().unwrap().contains("is no seal")),
        "{output:?}"
    );
    std::fs::write(&this, &this_text).unwrap();

    // A missing seal.
    std::fs::remove_file(&before).unwrap();
    span.check(&offline, &[("broken_chain", broken(number, number - 1))]);
    std::fs::remove_dir_all(&folder).unwrap();
    let output = carillon(&["audit", "verify", "--seals", path], "");
    assert_eq!(output.status.code(), Some(2), "a folder that is not there is a mistake, not a finding");
}

/// Range of minutes to verify.
struct Span {
    from: String,
    to: String,
}

impl Span {
    /// Checks that the result has exactly the expected findings, and that the exit code reports them.
    #[track_caller]
    fn check(&self, more: &[&str], expected: &[(&str, String)]) {
        let found = self.findings(more);
        for (kind, what) in expected {
            let is_there = found.iter().any(|finding| finding["kind"] == *kind && finding["what"] == **what);
            assert!(is_there, "{kind} {what}: {found:?}");
        }
        assert_eq!(found.is_empty(), expected.is_empty(), "{found:?}");
    }

    #[track_caller]
    fn findings(&self, more: &[&str]) -> Vec<Value> {
        let arguments = ["--json", "audit", "verify", "--from", &self.from, "--to", &self.to];
        let output = carillon(&[&arguments, more].concat(), "");
        let lines = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sum = lines.pop().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(sum["findings"], json!(lines.len()));
        assert_eq!(output.status.code(), Some(i32::from(!lines.is_empty())));
        lines
    }
}

/// An administrator of the events table.
struct TableAdmin {
    client: Client,
}

impl TableAdmin {
    /// The stored item of an event with all attributes.
    async fn item(&self, cloud: &Cloud, id: &str) -> Option<Item> {
        let record = cloud.records(id).await.into_iter().next()?;
        let key = |name: &str| text(record.get(name).unwrap());
        let asked = self.client.get_item().table_name(TABLE).key("pk", key("pk")).key("sk", key("sk"));
        asked.send().await.unwrap().item
    }

    async fn put(&self, item: &Item) {
        self.client.put_item().table_name(TABLE).set_item(Some(item.clone())).send().await.unwrap();
    }

    async fn delete(&self, item: &Item) {
        let call = self.client.delete_item().table_name(TABLE);
        call.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
    }
}

/// Runs the sealer as its schedule does, in this process and with a shorter delay.
async fn seal_until(cloud: &Cloud, end: Timestamp) {
    let wait = (end + LAG).duration_since(now()) + SignedDuration::from_secs(1);
    tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
    let bucket = seals::bucket(&cloud.config, "local", now()).await.unwrap();
    let lag = LAG.as_secs().to_string();
    let env = [
        ("ENVIRONMENT", "local"),
        ("EVENTS_TABLE", TABLE),
        ("SEALS_BUCKET", &bucket),
        ("SEALS_KEY", "alias/carillon-local-seals"),
        ("LAG_SECONDS", &lag),
    ];
    let env: runtime::Env = env.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect();
    let Ok(sealer) = seal::Sealer::from_env(&cloud.config, &env) else { panic!("a variable is missing") };
    until("it is sealed", async || {
        let invocation = runtime::Invocation {
            payload: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
            deadline: runtime::Deadline::at_millis(u64::MAX),
        };
        let run = sealer.run(&invocation).await.unwrap();
        run.sealed_until.filter(|sealed_until| *sealed_until >= end)
    })
    .await;
}

fn seals() -> Vec<Value> {
    let output = carillon(&["--json", "audit", "seals"], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn file(folder: &Path, minute: &str) -> PathBuf {
    folder.join(seals::name_of("local", minute.parse().unwrap()))
}

fn minute(item: &Item) -> Timestamp {
    minute_of(item["recorded_at"].as_s().unwrap().parse().unwrap())
}

fn name(item: &Item) -> String {
    format!("{}\n{}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
