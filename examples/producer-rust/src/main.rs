//! Publishes order events on Carillon's bus, with the crate `carillon-publish`.
//!
//! ```sh
//! echo '{"orderId":"o-1","userId":"ann","status":"shipped"}' | CARILLON_BUS=carillon-dev cargo run -p example-producer-rust
//! ```
//!
//! Reads one order a line from stdin. Prints one JSON line for each event. Exits with 1 if an event was not published.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use carillon_publish::{Entry, Event, EventBridge, Timestamp, Verdict, chain};
use serde::Deserialize;
use serde_json::json;

const SOURCE: &str = "shop";

/// How often an event is offered whose call got no answer.
const ATTEMPTS: u32 = 3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    user_id: String,
    status: String,
}

impl Order {
    /// The event of this order.
    ///
    /// The id names the fact, not the attempt. A repeated event with the same source and id notifies no recipient
    /// twice.
    ///
    /// # Errors
    /// The refusal names the attribute, the found value and the wanted value.
    fn event(&self, tenant: Option<&str>, now: Timestamp) -> Result<Event, Box<dyn Error>> {
        let mut event = json!({
            "specversion": "1.0",
            "id": format!("{}-{}", self.order_id, self.status),
            "source": SOURCE,
            "type": "order.status.changed",
            "time": now.to_string(),
            "subject": format!("order/{}", self.order_id),
            "data": { "orderId": self.order_id, "status": self.status, "userId": self.user_id },
        });
        if let Some(tenant) = tenant {
            event["tenant"] = tenant.into();
        }
        Ok(Event::parse(&event.to_string())?)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest());
    let config = config.http_client(aws::http_client(None)).load().await;
    let bus = EventBridge::new(&config, std::env::var("CARILLON_BUS")?);
    let tenant = std::env::var("CARILLON_TENANT").ok().filter(|tenant| !tenant.is_empty());
    let (mut events, now) = (Vec::new(), Timestamp::now());
    for line in std::io::stdin().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        events.push(order.event(tenant.as_deref(), now)?);
    }
    let unpublished = publish(&bus, &events).await;
    Ok(if unpublished == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Publishes events, prints the answer for each, and returns the number of events that the bus did not accept.
///
/// [`EventBridge::put`] splits the entries into calls, reads the answers entry by entry, and offers throttled entries again.
/// A call without an answer may have been carried out. These events have stable ids, so a repeat does no harm.
async fn publish(bus: &EventBridge, events: &[Event]) -> usize {
    let (mut waiting, mut refused): (Vec<&Event>, usize) = (events.iter().collect(), 0);
    for attempt in 1..=ATTEMPTS {
        let entries: Vec<Entry> = waiting.iter().map(|event| Entry::of(event)).collect();
        let mut unanswered = Vec::new();
        for (event, result) in waiting.into_iter().zip(bus.put(&entries).await) {
            match result {
                Ok(bus_id) => println!("{}", json!({ "id": event.id, "busId": bus_id, "error": null })),
                Err(error) if error.verdict == Verdict::Unanswered && attempt < ATTEMPTS => {
                    unanswered.push(event)
                }
                Err(error) => {
                    refused += 1;
                    println!("{}", json!({ "id": event.id, "busId": null, "error": chain(&error) }));
                }
            }
        }
        waiting = unanswered;
        if waiting.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200) * attempt).await;
    }
    refused
}
