//! A summary of many decisions of one rule: the number of decisions with the same outcome, by channel.

use std::collections::BTreeMap;

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use store::LedgerRow;

use crate::deciding::{PreviewedDecision, PreviewedOutcome};
use crate::status::word;
use crate::terminal::{Ink, Terminal};

/// The number of decisions by channel and outcome.
pub(super) struct Summary(BTreeMap<(&'static str, String), usize>);

/// Summarizes ledger rows.
pub(super) fn of<'a>(rows: impl Iterator<Item = &'a LedgerRow>) -> Summary {
    count(rows.map(|row| {
        let until = row.until.filter(|_| row.status == Status::Deferred || is_collected(row.reason));
        (row.channel, text(word(row.status, row.reason), row.reason, until))
    }))
}

/// Summarizes forecast decisions.
pub(super) fn of_previewed<'a>(previewed: impl Iterator<Item = &'a PreviewedDecision>) -> Summary {
    count(previewed.map(|previewed| {
        let text = match previewed.what {
            PreviewedOutcome::Send => text("send", None, None),
            PreviewedOutcome::Suppress(reason) => text("not sent", Some(reason), None),
            PreviewedOutcome::Later { until, why } => text("waits", Some(why), Some(until)),
            PreviewedOutcome::Collect { closes_at } => text("collected", None, Some(closes_at)),
            PreviewedOutcome::Cancels => text("cancels", None, None),
        };
        (previewed.channel, text)
    }))
}

fn is_collected(reason: Option<Reason>) -> bool {
    reason == Some(Reason::Merged)
}

fn text(word: &str, reason: Option<Reason>, until: Option<domain::Timestamp>) -> String {
    let reason = reason.filter(|reason| *reason != Reason::Merged);
    let reason = reason.map_or_else(String::new, |reason| format!(" ({})", reason.name()));
    // Times are rounded to the minute, because quiet hours end at a different moment for each recipient.
    let until = until.map(|until| until.strftime("%Y-%m-%d %H:%M UTC").to_string());
    format!("{word}{reason}{}", until.map_or_else(String::new, |until| format!(" until {until}")))
}

fn count(items: impl Iterator<Item = (Option<Channel>, String)>) -> Summary {
    let mut counts = BTreeMap::new();
    for (channel, text) in items {
        *counts.entry((channel.map_or("", Channel::name), text)).or_insert(0) += 1;
    }
    Summary(counts)
}

impl Summary {
    /// Returns the lines, the most frequent outcome first.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut counts: Vec<_> = self.0.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        counts.iter().map(|((channel, text), count)| format!("{count:>8} × {channel:<8} {text}")).collect()
    }

    pub(super) fn print(&self, terminal: &Terminal) {
        self.lines().iter().for_each(|line| terminal.say(&terminal.ink(Ink::Strong, line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_came_to_the_same_end_are_one_line_the_most_frequent_first() {
        let seven = "2026-11-30T07:00:08Z".parse().ok();
        let nine_past = "2026-11-30T07:00:41Z".parse().ok();
        let items = [
            (Some(Channel::Push), text("not sent", Some(Reason::NoAddress), None)),
            (Some(Channel::Socket), text("sent", None, None)),
            (Some(Channel::Socket), text("sent", None, None)),
            (Some(Channel::Socket), text("sent", None, None)),
            (None, text("waits", Some(Reason::Wait), seven)),
            (None, text("waits", Some(Reason::Wait), nine_past)),
        ];
        let lines = count(items.into_iter()).lines();
        assert_eq!(
            lines,
            [
                "       3 × socket   sent",
                "       2 ×          waits (wait) until 2026-11-30 07:00 UTC",
                "       1 × push     not sent (no_address)",
            ]
        );
    }
}
