//! Ends sessions: deletes the rows of a user's sockets and closes their connections.

use std::sync::LazyLock;

use aws::{CallError, chain};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::recipient::{NO_TENANT, Recipient};
use futures_util::stream::{self, StreamExt as _};
use store::{Connections, SignOut};

use crate::Sockets;

/// The number of parallel closes.
const AT_ONCE: usize = 16;

/// Ends the sessions of recipients who were deleted, left a tenant or signed out.
pub struct Sessions {
    connections: Connections,
    /// The client, created on first use. Few requests end a session.
    sockets: LazyLock<Sockets, Box<dyn FnOnce() -> Sockets + Send>>,
}

impl Sessions {
    /// `endpoint` is the URL of the WebSocket API's stage.
    #[must_use]
    pub fn new(aws: &SdkConfig, endpoint: String, connections: Connections) -> Sessions {
        let aws = aws.clone();
        let sockets = LazyLock::new(Box::new(move || Sockets::new(&aws, endpoint)) as Box<_>);
        Sessions { connections, sockets }
    }

    /// The `@connections` client of the sessions.
    #[must_use]
    pub fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// Ends the sessions of `user` that `sign_out` names and whose tickets were issued up to `now`.
    /// Returns the number of open sockets. A repeat is harmless.
    ///
    /// A connection that API Gateway fails to close is logged. Its row is deleted, so it receives no
    /// more messages, and the gateway closes it at its next frame.
    ///
    /// # Errors
    /// The table was not read or written, so some sessions may continue.
    pub async fn end(&self, user: &str, sign_out: &SignOut, now: Timestamp) -> Result<usize, CallError> {
        self.connections.sign_out(user, sign_out, now).await?;
        let mut open = self.connections.of_user(user, now).await?;
        open.retain(|connection| sign_out.ends(&connection.view));
        let closing = open.iter().map(|connection| self.close(&connection.id));
        let closed: Vec<_> = stream::iter(closing).buffer_unordered(AT_ONCE).collect().await;
        closed.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(open.len())
    }

    /// Ends the sessions that a user must no longer have. These are all sessions of an unknown user, and
    /// otherwise those of tenants that the user left.
    ///
    /// # Errors
    /// The same as for [`Sessions::end`].
    pub async fn enforce(
        &self,
        user: &str,
        person: Option<&Recipient>,
        now: Timestamp,
    ) -> Result<usize, CallError> {
        match person {
            None => self.end(user, &SignOut::Everywhere, now).await,
            // No tenant has this name. The person therefore belongs to every tenant and keeps all
            // sessions.
            Some(person) if person.belongs_to(Some(NO_TENANT)) => Ok(0),
            Some(person) => self.end(user, &SignOut::AllBut(person.tenants.clone()), now).await,
        }
    }

    /// Deletes the row of one socket and closes its connection.
    ///
    /// # Errors
    /// The table was not read or written.
    pub async fn close(&self, id: &str) -> Result<(), CallError> {
        // The rows are deleted first. The socket then receives no more messages, even if the close
        // fails.
        self.connections.close(id).await?;
        if let Err(refused) = self.sockets.close(id).await {
            tracing::warn!(
                code = "SOCKET_NOT_CLOSED",
                connection.id = id,
                error = chain(&refused),
                "socket not closed: the gateway closes the socket at its next frame"
            );
        }
        Ok(())
    }

    /// Posts a last message to a socket, deletes its row and closes its connection.
    ///
    /// # Errors
    /// The table was not read or written.
    pub async fn close_with(&self, id: &str, text: &str) -> Result<(), CallError> {
        self.sockets.post(id, text).await;
        self.close(id).await
    }
}
