//! Audit findings: unproven claims of an event.

/// A finding on an audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// The event claims to come from the outbox, and no mark of the relay proves the claim.
    UnprovenOutboxMark,
    /// The relay published the event from an outbox entry, and the table holds no entry with that text.
    OutboxEntryDiffers,
    /// The event has replay marks, but its source is not an operator's. The marks were ignored.
    ReplayMarkIgnored,
}

impl Finding {
    pub const ALL: [Finding; 3] =
        [Finding::UnprovenOutboxMark, Finding::OutboxEntryDiffers, Finding::ReplayMarkIgnored];

    /// The name in records and log lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Finding::UnprovenOutboxMark => "unproven_outbox_mark",
            Finding::OutboxEntryDiffers => "outbox_entry_differs",
            Finding::ReplayMarkIgnored => "replay_mark_ignored",
        }
    }

    /// The stable code of the log line.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Finding::UnprovenOutboxMark => "AUDIT_UNPROVEN_OUTBOX_MARK",
            Finding::OutboxEntryDiffers => "AUDIT_OUTBOX_ENTRY_DIFFERS",
            Finding::ReplayMarkIgnored => "AUDIT_REPLAY_MARK_IGNORED",
        }
    }

    /// The meaning, for operators.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Finding::UnprovenOutboxMark => {
                "the event claims to come from the outbox, but the relay did not publish it; no entry was acknowledged"
            }
            Finding::OutboxEntryDiffers => {
                "the relay published the event, but the outbox has no entry with this text; no entry was acknowledged"
            }
            Finding::ReplayMarkIgnored => {
                "the event has replay marks, but its source is not an operator's; the marks were ignored"
            }
        }
    }

    /// Parses the `finding` attribute of a record. Names of later releases are ignored.
    #[must_use]
    pub fn read(names: &str) -> Vec<Finding> {
        names
            .split(',')
            .filter_map(|name| Finding::ALL.into_iter().find(|finding| finding.name() == name))
            .collect()
    }

    /// The value of the attribute for these findings. `None` without findings.
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
