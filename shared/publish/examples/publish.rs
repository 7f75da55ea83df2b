//! Publishes two events, in the order of their aggregate.
//!
//! ```sh
//! BUS=carillon-dev cargo run --example publish
//! ```

#![expect(clippy::disallowed_methods, reason = "a program of a user reads its own environment and clock")]

use std::error::Error;
use std::time::SystemTime;

use carillon_publish::{Entry, Event, EventBridge, InOrder, PublishCalls as _, Put, Timestamp, chain};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let bus = std::env::var("BUS").unwrap_or_else(|_| "carillon-dev".to_owned());
    let bus = EventBridge::new(&aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await, bus);

    let now: Timestamp = SystemTime::now().try_into()?;
    let order = "order/1";
    let mut events = Vec::new();
    for (kind, id) in [("order.placed", "o-1/placed"), ("order.paid", "o-1/paid")] {
        let mut event = Event::new("shop", kind, id.to_owned(), now, &json!({ "userId": "u-1" }));
        event.subject = Some(order.to_owned());
        events.push(InOrder::new(Some(order.to_owned()), Entry::of(&event)));
    }

    for (event, put) in events.iter().zip(bus.put_in_order(&events, || true).await) {
        let kind = &event.entry.detail_type;
        let line = match put {
            Put::Done(id) => format!("{kind} is on the bus as {id}"),
            Put::Never(refused) => format!("{kind} is refused for good: {}", chain(&refused)),
            Put::NotYet(refused) => format!("send {kind} again: {}", chain(&refused)),
            Put::Held => format!("send {kind} again: an earlier event of {order} is not on the bus"),
        };
        show(&line);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of an example")]
fn show(line: &str) {
    println!("{line}");
}
