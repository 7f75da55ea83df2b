//! Closes sockets: a flooding one, and the oldest of a user with too many.
//!
//! API Gateway supports no custom close codes, so the reason is in a last message, `bye`.
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

/// The most sockets of a user. Read-only sockets of admins are counted separately.
const MAX_SOCKETS: usize = 20;

/// The most sockets closed while another one opens.
const AT_ONCE: usize = 10;

/// The pause before a close. Without it the last message may be lost.
const TO_SAY_BYE: Duration = Duration::from_millis(250);

impl Gateway {
    /// The answer to a frame that is not processed. `None` if the frame may be processed.
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
        // A count that is off by one frame is harmless.
        self.floods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn close_flooding(&self, id: &str) {
        tracing::warn!(
            connection.id = id,
            code = "GATEWAY_FLOOD",
            "socket closed: too many frames, its user gets no ticket for a minute"
        );
        match self.connections.who(id, now()).await {
            Ok(Some(who)) => {
                if let Err(refused) = self.connections.lock_out(&who, now()).await {
                    tracing::error!(
                        error = chain(&refused),
                        code = "GATEWAY_NOT_KEPT_AWAY",
                        "user of a flooding socket not locked out: the lock was not stored"
                    );
                }
            }
            Ok(None) => {}
            Err(refused) => tracing::error!(
                error = chain(&refused),
                code = "GATEWAY_NOT_KEPT_AWAY",
                "user of a flooding socket not locked out: the socket was not found"
            ),
        }
        if !self.close_all(&[id], "rate").await {
            self.floods().mark_open(id);
        }
    }

    /// Closes the oldest sockets of a user with more than [`MAX_SOCKETS`], including the new one. Of two
    /// sockets that open at the same time, the later look-up sees both.
    pub(crate) async fn close_oldest(&self, id: &str, who: &Identity) {
        let open = match self.connections.of_user(&who.user, now()).await {
            Ok(open) => open,
            Err(refused) => {
                tracing::error!(
                    error = chain(&refused),
                    code = "GATEWAY_SOCKETS_UNCOUNTED",
                    "sockets of a user not counted: the limit is checked again at the next connect"
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
            "oldest sockets closed: the user is over the socket limit"
        );
        let ids: Vec<&str> = oldest.iter().map(|socket| socket.id.as_str()).collect();
        self.close_all(&ids, "replaced").await;
    }

    /// Posts `bye` to sockets, closes them and deletes their rows. Returns `false` if one may still be
    /// open.
    async fn close_all(&self, ids: &[&str], reason: &'static str) -> bool {
        let bye = Reply::Bye { reason }.to_json();
        for id in ids {
            // A post to a closed or overloaded socket may fail without harm.
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
                    "socket not closed: the next frame over the limit closes it"
                );
            }
        }
        closed
    }
}

/// The sockets over the limit: the oldest with the same view, never the new one.
fn oldest(open: Vec<Connection>, id: &str, who: &Identity) -> Vec<Connection> {
    let mut open: Vec<Connection> = open.into_iter().filter(|socket| socket.view == who.view).collect();
    let excess = open.len().saturating_sub(MAX_SOCKETS);
    open.retain(|socket| socket.id != id);
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
        assert_eq!(replaced.iter().map(|socket| socket.id.as_str()).collect::<Vec<_>>(), expected);
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
