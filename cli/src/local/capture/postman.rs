//! The receipts that nobody sends on the local cloud: for what goes to the simulators that AWS has for this, they are
//! put into the queue that the default bus would bring them to.
//!
//! The bus of the local cloud takes no events of AWS's own, so they go to the queue directly. It forgets the tags of a
//! letter, so its receipts are matched by the id of the message, as those of WhatsApp are anyway.

mod receipts;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use queue::{Outgoing, Queue, Sqs};
use serde_json::Value;

use super::super::state::State;
use super::record::Records;
use receipts::{letter, note, text};

/// How long nobody looks after having looked.
const PAUSE: Duration = Duration::from_millis(700);

/// The local cloud tells all letters that it has: looking takes no more than this part of the time.
const SHARE: u32 = 10;

/// Looks for what went to a simulator, until the process ends.
pub(super) async fn run(records: Rc<Records>) {
    let mut answered = BTreeSet::new();
    loop {
        let took = match State::load() {
            Ok(Some(state)) if state.deployed.is_some() => round(&state, &records, &mut answered).await,
            Ok(_) | Err(_) => Duration::ZERO,
        };
        tokio::time::sleep(PAUSE.max(took * SHARE)).await;
    }
}

/// Answers what has not been answered. What cannot be asked or sent now is tried again in the next round.
async fn round(state: &State, records: &Records, answered: &mut BTreeSet<String>) -> Duration {
    let endpoint = state.endpoint();
    let Ok((asked, took)) = tokio::task::spawn_blocking(move || sent(&endpoint)).await else {
        return Duration::ZERO;
    };
    let captured = |channel: &str, kind: Sent| {
        let found = records.find(Some(channel), None).into_iter();
        found.map(move |found| (kind, word(&found["id"]), word(&found["to"])))
    };
    let notes = captured("whatsapp", Sent::Whatsapp).chain(captured("sms", Sent::Text));
    let queue = Queue::new(&Sqs::new(&state.settings().config()), queue_url(state));
    for (kind, id, to) in asked.into_iter().chain(notes) {
        let now = runtime::now();
        let receipts = match kind {
            Sent::Letter => letter(&to, &id, now),
            Sent::Text => text(&to, &id, now),
            Sent::Whatsapp => note(&to, &id, now),
        };
        if receipts.is_empty() || answered.contains(&id) {
            continue;
        }
        let messages: Vec<Outgoing> = receipts
            .iter()
            .map(|receipt| Outgoing { body: receipt.to_string(), tenant: None, delay: Duration::ZERO })
            .collect();
        if queue.send(&messages).await.iter().all(Result::is_ok) {
            answered.insert(id);
        }
    }
    took
}

/// What was sent, by whom receipts come from.
#[derive(Clone, Copy)]
enum Sent {
    Letter,
    Text,
    Whatsapp,
}

/// Letters: what each is called, and where it went.
#[expect(clippy::disallowed_methods, reason = "how long an answer took is nobody's decision")]
fn sent(endpoint: &str) -> (Vec<(Sent, String, String)>, Duration) {
    let began = Instant::now();
    let mut found = Vec::new();
    let letters = ask(&format!("{endpoint}/_ministack/ses/messages"));
    let accounts = letters["messages"].as_object().into_iter().flat_map(|object| object.values());
    for it in accounts.filter_map(Value::as_array).flatten() {
        found.push((Sent::Letter, word(&it["MessageId"]), word(&it["To"][0])));
    }
    found.retain(|(_, id, _)| !id.is_empty());
    (found, began.elapsed())
}

fn ask(url: &str) -> Value {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
    let text = agent.get(url).call().ok().and_then(|mut it| it.body_mut().read_to_string().ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// As SQS names queues; the local cloud's account is all zeros.
fn queue_url(state: &State) -> String {
    format!("{}/000000000000/carillon-local-feedback", state.endpoint())
}
