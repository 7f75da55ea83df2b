//! Targets of in-app messages.

use serde::{Deserialize, Serialize};

/// The sockets that receive a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SocketTarget {
    /// All open sockets of this user.
    User(String),
    /// All sockets that joined this room, as `<name>:<value>`.
    Room(String),
}
