//! One message to many sockets.

use std::time::Duration;

use aws_types::SdkConfig;
use domain::job::{Content, Job};
use domain::outcome::{Failure, Reason, Sent};
use futures_util::stream::{self, StreamExt as _};
use runtime::{Deadline, chain, now};
use store::{Connection, Connections};

use crate::connections::{Posted, Sockets};
use crate::frame::Frame;

/// Posts under way at once, for one job.
const POSTS_AT_ONCE: usize = 64;

/// How often a socket is tried: once, and once more.
const ROUNDS: u32 = 2;

/// The pause before the second try. Most handshakes are over by then.
const PAUSE: Duration = Duration::from_millis(500);

/// Kept free to say what became of the posts, before the job's own time is up.
const TO_TELL: Duration = Duration::from_millis(500);

/// Finds the open sockets of a job's recipient and posts to each.
pub struct Fanout {
    connections: Connections,
    sockets: Sockets,
}

impl Fanout {
    #[must_use]
    pub fn new(aws: &SdkConfig, tables: &store::Client, table: String, endpoint: String) -> Fanout {
        Fanout { connections: Connections::new(tables, table), sockets: Sockets::new(aws, endpoint) }
    }

    /// Posts to every open socket; those that are gone are forgotten. Where one has the message, the others are tried
    /// once more and then left: nobody is told twice because somebody else was not reached.
    ///
    /// # Errors
    /// [`Failure::Transient`] when no socket has the message and one may still be reached.
    pub async fn send(&self, job: &Job, deadline: Deadline) -> Result<Sent, Failure> {
        let frame = Frame::shape(job)?;
        let Content::Socket(socket) = &job.content else { return Ok(Sent::Nobody) };
        let tenant = job.event.tenant.as_deref();
        let open = self.connections.of(&socket.to, tenant, now()).await;
        let open = open.map_err(|refused| Failure::Transient(Box::new(refused)))?;
        let tally = post_to_all(&self.sockets, &frame, open, deadline).await;
        // They expire by themselves; the message has arrived all the same, and must not be sent again for them.
        let forget = self.connections.forget(&tally.gone);
        match tokio::time::timeout(deadline.left(now()) / 2, forget).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => {
                tracing::warn!(error = chain(&refused), "sockets that are gone are still on record");
            }
            Err(_) => tracing::warn!("there was no time to forget sockets that are gone"),
        }
        if tally.delivered > 0 && tally.unreached > 0 {
            tracing::warn!(
                job.key = job.key.as_str(),
                delivered = tally.delivered,
                unreached = tally.unreached,
                "open sockets were not reached"
            );
        }
        tally.answer()
    }
}

/// What became of a message's posts.
#[derive(Default)]
struct Tally {
    delivered: usize,
    gone: Vec<Connection>,
    unreached: usize,
    /// The API's own no, for this socket alone.
    refused: usize,
}

impl Tally {
    fn answer(&self) -> Result<Sent, Failure> {
        match (self.delivered, self.unreached, self.refused) {
            (0, 0, 0) => Ok(Sent::Nobody),
            (0, 0, refused) => {
                let source = format!("{refused} open sockets were refused").into();
                Err(Failure::Permanent { reason: Reason::Rejected, source })
            }
            (0, left, _) => {
                Err(Failure::Transient(format!("{left} open sockets could not be posted to").into()))
            }
            (delivered, _, _) => Ok(Sent::Accepted { provider_id: format!("sockets:{delivered}") }),
        }
    }
}

async fn post_to_all(
    sockets: &Sockets,
    frame: &Frame,
    mut open: Vec<Connection>,
    deadline: Deadline,
) -> Tally {
    let mut tally = Tally::default();
    for round in 0..ROUNDS {
        let left = deadline.left(now()).saturating_sub(TO_TELL + PAUSE * round);
        if open.is_empty() || left.is_zero() {
            break;
        }
        tokio::time::sleep(PAUSE * round).await;
        let asked = open.len();
        let posts = stream::iter(open).map(async |it| (sockets.post(&it.id, frame.text()).await, it));
        let in_time = posts.buffer_unordered(POSTS_AT_ONCE).take_until(tokio::time::sleep(left));
        let answers: Vec<(Posted, Connection)> = in_time.collect().await;
        // Time was up before they had an answer, or their turn.
        tally.unreached += asked - answers.len();
        open = Vec::new();
        for (posted, connection) in answers {
            match posted {
                Posted::Delivered => tally.delivered += 1,
                Posted::Gone if connection.is_opening(now()) => open.push(connection),
                Posted::Gone => tally.gone.push(connection),
                Posted::NotNow => open.push(connection),
                Posted::Never => tally.refused += 1,
            }
        }
    }
    tally.unreached += open.len();
    tally
}

#[cfg(test)]
mod tests;
