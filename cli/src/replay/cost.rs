//! The cost of a replay in US dollars, from the repository's table of on-demand prices, without free tiers. Other Regions
//! cost up to 50 % more.

use serde::Deserialize;

/// Prices of a million units.
#[derive(Deserialize)]
struct Prices {
    eventbridge_event: f64,
    sqs_request: f64,
    dynamodb_read_unit: f64,
    dynamodb_write_unit: f64,
    lambda_request: f64,
}

const PRICES: &str = include_str!("../../../benches/calls/prices.json");

/// The billing unit of EventBridge and SQS, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The bytes of a read unit of DynamoDB. Eventually consistent reads cost half a unit.
const READ_BYTES: usize = 4 * 1024;

/// The events of a function call.
const BATCH: f64 = 10.0;

/// The work of a replay.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Work {
    /// The size of the read events.
    pub(super) read_bytes: usize,
    /// The number of ledger reads.
    pub(super) ledger_reads: usize,
    /// The number of sent events.
    pub(super) sent: usize,
    /// The number of their billing units of 64 KB.
    pub(super) chunks: usize,
    /// Whether the bus delivers them, to dispatch, audit and people.
    pub(super) over_the_bus: bool,
}

impl Work {
    /// The billing units of an event.
    pub(super) fn chunks_of(bytes: usize) -> usize {
        bytes.div_ceil(CHUNK_BYTES).max(1)
    }

    /// The cost from reading the events to the first function call, without notifications.
    pub(super) fn dollars(&self) -> f64 {
        let prices: Prices = serde_json::from_str(PRICES).expect("the compiled-in table is tested");
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let reads = count(self.read_bytes.div_ceil(READ_BYTES)) / 2.0 + count(self.ledger_reads);
        let consumers = if self.over_the_bus { 3.0 } else { 1.0 };
        let on_the_bus = if self.over_the_bus { count(self.chunks) * prices.eventbridge_event } else { 0.0 };
        // Send, receive and delete requests.
        let queues = count(self.chunks) * consumers * 3.0 / BATCH * prices.sqs_request;
        let functions = count(self.sent) * consumers / BATCH * prices.lambda_request;
        let recorded =
            if self.over_the_bus { count(self.chunks) * 2.0 * prices.dynamodb_write_unit } else { 0.0 };
        (reads * prices.dynamodb_read_unit + on_the_bus + queues + functions + recorded) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn million_small_events_cost_cents_by_queue_and_dollars_by_bus() {
        let million = 1_000_000;
        let queue = Work {
            read_bytes: million * 1024,
            ledger_reads: million,
            sent: million,
            chunks: million,
            over_the_bus: false,
        };
        let dollars = queue.dollars();
        assert!((0.2..0.5).contains(&dollars), "{dollars}");
        let bus = Work { over_the_bus: true, ..queue }.dollars();
        assert!((2.0..4.0).contains(&bus), "{bus}");
        assert!(Work::default().dollars().abs() < f64::EPSILON);
        assert_eq!((Work::chunks_of(0), Work::chunks_of(65_536), Work::chunks_of(65_537)), (1, 1, 2));
    }
}
