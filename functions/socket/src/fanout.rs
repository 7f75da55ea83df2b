//! One message to many sockets.

use std::time::Duration;

use aws_types::SdkConfig;
use domain::job::{Content, Job};
use domain::outcome::{Failure, Reason, Sent};
use futures_util::stream::{self, StreamExt as _};
use runtime::{chain, now};
use store::{Connection, Connections};

use crate::connections::{Posted, Sockets};
use crate::frame::Frame;

/// Posts under way at once, for one job.
const POSTS_AT_ONCE: usize = 64;

/// How often sockets that could not be posted to are tried in one go.
const ROUNDS: u32 = 3;

/// The pause before another round.
const PAUSE: Duration = Duration::from_millis(100);

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

    /// Posts to every open socket; those that are gone are forgotten.
    ///
    /// # Errors
    /// [`Failure::Transient`] when a socket may still be reached: the whole message is sent again, and clients that
    /// have it ignore it.
    pub async fn send(&self, job: &Job) -> Result<Sent, Failure> {
        let frame = Frame::shape(job)?;
        let Content::Socket(socket) = &job.content else { return Ok(Sent::Nobody) };
        let tenant = job.event.tenant.as_deref();
        let open = self.connections.of(&socket.to, tenant, now()).await;
        let open = open.map_err(|refused| Failure::Transient(Box::new(refused)))?;
        let tally = post_to_all(&self.sockets, &frame, open).await;
        if let Err(refused) = self.connections.forget(&tally.gone).await {
            // They expire by themselves; the message has arrived all the same.
            tracing::warn!(error = chain(&refused), "sockets that are gone are still on record");
        }
        match (tally.delivered, tally.unreached) {
            (0, 0) if tally.refused > 0 => {
                let source = format!("{} open sockets were refused", tally.refused).into();
                Err(Failure::Permanent { reason: Reason::Rejected, source })
            }
            (0, 0) => Ok(Sent::Nobody),
            (delivered, 0) => Ok(Sent::Accepted { provider_id: format!("sockets:{delivered}") }),
            (_, left) => {
                Err(Failure::Transient(format!("{left} open sockets could not be posted to").into()))
            }
        }
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

async fn post_to_all(sockets: &Sockets, frame: &Frame, mut open: Vec<Connection>) -> Tally {
    let mut tally = Tally::default();
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(PAUSE * round).await;
        }
        let posts = stream::iter(open).map(async |it| (sockets.post(&it.id, frame.text()).await, it));
        let answers: Vec<(Posted, Connection)> = posts.buffer_unordered(POSTS_AT_ONCE).collect().await;
        open = Vec::new();
        for (posted, connection) in answers {
            match posted {
                Posted::Delivered => tally.delivered += 1,
                Posted::Gone => tally.gone.push(connection),
                Posted::NotNow => open.push(connection),
                Posted::Never => tally.refused += 1,
            }
        }
        if open.is_empty() {
            break;
        }
    }
    tally.unreached = open.len();
    tally
}
