//! How many entries an inbox has, for whoever shows it.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use aws::{Refused, chain};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::inbox::{Counts, View};
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use store::{Connections, Inbox};

use crate::Sockets;

/// Posts under way at once, and how long all of them may take. The next counts make up for any that were lost.
const POSTS_AT_ONCE: usize = 16;
const TO_POST: Duration = Duration::from_secs(2);

/// What a client hears.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Heard {
    Counts(Counts),
}

/// Tells the open sockets of a user what their inbox counts, when somebody has marked something in it.
pub struct Badges {
    connections: Connections,
    inbox: Inbox,
    /// Made when it is first used: few requests mark anything.
    sockets: LazyLock<Sockets, Box<dyn FnOnce() -> Sockets + Send>>,
}

impl Badges {
    /// `endpoint` is the WebSocket API's stage.
    #[must_use]
    pub fn new(aws: &SdkConfig, endpoint: String, connections: Connections, inbox: Inbox) -> Badges {
        let aws = aws.clone();
        let sockets = LazyLock::new(Box::new(move || Sockets::new(&aws, endpoint)) as Box<_>);
        Badges { connections, inbox, sockets }
    }

    /// Posts the counts to all sockets of a user but one: whoever marked has them in the answer. What was marked stays
    /// marked if that fails.
    pub async fn tell(&self, user: &str, but: Option<&str>, now: Timestamp) {
        match tokio::time::timeout(TO_POST, self.post(user, but, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => tracing::warn!(error = chain(&refused), "open sockets do not hear of it"),
            Err(_) => tracing::warn!("there was no time to tell all open sockets"),
        }
    }

    async fn post(&self, user: &str, but: Option<&str>, now: Timestamp) -> Result<(), Refused> {
        let mut open = self.connections.of_user(user, now).await?;
        open.retain(|it| but != Some(it.id.as_str()));
        if open.is_empty() {
            return Ok(());
        }
        let head = self.inbox.head(user).await?;
        let text = |view: &View| {
            let heard = Heard::Counts(head.counts(view, now));
            serde_json::to_string(&heard).expect("three numbers write themselves as JSON")
        };
        let texts: BTreeMap<&View, String> = open.iter().map(|it| (&it.view, text(&it.view))).collect();
        let posts = open.iter().map(|it| self.sockets.post(&it.id, &texts[&it.view]));
        // A socket that is gone is forgotten when it is sent something.
        stream::iter(posts).buffer_unordered(POSTS_AT_ONCE).for_each(async |_| {}).await;
        Ok(())
    }
}
