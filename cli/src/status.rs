//! The words and colours for the states of a notification, the same in all commands.

use domain::base::outcome::{Reason, Status};

use crate::terminal::Ink;

/// The word for a notification in this state.
pub(crate) fn word(status: Status, reason: Option<Reason>) -> &'static str {
    match status {
        Status::Claimed => "sending",
        Status::Released => "retrying",
        Status::Sent => "sent",
        Status::Suppressed if reason == Some(Reason::Merged) => "collected",
        Status::Suppressed => "not sent",
        Status::Deferred => "waits",
        Status::Failed => "failed",
        Status::Unknown => "unknown",
        Status::Unconfirmed => "unconfirmed",
        Status::Undelivered => "undelivered",
        Status::Bounced => "bounced",
        Status::Delivered => "delivered",
    }
}

/// The colour of the word.
pub(crate) fn ink(status: Status) -> Ink {
    match status {
        Status::Sent | Status::Delivered => Ink::Good,
        Status::Claimed | Status::Released | Status::Suppressed | Status::Deferred | Status::Unconfirmed => {
            Ink::Note
        }
        Status::Failed | Status::Unknown | Status::Undelivered | Status::Bounced => Ink::Bad,
    }
}

/// `1 rule`, `2 rules`, `3 people`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_word() {
        let states = [
            Status::Claimed,
            Status::Released,
            Status::Sent,
            Status::Suppressed,
            Status::Deferred,
            Status::Failed,
            Status::Unknown,
            Status::Unconfirmed,
            Status::Undelivered,
            Status::Bounced,
            Status::Delivered,
        ];
        let mut words: Vec<&str> = states.map(|status| word(status, None)).into();
        words.push(word(Status::Suppressed, Some(Reason::Merged)));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), states.len() + 1);
    }

    #[test]
    fn count_of_one_is_singular() {
        assert_eq!(counted(1, "rule", "rules"), "1 rule");
        assert_eq!(counted(0, "person", "people"), "0 people");
    }
}
