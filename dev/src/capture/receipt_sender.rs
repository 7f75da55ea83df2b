//! Receipts for messages to AWS's simulator addresses. The local cloud sends none.
//!
//! The receipts go to the feedback queue directly, because the local cloud's bus refuses events of AWS services. The local
//! cloud drops an e-mail's tags, so receipts are matched by message id, like those of WhatsApp.

mod receipts;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use queue::{Outgoing, Queue, Sqs};
use serde_json::Value;

use cli::local_cloud::State;

use super::records::Records;
use receipts::{email, sms, whatsapp};

/// The shortest pause between two polls.
const PAUSE: Duration = Duration::from_millis(700);

/// A pause is at least this many times as long as the poll, because the local cloud returns all its e-mails.
const PAUSE_FACTOR: u32 = 10;

/// Polls for messages to a simulator until the process ends.
pub(super) async fn run(records: Rc<Records>) {
    let mut answered = BTreeSet::new();
    loop {
        let took = match State::load() {
            Ok(Some(state)) if state.deployed.is_some() => poll(&state, &records, &mut answered).await,
            Ok(_) | Err(_) => Duration::ZERO,
        };
        tokio::time::sleep(PAUSE.max(took * PAUSE_FACTOR)).await;
    }
}

/// Sends the missing receipts and returns the duration of the request. Failed ones are tried again by the next poll.
async fn poll(state: &State, records: &Records, answered: &mut BTreeSet<String>) -> Duration {
    let endpoint = state.endpoint();
    let Ok((emails, took)) = tokio::task::spawn_blocking(move || emails(&endpoint)).await else {
        return Duration::ZERO;
    };
    let captured = |channel: &str, kind: Kind| {
        let records = records.find(Some(channel), None).into_iter();
        records.map(move |record| (kind, text(&record["id"]), text(&record["to"])))
    };
    let others = captured("whatsapp", Kind::Whatsapp).chain(captured("sms", Kind::Sms));
    let queue = Queue::new(&Sqs::new(&state.settings().config()), queue_url(state));
    for (kind, id, to) in emails.into_iter().chain(others) {
        let now = runtime::now();
        let receipts = match kind {
            Kind::Email => email(&to, &id, now),
            Kind::Sms => sms(&to, &id, now),
            Kind::Whatsapp => whatsapp(&to, &id, now),
        };
        if receipts.is_empty() || answered.contains(&id) {
            continue;
        }
        let messages: Vec<Outgoing> = receipts
            .iter()
            .map(|receipt| Outgoing { body: receipt.to_string().into(), tenant: None, delay: Duration::ZERO })
            .collect();
        if queue.send(&messages).await.iter().all(Result::is_ok) {
            answered.insert(id);
        }
    }
    took
}

/// The provider of a message, which sends its receipts.
#[derive(Clone, Copy)]
enum Kind {
    Email,
    Sms,
    Whatsapp,
}

/// The message ids and addresses of all e-mails, and the duration of the request.
#[expect(clippy::disallowed_methods, reason = "the duration of a request decides the length of a pause only")]
fn emails(endpoint: &str) -> (Vec<(Kind, String, String)>, Duration) {
    let started = Instant::now();
    let mut found = Vec::new();
    let answer = get(&format!("{endpoint}/_ministack/ses/messages"));
    let accounts = answer["messages"].as_object().into_iter().flat_map(|object| object.values());
    for message in accounts.filter_map(Value::as_array).flatten() {
        found.push((Kind::Email, text(&message["MessageId"]), text(&message["To"][0])));
    }
    found.retain(|(_, id, _)| !id.is_empty());
    (found, started.elapsed())
}

fn get(url: &str) -> Value {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build().into();
    let text = agent.get(url).call().ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The URL of the feedback queue. The local cloud's account id is all zeros.
fn queue_url(state: &State) -> String {
    format!("{}/000000000000/carillon-local-feedback", state.endpoint())
}
