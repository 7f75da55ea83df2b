//! Sends unread counts of an inbox to open sockets.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use aws::{CallError, chain};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::inbox::{Counts, View};
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use store::{Connections, Inbox};

use crate::Sockets;

/// The number of parallel posts, and the timeout of all of them. The next counts replace lost ones.
const POSTS_AT_ONCE: usize = 16;
const TO_POST: Duration = Duration::from_secs(2);

/// The frame to a client.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Frame {
    Counts(Counts),
}

/// Sends a user's open sockets the inbox counts after entries were marked.
pub struct UnreadCounts {
    connections: Connections,
    inbox: Inbox,
    /// The client, created on first use. Few requests mark entries.
    sockets: LazyLock<Sockets, Box<dyn FnOnce() -> Sockets + Send>>,
}

impl UnreadCounts {
    /// `endpoint` is the URL of the WebSocket API's stage.
    #[must_use]
    pub fn new(aws: &SdkConfig, endpoint: String, connections: Connections, inbox: Inbox) -> UnreadCounts {
        let aws = aws.clone();
        let sockets = LazyLock::new(Box::new(move || Sockets::new(&aws, endpoint)) as Box<_>);
        UnreadCounts { connections, inbox, sockets }
    }

    /// Posts the counts to all sockets of a user except `but`, which has them in its answer. The marks
    /// stay if this fails.
    pub async fn tell(&self, user: &str, but: Option<&str>, now: Timestamp) {
        match tokio::time::timeout(TO_POST, self.post(user, but, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => tracing::warn!(
                code = "SOCKET_COUNTS_NOT_SENT",
                error = chain(&refused),
                "unread counts not sent to the user's other sockets"
            ),
            Err(_) => tracing::warn!(
                code = "SOCKET_COUNTS_NOT_SENT",
                "unread counts not sent to all of the user's other sockets: the time is up"
            ),
        }
    }

    async fn post(&self, user: &str, but: Option<&str>, now: Timestamp) -> Result<(), CallError> {
        let mut open = self.connections.of_user(user, now).await?;
        open.retain(|socket| but != Some(socket.id.as_str()));
        if open.is_empty() {
            return Ok(());
        }
        let head = self.inbox.head(user).await?;
        let text = |view: &View| {
            let heard = Frame::Counts(head.counts(view, now));
            serde_json::to_string(&heard).expect("three numbers write themselves as JSON")
        };
        let texts: BTreeMap<&View, String> =
            open.iter().map(|socket| (&socket.view, text(&socket.view))).collect();
        let posts = open.iter().map(|socket| self.sockets.post(&socket.id, &texts[&socket.view]));
        // A closed socket is removed by the next message to it.
        stream::iter(posts).buffer_unordered(POSTS_AT_ONCE).for_each(async |_| {}).await;
        Ok(())
    }
}
