//! An emulation of the ledger's stream. The local cloud's streams lack PartiQL writes, which the channel functions use.
//!
//! The poller scans the ledger repeatedly and sends changed rows to the relay's queue, in the shape of stream records. It
//! misses a status that lasts shorter than a pause.

use std::collections::HashMap;
use std::time::Duration;

use aws_types::SdkConfig;
use queue::{Outgoing, Queue, Sqs};
use serde_json::{Value, json};
use store::Item;

use cli::local_cloud::State;

/// The shortest pause between two scans. A pause is at least `PAUSE_FACTOR` times as long as the scan.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_FACTOR: u32 = 4;

/// The most records in a message.
const RECORDS_PER_MESSAGE: usize = 50;

const TABLE: &str = "carillon-local-ledger";

/// The local cloud's account id.
const ACCOUNT: &str = "000000000000";

/// Polls until the process ends.
pub(super) async fn run() {
    let mut poller = Poller::default();
    loop {
        let started = runtime::now();
        // Before the first deployment there is no state or no table.
        if let Ok(Some(state)) = State::load() {
            poller.poll(&state).await;
        }
        let took = Duration::try_from(runtime::now().duration_since(started)).unwrap_or_default();
        tokio::time::sleep(PAUSE.max(took * PAUSE_FACTOR)).await;
    }
}

#[derive(Default)]
struct Poller {
    /// The status of every row, by its keys; `None` before the first scan.
    known: Option<HashMap<(String, String), Item>>,
}

impl Poller {
    async fn poll(&mut self, state: &State) {
        let config = state.settings().config();
        let Ok(items) = store::scan(&config, TABLE).await else { return };
        let records = self.changes(items, &state.region);
        let url = format!("{}/{ACCOUNT}/carillon-local-relay", state.endpoint());
        send(&config, url, &records).await;
    }

    /// The records of the changes since the last scan; none for the first scan.
    fn changes(&mut self, items: Vec<Item>, region: &str) -> Vec<Value> {
        let is_first = self.known.is_none();
        let known = self.known.get_or_insert_default();
        let mut changed: Vec<(Item, Option<Item>)> = Vec::new();
        for item in items {
            let key = |name| item.get(name).unwrap_or_default().to_owned();
            let status = item.get("status").map(str::to_owned);
            let key = (key("pk"), key("sk"));
            if known.get(&key).is_some_and(|image| image.get("status") == status.as_deref()) {
                continue;
            }
            let image = Item::default().maybe("status", status.as_deref());
            let old = known.insert(key, image);
            if !is_first {
                changed.push((item, old));
            }
        }
        let changed_at =
            |item: &Item| item.get("settled_at").or(item.get("claimed_at")).unwrap_or_default().to_owned();
        changed.sort_by_key(|(new, _)| changed_at(new));
        let arn = format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/{TABLE}/stream/played");
        let is_published =
            |item: &Item| !["claimed", "released"].contains(&item.get("status").unwrap_or_default());
        let published = changed.iter().filter(|(new, _)| is_published(new));
        published.map(|(new, old)| record(&arn, new, old.as_ref())).collect()
    }
}

fn record(arn: &str, new: &Item, old: Option<&Item>) -> Value {
    let mut images = json!({ "NewImage": new });
    if let Some(old) = old {
        images["OldImage"] = json!(old);
    }
    json!({
        "eventName": if old.is_some() { "MODIFY" } else { "INSERT" },
        "eventSource": "aws:dynamodb", "eventSourceARN": arn, "dynamodb": images,
    })
}

async fn send(config: &SdkConfig, url: String, records: &[Value]) {
    let queue = Queue::new(&Sqs::new(config), url);
    for some in records.chunks(RECORDS_PER_MESSAGE) {
        let body = json!({ "Records": some }).to_string();
        // A local cloud that is stopping refuses the message.
        let _ = queue.send(&[Outgoing { body: body.into(), tenant: None, delay: Duration::ZERO }]).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_gives_changes_since_the_last_scan_and_the_first_gives_none() {
        let row =
            |sk: &str, status: &str| Item::default().text("pk", "p").text("sk", sk).text("status", status);
        let mut poller = Poller::default();
        assert!(poller.changes(vec![row("1", "sent")], "r").is_empty());
        let records = poller.changes(vec![row("1", "sent"), row("2", "claimed"), row("3", "failed")], "r");
        assert_eq!(records.len(), 1, "{records:?}");
        assert_eq!(records[0]["dynamodb"]["NewImage"]["sk"]["S"], "3");
        let records = poller.changes(vec![row("1", "sent"), row("2", "sent"), row("3", "failed")], "r");
        assert_eq!(
            (records.len(), &records[0]["dynamodb"]["OldImage"]["status"]["S"]),
            (1, &json!("claimed"))
        );
    }
}
