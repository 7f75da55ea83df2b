//! Writes the output of a batch: cancellations, deferred messages, jobs, outcomes, and last the pages that are done.

use std::collections::BTreeSet;

use aws::CallError;
use domain::Timestamp;
use domain::base::channel::Channel;
use domain::feedback::receipt::Marks;
use domain::limits::cancel::{CancelKey, Cancellation};
use engine::{EncodedJob, Outcome, Output, ScheduledMessage};
use futures_util::stream::{self, StreamExt as _};
use queue::{Outgoing, Queue};
use runtime::{Message, chain};
use store::{Counters, Ledger, LedgerRow, Times};

use crate::lane::Lanes;
use crate::warnings;

/// The number of concurrent calls.
const CONCURRENT_CALLS: usize = 8;

/// The most messages in one call to a queue.
const MESSAGES_PER_CALL: usize = 10;

/// A channel, and whether the message takes its critical lane.
type ChannelLane = (Channel, bool);

/// The queues and tables that dispatch writes.
pub(crate) struct OutputWriter {
    pub(crate) channels: Vec<(Channel, bool, Queue)>,
    pub(crate) lanes: Lanes,
    pub(crate) counters: Counters,
    pub(crate) ledger: Ledger,
}

/// The output of a batch, each part with the index of its message.
#[derive(Default)]
pub(crate) struct BatchOutput<'a> {
    messages: Vec<&'a Message>,
    jobs: Vec<(usize, ChannelLane, Outgoing)>,
    outcomes: Vec<(usize, LedgerRow)>,
    later: Vec<(usize, ScheduledMessage)>,
    cancelled: Vec<(usize, CancelKey, Cancellation)>,
    pages: Vec<(usize, String)>,
}

/// The size of a batch's output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) jobs: usize,
    pub(crate) outcomes: usize,
    pub(crate) later: usize,
}

impl<'a> BatchOutput<'a> {
    /// Adds the output about `event_id`, and logs its warnings.
    pub(crate) fn add(&mut self, message: &'a Message, event_id: &str, output: Output) {
        let index = self.messages.len();
        self.messages.push(message);
        output.warnings.iter().for_each(|warning| warnings::log(event_id, warning));
        self.jobs.extend(output.jobs.into_iter().map(|job| {
            let lane = (job.job.channel(), job.is_critical());
            let EncodedJob { body, tenant, .. } = job;
            (index, lane, Outgoing { body, tenant, delay: std::time::Duration::ZERO })
        }));
        self.outcomes.extend(output.outcomes.into_iter().map(|outcome| (index, row(outcome))));
        self.later.extend(output.later.into_iter().map(|message| (index, message)));
        self.cancelled.extend(output.cancelled.into_iter().map(|(key, by)| (index, key, by)));
        self.pages.extend(output.page.map(|page| (index, page)));
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { jobs: self.jobs.len(), outcomes: self.outcomes.len(), later: self.later.len() }
    }
}

impl OutputWriter {
    /// Hides a message of dispatch's own queues for a while.
    pub(crate) async fn hide(&self, message: &Message, pause: std::time::Duration) -> Result<(), CallError> {
        self.lanes.show_after(message, pause).await
    }

    /// Writes the output, and returns the messages whose output is not complete. Their whole output may be written
    /// again, because the keys stay the same.
    pub(crate) async fn write<'a>(&self, output: BatchOutput<'a>, now: Timestamp) -> Vec<&'a Message> {
        let mut incomplete = Incomplete::default();
        for (index, key, by) in &output.cancelled {
            incomplete.note(*index, self.counters.cancel(key, by, now).await, "cancellation not written");
        }
        let scheduled: Vec<(usize, Result<(), CallError>)> = stream::iter(output.later)
            .map(|(index, message)| async move { (index, self.lanes.schedule(message, now).await) })
            .buffer_unordered(CONCURRENT_CALLS)
            .collect()
            .await;
        for (index, scheduled) in scheduled {
            incomplete.note(index, scheduled, "continuation not scheduled");
        }
        for (index, sent) in self.send(output.jobs).await {
            incomplete.note(index, sent, "job not queued");
        }
        let (indices, rows): (Vec<usize>, Vec<LedgerRow>) = output.outcomes.into_iter().unzip();
        for (index, recorded) in indices.into_iter().zip(self.ledger.record(&rows, now).await) {
            incomplete.note(index, recorded, "outcome not recorded");
        }
        for (index, page) in output.pages {
            if incomplete.0.contains(&index) {
                continue;
            }
            if let Err(refused) = self.counters.page_done(&page, now).await {
                tracing::warn!(
                    error = chain(&refused),
                    code = "DISPATCH_PAGE_NOT_MARKED",
                    "page of a large audience not marked as done: a redelivery repeats it under the same keys"
                );
            }
        }
        incomplete.0.into_iter().filter_map(|index| output.messages.get(index).copied()).collect()
    }

    async fn send(&self, jobs: Vec<(usize, ChannelLane, Outgoing)>) -> Vec<(usize, Result<(), CallError>)> {
        let lanes = self.channels.iter().map(|(channel, critical, queue)| ((*channel, *critical), queue));
        let sent: Vec<Vec<(usize, Result<(), CallError>)>> = stream::iter(calls(jobs, lanes))
            .map(|(queue, indices, messages)| async move {
                indices.into_iter().zip(queue.send(&messages).await).collect()
            })
            .buffer_unordered(CONCURRENT_CALLS)
            .collect()
            .await;
        sent.into_iter().flatten().collect()
    }
}

/// Groups jobs into calls. Each call goes to one queue, with at most ten messages.
fn calls<Q>(
    mut jobs: Vec<(usize, ChannelLane, Outgoing)>,
    lanes: impl Iterator<Item = (ChannelLane, Q)>,
) -> Vec<(Q, Vec<usize>, Vec<Outgoing>)>
where
    Q: Copy,
{
    let mut calls = Vec::new();
    for (lane, queue) in lanes {
        let (of_lane, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|(_, other, _)| *other == lane);
        jobs = others;
        let mut of_lane = of_lane.into_iter().peekable();
        while of_lane.peek().is_some() {
            let call = of_lane.by_ref().take(MESSAGES_PER_CALL);
            let (indices, messages) = call.map(|(index, _, message)| (index, message)).unzip();
            calls.push((queue, indices, messages));
        }
    }
    calls
}

/// The indices of messages whose output is not complete.
#[derive(Default)]
struct Incomplete(BTreeSet<usize>);

impl Incomplete {
    fn note(&mut self, index: usize, written: Result<(), CallError>, fault: &'static str) {
        if let Err(refused) = written {
            tracing::error!(
                error = chain(&refused),
                code = "DISPATCH_OUTPUT_INCOMPLETE",
                "message returned to the queue: {fault}"
            );
            self.0.insert(index);
        }
    }
}

/// The ledger row of an outcome.
#[must_use]
pub fn row(outcome: Outcome) -> LedgerRow {
    let Outcome { key, status, reason, origin, rule, catalog, recipient, channel, .. } = outcome;
    LedgerRow {
        key,
        status,
        reason: Some(reason),
        origin,
        rule,
        catalog,
        recipient,
        channel,
        step: outcome.step,
        until: outcome.until,
        joined: outcome.joined,
        note: outcome.note,
        provider_id: None,
        marks: Marks::default(),
        set: outcome.set,
        times: Times::default(),
    }
}

#[cfg(test)]
mod tests {
    use engine::Lane;

    use super::*;

    #[test]
    fn call_carries_at_most_ten_jobs_of_one_lane() {
        let (email, urgent) = ((Channel::Email, false), (Channel::Email, true));
        let jobs =
            (0..23).map(|index| (index, if index < 12 { email } else { urgent }, outgoing())).collect();
        let calls = calls(jobs, [(email, "email"), (urgent, "email-critical")].into_iter());
        let sizes: Vec<(&str, usize)> = calls.iter().map(|(queue, _, jobs)| (*queue, jobs.len())).collect();
        assert_eq!(sizes, [("email", 10), ("email", 2), ("email-critical", 10), ("email-critical", 1)]);
        assert_eq!(calls[1].1, [10, 11], "each job keeps the index of its message");
    }

    #[test]
    fn message_is_incomplete_after_one_failed_write() {
        let mut incomplete = Incomplete::default();
        incomplete.note(0, Ok(()), "job not queued");
        let refused =
            CallError { doing: "send", verdict: aws::Verdict::Transient, source: "no answer".into() };
        incomplete.note(1, Err(refused), "job not queued");
        incomplete.note(1, Ok(()), "outcome not recorded");
        assert_eq!(incomplete.0, BTreeSet::from([1]));
    }

    #[test]
    fn output_of_an_event_over_its_rate_is_one_message_for_later() {
        let later = ScheduledMessage {
            lane: Lane::Bulk,
            at: Timestamp::UNIX_EPOCH,
            body: "{}".into(),
            tenant: None,
            name: "m-1".to_owned(),
        };
        let message = message();
        let mut output = BatchOutput::default();
        output.add(&message, "e-1", Output::deferred(later));
        assert_eq!(output.counts(), Counts { jobs: 0, outcomes: 0, later: 1 });
    }

    fn outgoing() -> Outgoing {
        Outgoing { body: "{}".into(), tenant: None, delay: std::time::Duration::ZERO }
    }

    fn message() -> Message {
        serde_json::from_value(serde_json::json!({
            "messageId": "m-1", "receiptHandle": "r", "body": "{}", "attributes": {}, "eventSourceARN": "q",
        }))
        .unwrap()
    }
}
