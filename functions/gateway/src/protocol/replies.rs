//! Constructors of replies, with advice for refused clients.

use domain::catalog::rule::Unless;
use domain::event::key::Key;
use domain::inbox::{Counts, State};
use serde::Serialize;

use super::{Denied, Notices, Reply};

/// The state of an entry after a mark. An entry without a state is in no inbox.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub(crate) id: Key,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
}

impl Denied {
    /// The result for a notification that does not exist or belongs to another user. The two cases are
    /// indistinguishable.
    pub(crate) fn not_yours(id: Key) -> Denied {
        Denied { id, reason: "not_yours" }
    }

    pub(crate) fn told_to_a_room(id: Key) -> Denied {
        Denied { id, reason: "told_to_a_room" }
    }
}

impl Reply {
    pub(crate) fn unknown_action() -> Reply {
        Reply::Error {
            reason: "unknown_action",
            wanted: "{\"action\":…} with subscribe, seen, acknowledge, inbox, counts, mark, resume or ping",
        }
    }

    pub(crate) fn slow_down() -> Reply {
        let wanted = "fewer frames: 20 at once and 5 a second; this one was not carried out";
        Reply::Error { reason: "slow_down", wanted }
    }

    pub(crate) fn noticed(how: Unless, ids: Vec<Key>, refused: Vec<Denied>, counts: Option<Counts>) -> Reply {
        if ids.is_empty() {
            return Reply::NotNoticed { refused };
        }
        let notices = Notices { ids, refused, counts };
        match how {
            Unless::Seen => Reply::Seen(notices),
            Unless::Acknowledged => Reply::Acknowledged(notices),
        }
    }

    pub(crate) fn bad_ids(how: Unless) -> Reply {
        let wanted = match how {
            Unless::Seen => "{\"action\":\"seen\",\"ids\":[…]} with the id of 1 to 100 notifications",
            Unless::Acknowledged => {
                "{\"action\":\"acknowledge\",\"ids\":[…]} with the id of 1 to 100 notifications"
            }
        };
        Reply::Error { reason: "bad_ids", wanted }
    }

    pub(crate) fn bad_room() -> Reply {
        Reply::Error { reason: "bad_room", wanted: "{\"action\":\"subscribe\",\"room\":\"<name>:<value>\"}" }
    }

    pub(crate) fn not_connected() -> Reply {
        Reply::Error { reason: "not_connected", wanted: "a new connection, with a new ticket" }
    }

    pub(crate) fn bad_listing() -> Reply {
        let wanted = "{\"action\":\"inbox\"} and, where wanted, \"filter\": inbox, unseen, unread or archived; \
                      \"category\"; \"before\": the last page's next; \"limit\": 1 to 100";
        Reply::Error { reason: "bad_listing", wanted }
    }

    pub(crate) fn bad_marking() -> Reply {
        let wanted = "{\"action\":\"mark\",\"as\":…} with seen, read, unread, archived or unarchived, and \
                      \"ids\":[…] with the id of 1 to 100 notifications or \"all\":true and perhaps \"category\"";
        Reply::Error { reason: "bad_marking", wanted }
    }

    /// The reply to a mark on a read-only socket, opened by an admin's ticket.
    pub(crate) fn looks_on() -> Reply {
        let wanted = "a socket opened with the recipient's own ticket";
        Reply::Error { reason: "not_yours", wanted }
    }

    pub(crate) fn bad_after() -> Reply {
        Reply::Error {
            reason: "bad_after",
            wanted: "{\"action\":\"resume\",\"after\":\"<id>\"} with the id of a notification that came with `inbox`",
        }
    }

    /// The reply for an entry that is not in the user's inbox. Removed, unknown and foreign entries are
    /// indistinguishable.
    pub(crate) fn unknown_id() -> Reply {
        Reply::Error { reason: "unknown_id", wanted: "the id of a notification in the inbox, or a listing" }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a reply is strings, numbers and JSON text")
    }
}
