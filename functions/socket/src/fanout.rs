//! Sends one message to many sockets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::base::link::safe_links;
use domain::base::outcome::{Failure, Reason, Sent};
use domain::delivery::job::{Broadcast, Content, Job, Socket, SocketTarget};
use domain::inbox::{Kept, View};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use runtime::{Deadline, chain, now};
use sockets::{Posted, Sockets};
use store::{Connection, Connections, Inbox, StoredEntry};

use crate::frame::{Frame, InInbox};

/// The number of parallel posts of one job.
const POSTS_AT_ONCE: usize = 64;

/// The number of parallel look-ups of excluded users for one job.
const LOOKUPS_AT_ONCE: usize = 16;

/// The number of attempts for a socket.
const ROUNDS: u32 = 2;

/// The pause before the second attempt. Most handshakes are finished by then.
const PAUSE: Duration = Duration::from_millis(500);

/// The time reserved for the result, before the job's deadline.
const TO_TELL: Duration = Duration::from_millis(500);

/// Stores in-app messages, finds the open sockets of a job's recipient and posts to each.
pub struct Fanout {
    pub connections: Connections,
    pub inbox: Inbox,
    pub sockets: Sockets,
}

impl Fanout {
    /// Stores the message in its recipient's inbox, unless it is ephemeral or for a room, and posts it
    /// to every open socket. Closed sockets are removed.
    ///
    /// If some sockets received the message, the others are tried once more and then skipped, because a
    /// retry would notify the first ones twice. A recipient without sockets finds the message in the
    /// inbox, so it counts as sent. A broadcast is not stored, and the sockets of excluded users do not
    /// get it.
    ///
    /// # Errors
    /// [`Failure::Transient`] if the message was not stored, or if no socket received it and a retry may
    /// succeed.
    pub async fn send(&self, job: &Job, deadline: Deadline) -> Result<Sent, Failure> {
        let job = &with_safe_links(job);
        // A message that is too large for a frame is refused before it is stored.
        Frame::shape(job, None)?;
        let Some((to, excluded)) = target(&job.content) else { return Ok(Sent::Nobody) };
        let tenant = job.event.tenant.as_deref();
        let stored = match Kept::of(job) {
            Some((user, kept)) => {
                let stored = self.inbox.store(user, tenant, &kept, now()).await;
                Some(stored.map_err(|refused| Failure::Transient(Box::new(refused)))?)
            }
            None => None,
        };
        let open = self.connections.of(to, tenant, now()).await;
        let mut open = open.map_err(|refused| Failure::Transient(Box::new(refused)))?;
        // After the room look-up, because a socket is stored under its user before it can join a room.
        let left_out = self.sockets_of(excluded).await?;
        open.retain(|socket| !left_out.contains(&socket.id));
        let frames = Frames::shape(job, stored.as_ref(), &open)?;
        let tally = post_to_all(&self.sockets, &frames, open, deadline).await;
        // The rows also expire. The message has arrived, and a failed delete must not send it again.
        let forget = self.connections.forget(&tally.gone);
        match tokio::time::timeout(deadline.left(now()) / 2, forget).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => {
                tracing::warn!(
                    code = "SOCKET_GONE_NOT_DELETED",
                    error = chain(&refused),
                    "closed sockets stay in the connections table: the delete was refused"
                );
            }
            Err(_) => tracing::warn!(
                code = "SOCKET_GONE_NOT_DELETED",
                "closed sockets stay in the connections table: the time is up"
            ),
        }
        if tally.delivered > 0 && tally.unreached > 0 {
            tracing::warn!(
                code = "SOCKET_PARTLY_DELIVERED",
                job.key = job.key.as_str(),
                delivered = tally.delivered,
                unreached = tally.unreached,
                "in-app message sent to some open sockets only: the others find the message in the inbox"
            );
        }
        tally.answer(stored.map(|stored| stored.seq))
    }

    /// The ids of all open sockets of these users.
    async fn sockets_of(&self, users: &[String]) -> Result<BTreeSet<String>, Failure> {
        let lookups = stream::iter(users).map(|user| self.connections.of_user(user, now()));
        let found: Result<Vec<Vec<Connection>>, _> = lookups.buffered(LOOKUPS_AT_ONCE).try_collect().await;
        let found = found.map_err(|refused| Failure::Transient(Box::new(refused)))?;
        Ok(found.into_iter().flatten().map(|socket| socket.id).collect())
    }
}

/// The sockets of a job and the excluded users. `None` for a job of another channel.
fn target(content: &Content) -> Option<(&SocketTarget, &[String])> {
    match content {
        Content::Socket(socket) => Some((&socket.to, &[])),
        Content::Broadcast(broadcast) => Some((&broadcast.to, &broadcast.exclude)),
        Content::Email(_)
        | Content::Push(_)
        | Content::Sms(_)
        | Content::Whatsapp(_)
        | Content::Message(_)
        | Content::Webhook(_) => None,
    }
}

/// The job without links that would run code in a browser. Both the inbox and the sockets get this
/// version.
#[must_use]
pub fn with_safe_links(job: &Job) -> Cow<'_, Job> {
    let data = match &job.content {
        Content::Socket(socket) => &socket.data,
        Content::Broadcast(broadcast) => &broadcast.data,
        Content::Email(_)
        | Content::Push(_)
        | Content::Sms(_)
        | Content::Whatsapp(_)
        | Content::Message(_)
        | Content::Webhook(_) => return Cow::Borrowed(job),
    };
    let links = safe_links(data.expose());
    let Some(data) = links.data else { return Cow::Borrowed(job) };
    tracing::warn!(
        job.key = job.key.as_str(),
        event.id = job.event.id,
        rule = job.rule,
        dropped = links.dropped,
        code = "SOCKET_LINK_DROPPED",
        "links removed from an in-app message: only http, https and relative links are allowed"
    );
    let content = match job.content.clone() {
        Content::Socket(socket) => Content::Socket(Socket { data: data.into(), ..socket }),
        Content::Broadcast(broadcast) => Content::Broadcast(Broadcast { data: data.into(), ..broadcast }),
        other @ (Content::Email(_)
        | Content::Push(_)
        | Content::Sms(_)
        | Content::Whatsapp(_)
        | Content::Message(_)
        | Content::Webhook(_)) => other,
    };
    Cow::Owned(Job { content, ..job.clone() })
}

/// One message for several sockets. Each view has its own counts.
struct Frames(BTreeMap<View, Frame>);

impl Frames {
    fn shape(job: &Job, stored: Option<&StoredEntry>, open: &[Connection]) -> Result<Frames, Failure> {
        let mut frames = BTreeMap::new();
        for view in open.iter().map(|socket| &socket.view) {
            if frames.contains_key(view) {
                continue;
            }
            let kept = stored.map(|stored| InInbox { seq: stored.seq, counts: stored.counts(view, now()) });
            frames.insert(view.clone(), Frame::shape(job, kept)?);
        }
        Ok(Frames(frames))
    }

    fn text_for(&self, socket: &Connection) -> &str {
        self.0.get(&socket.view).map_or("", Frame::text)
    }
}

/// The results of a message's posts.
#[derive(Default)]
struct Tally {
    delivered: usize,
    gone: Vec<Connection>,
    unreached: usize,
    /// The number of sockets for which API Gateway refused the post.
    refused: usize,
}

impl Tally {
    /// `kept` is the message's number in its recipient's inbox.
    fn answer(&self, kept: Option<u64>) -> Result<Sent, Failure> {
        match (self.delivered, self.unreached, self.refused) {
            (0, 0, refused) => {
                if let Some(seq) = kept {
                    return Ok(Sent::Accepted { provider_id: format!("inbox:{seq}") });
                }
                if refused == 0 {
                    return Ok(Sent::Nobody);
                }
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
    frames: &Frames,
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
        let posts = stream::iter(open)
            .map(async |socket| (sockets.post(&socket.id, frames.text_for(&socket)).await, socket));
        let in_time = posts.buffer_unordered(POSTS_AT_ONCE).take_until(tokio::time::sleep(left));
        let answers: Vec<(Posted, Connection)> = in_time.collect().await;
        // These posts had no answer, or had not started, when the time was up.
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
