//! The end of sessions: the rows of a user's sockets are deleted, and API Gateway closes the connections.

use std::sync::LazyLock;

use aws::{Refused, chain};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::recipient::{NO_TENANT, Recipient};
use futures_util::stream::{self, StreamExt as _};
use store::{Connections, SignOut};

use crate::Sockets;

/// Connections that are closed at once.
const AT_ONCE: usize = 16;

/// Ends the sessions of people who are deleted, have lost a tenant or are signed out.
pub struct Sessions {
    connections: Connections,
    /// Made at the first use: few requests end a session.
    sockets: LazyLock<Sockets, Box<dyn FnOnce() -> Sockets + Send>>,
}

impl Sessions {
    /// `endpoint` is the WebSocket API's stage.
    #[must_use]
    pub fn new(aws: &SdkConfig, endpoint: String, connections: Connections) -> Sessions {
        let aws = aws.clone();
        let sockets = LazyLock::new(Box::new(move || Sockets::new(&aws, endpoint)) as Box<_>);
        Sessions { connections, sockets }
    }

    /// The `@connections` API behind the sessions.
    #[must_use]
    pub fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// Ends the sessions of `user` that `sign_out` names, those of tickets that were issued up to now included. Returns
    /// how many sockets were open. Doing it twice is harmless.
    ///
    /// A connection that API Gateway does not close at once is logged. The gateway closes it at the client's next
    /// message, for its row is gone, and nothing is sent to it any more.
    ///
    /// # Errors
    /// The table could not be asked or written: some sessions may go on.
    pub async fn end(&self, user: &str, sign_out: &SignOut, now: Timestamp) -> Result<usize, Refused> {
        self.connections.sign_out(user, sign_out, now).await?;
        let mut open = self.connections.of_user(user, now).await?;
        open.retain(|connection| sign_out.ends(&connection.view));
        let closing = open.iter().map(|connection| self.close(&connection.id));
        let closed: Vec<_> = stream::iter(closing).buffer_unordered(AT_ONCE).collect().await;
        closed.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(open.len())
    }

    /// Ends the sessions that a user must not have any more: all, where nobody of this id is known; otherwise those of
    /// tenants that the person does not belong to.
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn enforce(
        &self,
        user: &str,
        person: Option<&Recipient>,
        now: Timestamp,
    ) -> Result<usize, Refused> {
        match person {
            None => self.end(user, &SignOut::Everywhere, now).await,
            // No tenant has this name, so the person belongs to every tenant and loses none.
            Some(person) if person.belongs_to(Some(NO_TENANT)) => Ok(0),
            Some(person) => self.end(user, &SignOut::AllBut(person.tenants.clone()), now).await,
        }
    }

    /// Forgets one socket and closes its connection.
    ///
    /// # Errors
    /// The table could not be read or written.
    pub async fn close(&self, id: &str) -> Result<(), Refused> {
        // First the rows: nothing is sent to the socket from here on, whatever becomes of the connection.
        self.connections.close(id).await?;
        if let Err(refused) = self.sockets.close(id).await {
            tracing::warn!(
                code = "SOCKET_NOT_CLOSED",
                connection.id = id,
                error = chain(&refused),
                "connection was not closed: the gateway closes it at its next message"
            );
        }
        Ok(())
    }

    /// Posts a last message to a socket, forgets it and closes its connection.
    ///
    /// # Errors
    /// The table could not be read or written.
    pub async fn close_with(&self, id: &str, text: &str) -> Result<(), Refused> {
        self.sockets.post(id, text).await;
        self.close(id).await
    }
}
