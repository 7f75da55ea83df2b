//! Closing sockets from our side: one that floods, and the oldest of a user who has too many.
//!
//! API Gateway sends no close code of ours, so the reason travels in a last message, `bye`.
//!
//! Source: API Gateway developer guide, "Use @connections commands".

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use aws::chain;
use runtime::now;
use store::{Connection, Identity};

use crate::Gateway;
use crate::flood::{Floods, Verdict};
use crate::protocol::{Reply, Response};

/// How many sockets a user has at most; sockets that look on for admins are counted apart.
const MAX_SOCKETS: usize = 20;

/// How many are closed at most while another one opens.
const AT_ONCE: usize = 10;

/// What is posted right before a socket is closed may be lost without a pause.
const TO_SAY_BYE: Duration = Duration::from_millis(250);

impl Gateway {
    /// The answer to a frame that is not carried out, if this one is not.
    pub(crate) async fn held_back(&self, id: &str) -> Option<Response> {
        let verdict = self.floods().frame(id, now());
        match verdict {
            Verdict::Pass => None,
            Verdict::SlowDown => Some(Response::says(&Reply::slow_down())),
            Verdict::Ignore => Some(Response::ok()),
            Verdict::Close => {
                self.close_flooding(id).await;
                Some(Response::ok())
            }
        }
    }

    pub(crate) fn floods(&self) -> MutexGuard<'_, Floods> {
        // A count that is off by one frame does no harm.
        self.floods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn close_flooding(&self, id: &str) {
        tracing::warn!(
            connection.id = id,
            code = "GATEWAY_FLOOD",
            "socket floods the API; it is closed, and its user gets no ticket for a minute"
        );
        match self.connections.who(id, now()).await {
            Ok(Some(who)) => {
                if let Err(refused) = self.connections.keep_away(&who, now()).await {
                    tracing::error!(
                        error = chain(&refused),
                        code = "GATEWAY_NOT_KEPT_AWAY",
                        "user of a flooding socket can reconnect at once: the mark is not on record"
                    );
                }
            }
            Ok(None) => {}
            Err(refused) => tracing::error!(
                error = chain(&refused),
                code = "GATEWAY_NOT_KEPT_AWAY",
                "user of a flooding socket can reconnect at once: the socket cannot be looked up"
            ),
        }
        if !self.close_all(&[id], "rate").await {
            self.floods().is_open_still(id);
        }
    }

    /// Closes the oldest sockets of a user who has more than [`MAX_SOCKETS`] with the one that has just opened. Of two
    /// that open at the same time, the later look-up sees both.
    pub(crate) async fn replace_oldest(&self, id: &str, who: &Identity) {
        let open = match self.connections.of_user(&who.user, now()).await {
            Ok(open) => open,
            Err(refused) => {
                tracing::error!(
                    error = chain(&refused),
                    code = "GATEWAY_SOCKETS_UNCOUNTED",
                    "sockets of a user cannot be counted; none is closed until the next one opens"
                );
                return;
            }
        };
        let oldest = oldest(open, id, who);
        if oldest.is_empty() {
            return;
        }
        tracing::info!(
            connection.id = id,
            closed = oldest.len(),
            code = "GATEWAY_REPLACED",
            "user has too many sockets; the oldest are closed"
        );
        let ids: Vec<&str> = oldest.iter().map(|it| it.id.as_str()).collect();
        self.close_all(&ids, "replaced").await;
    }

    /// Says `bye` to sockets, closes them and forgets them. `false`: one may be open still.
    async fn close_all(&self, ids: &[&str], reason: &'static str) -> bool {
        let bye = Reply::Bye { reason }.to_json();
        for id in ids {
            // A socket that is gone, or whose buffer is full, need not hear it.
            let _ = self.sessions.sockets().post(id, &bye).await;
        }
        tokio::time::sleep(TO_SAY_BYE).await;
        let mut closed = true;
        for id in ids {
            let done = self.sessions.sockets().close(id).await;
            let forgotten = self.connections.close(id).await;
            for refused in [done, forgotten].into_iter().filter_map(Result::err) {
                closed = false;
                tracing::error!(
                    connection.id = id,
                    error = chain(&refused),
                    code = "GATEWAY_NOT_CLOSED",
                    "socket may be open still; its next frame over the limit closes it"
                );
            }
        }
        closed
    }
}

/// The sockets that are one too many: the oldest of the same kind, and never the one that has just opened.
fn oldest(open: Vec<Connection>, id: &str, who: &Identity) -> Vec<Connection> {
    let mut open: Vec<Connection> = open.into_iter().filter(|it| it.view == who.view).collect();
    let excess = open.len().saturating_sub(MAX_SOCKETS);
    open.retain(|it| it.id != id);
    open.sort_by(|one, other| (one.opened_at, &one.id).cmp(&(other.opened_at, &other.id)));
    open.truncate(excess.min(AT_ONCE));
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::inbox::View;
    use jiff::SignedDuration;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn twenty_first_socket_replaces_the_oldest() {
        check(20, &[]);
        check(21, &["0"]);
        check(23, &["0", "1", "2"]);
        check(60, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }

    #[test]
    fn socket_that_looks_on_replaces_none_of_the_user() {
        let mut open = sockets(20);
        open.push(Connection { view: View::Only("clinic-7".into()), ..socket(20) });
        assert!(oldest(open, "20", &ann(View::Only("clinic-7".into()))).is_empty());
    }

    /// The newest of `count` sockets has just opened.
    #[track_caller]
    fn check(count: i64, expected: &[&str]) {
        let mut open = sockets(count);
        open.reverse();
        let replaced = oldest(open, &(count - 1).to_string(), &ann(View::All));
        assert_eq!(replaced.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), expected);
    }

    fn sockets(count: i64) -> Vec<Connection> {
        (0..count).map(socket).collect()
    }

    fn socket(number: i64) -> Connection {
        let opened_at = NOON + SignedDuration::from_secs(number);
        Connection {
            id: number.to_string(),
            view: View::All,
            opened_at: Some(opened_at),
            pk: "user#ann".into(),
        }
    }

    fn ann(view: View) -> Identity {
        Identity { user: "ann".into(), view, rooms: Vec::new(), until: None }
    }
}
