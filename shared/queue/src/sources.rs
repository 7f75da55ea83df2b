//! Deletes messages from the queues that feed a function.

use aws::CallError;
use aws_types::SdkConfig;

use crate::Sqs;

/// The queues that feed a function. They are in the account and Region of its dead-letter queue.
pub struct Sources {
    sqs: Sqs,
    /// The common prefix of their URLs.
    beside: String,
}

impl Sources {
    /// Derives the queues' URLs from `dead_letters_url`, the function's own dead-letter queue.
    #[must_use]
    pub fn beside(config: &SdkConfig, dead_letters_url: &str) -> Sources {
        let beside = dead_letters_url.rsplit_once('/').map_or("", |(prefix, _)| prefix);
        Sources { sqs: Sqs::new(config), beside: beside.to_owned() }
    }

    /// Deletes a message from its queue. Lambda does this after each successful batch. This call is for
    /// messages that finish earlier, and a second delete is harmless.
    ///
    /// # Errors
    /// The message is still in the queue.
    pub async fn delete(&self, queue_arn: &str, receipt_handle: &str) -> Result<(), CallError> {
        let call = self.sqs.client().delete_message().queue_url(self.url(queue_arn));
        let deleted = call.receipt_handle(receipt_handle).send().await;
        deleted.map(drop).map_err(|error| CallError::new("take a message off its queue", error))
    }

    /// The delete as a closure over the queue's ARN and the receipt handle.
    pub fn deleting(self) -> impl AsyncFn(&str, &str) -> Result<(), CallError> {
        async move |queue_arn: &str, receipt_handle: &str| self.delete(queue_arn, receipt_handle).await
    }

    /// `arn:aws:sqs:<region>:<account>:<name>`
    fn url(&self, queue_arn: &str) -> String {
        format!("{}/{}", self.beside, queue_arn.rsplit(':').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_found_beside_the_dead_letters() {
        for place in
            ["https://sqs.cn-north-1.amazonaws.com.cn/123456789012", "http://127.0.0.1:4566/000000000000"]
        {
            let dead_letters = format!("{place}/carillon-dev-email-dead-letters");
            let sources = Sources::beside(&SdkConfig::builder().build(), &dead_letters);
            let arn = "arn:aws-cn:sqs:cn-north-1:123456789012:carillon-dev-email-critical";
            assert_eq!(sources.url(arn), format!("{place}/carillon-dev-email-critical"));
        }
    }
}
