//! What a replay costs, in US dollars, by the repository's one table of prices: on demand, without free tiers. Other Regions
//! are up to a half dearer.

use serde::Deserialize;

/// For a million of each.
#[derive(Deserialize)]
struct Prices {
    eventbridge_event: f64,
    sqs_request: f64,
    dynamodb_read_unit: f64,
    dynamodb_write_unit: f64,
    lambda_request: f64,
}

const PRICES: &str = include_str!("../../../benches/calls/prices.json");

/// What EventBridge and SQS count as one.
const CHUNK_BYTES: usize = 64 * 1024;

/// What DynamoDB reads for one unit; half a unit, where it may be a moment old.
const READ_BYTES: usize = 4 * 1024;

/// How many events one function call takes from its queue.
const BATCH: f64 = 10.0;

/// What is known of the work ahead.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Work {
    /// Bytes of the events that are read.
    pub(super) read_bytes: usize,
    /// Looks into the ledger.
    pub(super) looks: usize,
    /// Events that go, in chunks of 64 KB.
    pub(super) sent: usize,
    pub(super) chunks: usize,
    /// Whether they go over the bus, which hands them to dispatch, audit and people.
    pub(super) over_the_bus: bool,
}

impl Work {
    /// Chunks of one event.
    pub(super) fn chunks_of(bytes: usize) -> usize {
        bytes.div_ceil(CHUNK_BYTES).max(1)
    }

    /// From reading to the first function that gets an event, without what comes of it: notifications cost what they
    /// cost, and there are none where nobody is told.
    pub(super) fn dollars(&self) -> f64 {
        let prices: Prices =
            serde_json::from_str(PRICES).expect("a table that was compiled in, and is tested");
        let count = |it: usize| f64::from(u32::try_from(it).unwrap_or(u32::MAX));
        let reads = count(self.read_bytes.div_ceil(READ_BYTES)) / 2.0 + count(self.looks);
        let consumers = if self.over_the_bus { 3.0 } else { 1.0 };
        let on_the_bus = if self.over_the_bus { count(self.chunks) * prices.eventbridge_event } else { 0.0 };
        // Sent, received, deleted.
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
    fn a_million_small_events_cost_cents_in_a_queue_and_dollars_over_the_bus() {
        let million = 1_000_000;
        let queue = Work {
            read_bytes: million * 1024,
            looks: million,
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
