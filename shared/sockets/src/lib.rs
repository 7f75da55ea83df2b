//! The `@connections` API of API Gateway: posts to a socket, unread counts for a user's sockets, and the
//! end of sessions.

mod sessions;
mod unread_counts;

use aws::{CallError, Verdict};
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_types::SdkConfig;

pub use sessions::Sessions;
pub use unread_counts::UnreadCounts;

/// The sockets of one WebSocket API.
pub struct Sockets {
    client: Client,
}

/// The result of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    Delivered,
    /// The socket does not exist any more.
    Gone,
    /// A repeat may succeed.
    NotNow,
    /// Every repeat fails for this socket.
    Never,
}

impl Sockets {
    /// `endpoint` is the URL of the API's stage. The SDK's retries are off, because callers decide about
    /// repeats.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint: String) -> Sockets {
        let config = Builder::from(config).endpoint_url(endpoint).retry_config(aws::no_retries()).build();
        Sockets { client: Client::from_conf(config) }
    }

    /// Creates an instance with an existing client, for tests.
    #[must_use]
    pub fn with_client(client: Client) -> Sockets {
        Sockets { client }
    }

    /// Posts a message to one socket, once.
    pub async fn post(&self, id: &str, text: &str) -> Posted {
        let post = self.client.post_to_connection().connection_id(id).data(Blob::new(text));
        match post.send().await {
            Ok(_) => Posted::Delivered,
            Err(error) => sort(id, &error),
        }
    }
}

impl Sockets {
    /// Closes one socket, once. A missing socket counts as closed.
    ///
    /// # Errors
    /// The call failed, so the socket may still be open.
    ///
    /// Source: API Gateway developer guide, "Use @connections commands", `DELETE`.
    pub async fn close(&self, id: &str) -> Result<(), CallError> {
        match self.client.delete_connection().connection_id(id).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(DeleteConnectionError::is_gone_exception) => {
                Ok(())
            }
            Err(error) => Err(CallError::new("close a socket", error)),
        }
    }
}

/// Classifies the error of a post. Status 410 means that the socket does not exist any more.
///
/// Source: API Gateway developer guide, "Use @connections commands".
fn sort(id: &str, error: &SdkError<PostToConnectionError>) -> Posted {
    if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) {
        return Posted::Gone;
    }
    match aws::classify_call(error) {
        // A post without an answer is repeated, because clients ignore known ids.
        Verdict::Transient | Verdict::Throttled | Verdict::Unanswered | Verdict::Denied => Posted::NotNow,
        Verdict::Permanent => {
            tracing::warn!(
                code = "SOCKET_POST_REFUSED",
                connection.id = id,
                error = aws::chain(error),
                "frame not sent: API Gateway refuses the post to the socket"
            );
            Posted::Never
        }
    }
}
