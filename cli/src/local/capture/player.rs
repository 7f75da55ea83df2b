//! The player of the ledger's stream. The local cloud's streams leave out what PartiQL writes, and that is how the
//! channels write; on AWS the table's own stream brings it.
//!
//! It reads the ledger again and again, and sends what changed to the relay's queue, as records in the shape of a stream.
//! A status that is passed through between two looks is not seen.

use std::collections::HashMap;
use std::time::Duration;

use aws_types::SdkConfig;
use queue::{Outgoing, Queue, Sqs};
use serde_json::{Value, json};
use store::Item;

use super::State;

/// How long it looks away after each look, at least; and how many times as long as the look took.
const PAUSE: Duration = Duration::from_millis(500);
const TIMES: u32 = 4;

/// How many records one message carries.
const RECORDS: usize = 50;

const TABLE: &str = "carillon-local-ledger";

/// The local cloud's one account.
const ACCOUNT: &str = "000000000000";

/// Plays until the process is ended.
pub(super) async fn run() {
    let mut player = Player::default();
    loop {
        let began = runtime::now();
        // No state, or no table yet: the stack is on its way.
        if let Ok(Some(state)) = State::load() {
            player.look(&state).await;
        }
        let took = Duration::try_from(runtime::now().duration_since(began)).unwrap_or_default();
        tokio::time::sleep(PAUSE.max(took * TIMES)).await;
    }
}

#[derive(Default)]
struct Player {
    /// The status of every row, by its keys; `None` before the first look, which tells nothing.
    known: Option<HashMap<(String, String), Item>>,
}

impl Player {
    async fn look(&mut self, state: &State) {
        let config = state.settings().config();
        let Ok(items) = store::scan(&config, TABLE).await else { return };
        let records = self.changes(items, &state.region);
        let url = format!("{}/{ACCOUNT}/carillon-local-relay", state.endpoint());
        send(&config, url, &records).await;
    }

    /// What changed since the last look, as records; the first look only learns what there is.
    fn changes(&mut self, items: Vec<Item>, region: &str) -> Vec<Value> {
        let is_first = self.known.is_none();
        let known = self.known.get_or_insert_default();
        let mut changed: Vec<(Item, Option<Item>)> = Vec::new();
        for item in items {
            let key = |name| item.get(name).unwrap_or_default().to_owned();
            let status = item.get("status").map(str::to_owned);
            let key = (key("pk"), key("sk"));
            if known.get(&key).is_some_and(|it| it.get("status") == status.as_deref()) {
                continue;
            }
            let image = Item::default().maybe("status", status.as_deref());
            let old = known.insert(key, image);
            if !is_first {
                changed.push((item, old));
            }
        }
        let at =
            |item: &Item| item.get("settled_at").or(item.get("claimed_at")).unwrap_or_default().to_owned();
        changed.sort_by_key(|(new, _)| at(new));
        let arn = format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/{TABLE}/stream/played");
        let is_told =
            |item: &Item| !["claimed", "released"].contains(&item.get("status").unwrap_or_default());
        let told = changed.iter().filter(|(new, _)| is_told(new));
        told.map(|(new, old)| record(&arn, new, old.as_ref())).collect()
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
    for some in records.chunks(RECORDS) {
        let body = json!({ "Records": some }).to_string();
        // A local cloud that stops in the middle has no use for it any more.
        let _ = queue.send(&[Outgoing { body, tenant: None, delay: Duration::ZERO }]).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_plays_what_changed_since_the_last_and_the_first_only_learns() {
        let row =
            |sk: &str, status: &str| Item::default().text("pk", "p").text("sk", sk).text("status", status);
        let mut player = Player::default();
        assert!(player.changes(vec![row("1", "sent")], "r").is_empty());
        let played = player.changes(vec![row("1", "sent"), row("2", "claimed"), row("3", "failed")], "r");
        assert_eq!(played.len(), 1, "{played:?}");
        assert_eq!(played[0]["dynamodb"]["NewImage"]["sk"]["S"], "3");
        let played = player.changes(vec![row("1", "sent"), row("2", "sent"), row("3", "failed")], "r");
        assert_eq!((played.len(), &played[0]["dynamodb"]["OldImage"]["status"]["S"]), (1, &json!("claimed")));
    }
}
