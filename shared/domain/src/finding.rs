//! What the audit notes about an event that came with a claim it could not make good.

/// A note on an audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The event claims an outbox entry behind it, and no mark of the relay proves that.
    UnprovenOutboxMark,
    /// The relay published the event from an outbox entry, and no entry with that text is in the table any more.
    OutboxEntryDiffers,
    /// The event came with marks of a replay from a source that is no operator's. It was handled without them.
    ReplayMarkIgnored,
}

impl Finding {
    pub const ALL: [Finding; 3] =
        [Finding::UnprovenOutboxMark, Finding::OutboxEntryDiffers, Finding::ReplayMarkIgnored];

    /// The name under which records and log lines have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Finding::UnprovenOutboxMark => "unproven_outbox_mark",
            Finding::OutboxEntryDiffers => "outbox_entry_differs",
            Finding::ReplayMarkIgnored => "replay_mark_ignored",
        }
    }

    /// The stable code of the log line about it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Finding::UnprovenOutboxMark => "AUDIT_UNPROVEN_OUTBOX_MARK",
            Finding::OutboxEntryDiffers => "AUDIT_OUTBOX_ENTRY_DIFFERS",
            Finding::ReplayMarkIgnored => "AUDIT_REPLAY_MARK_IGNORED",
        }
    }

    /// What it means, for an operator.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Finding::UnprovenOutboxMark => {
                "the event claims to come from the outbox, and the relay did not publish it; no entry was acknowledged"
            }
            Finding::OutboxEntryDiffers => {
                "the relay published the event, and the outbox has no entry with this text; no entry was acknowledged"
            }
            Finding::ReplayMarkIgnored => {
                "the event came with replay marks, and its source is no operator's; the marks were ignored"
            }
        }
    }

    /// All findings that a record's `finding` attribute names. Names of later releases are left out.
    #[must_use]
    pub fn read(names: &str) -> Vec<Finding> {
        names.split(',').filter_map(|name| Finding::ALL.into_iter().find(|it| it.name() == name)).collect()
    }

    /// The value of the attribute for these findings. `None` where there is none.
    #[must_use]
    pub fn write(findings: &[Finding]) -> Option<String> {
        let names: Vec<&str> = findings.iter().map(|finding| finding.name()).collect();
        (!names.is_empty()).then(|| names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_read_as_they_were_written() {
        let written = Finding::write(&Finding::ALL).unwrap();
        assert_eq!(Finding::read(&written), Finding::ALL);
        assert_eq!(Finding::read("of_a_later_release,replay_mark_ignored"), [Finding::ReplayMarkIgnored]);
        assert_eq!((Finding::write(&[]), Finding::read("")), (None, vec![]));
    }
}
