//! The `@connections` API of API Gateway: one post to one socket, whoever is at the other end; what all sockets of a user
//! hear when something in their inbox is marked; and the end of sessions.

mod badges;
mod sessions;

use aws::{Refused, Verdict};
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_types::SdkConfig;

pub use badges::Badges;
pub use sessions::Sessions;

/// The sockets of one WebSocket API.
pub struct Sockets {
    client: Client,
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    Delivered,
    /// There is no such socket any more.
    Gone,
    /// It may work in a moment.
    NotNow,
    /// It will never work for this socket.
    Never,
}

impl Sockets {
    /// `endpoint` is the API's stage. Posting again is the caller's business, so the SDK's own retries are off.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint: String) -> Sockets {
        let config = Builder::from(config).endpoint_url(endpoint).retry_config(aws::never_again()).build();
        Sockets { client: Client::from_conf(config) }
    }

    /// For tests.
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
    /// Closes one socket, once. A socket that is gone is closed.
    ///
    /// # Errors
    /// It may be open still: API Gateway could not be asked.
    ///
    /// Source: API Gateway developer guide, "Use @connections commands", `DELETE`.
    pub async fn close(&self, id: &str) -> Result<(), Refused> {
        match self.client.delete_connection().connection_id(id).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(DeleteConnectionError::is_gone_exception) => {
                Ok(())
            }
            Err(error) => Err(Refused::new("close a socket", error)),
        }
    }
}

/// Source: API Gateway developer guide, "Use @connections commands": 410 is a socket that is gone.
fn sort(id: &str, error: &SdkError<PostToConnectionError>) -> Posted {
    if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) {
        return Posted::Gone;
    }
    match aws::classify_call(error) {
        // A post without an answer is repeated: clients ignore an id they have seen.
        Verdict::Transient | Verdict::Throttled | Verdict::Unanswered | Verdict::Denied => Posted::NotNow,
        Verdict::Permanent => {
            tracing::warn!(connection.id = id, error = aws::chain(error), "a socket cannot be posted to");
            Posted::Never
        }
    }
}
