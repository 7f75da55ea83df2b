//! Schedules messages with EventBridge Scheduler, for delays longer than a queue supports.
//!
//! The crate knows queues by their ARNs and treats messages as opaque text.

use std::sync::OnceLock;

use aws::CallError;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_types::SdkConfig;
use domain::Timestamp;

/// The size limit of a schedule's input, in bytes.
///
/// Source: EventBridge Scheduler quotas, target input size.
pub const MAX_INPUT_BYTES: usize = 256 * 1024;

/// The settings of one-time schedules.
pub struct Config {
    /// The prefix of schedule names.
    pub prefix: String,
    /// The role that puts the message into the queue.
    pub role_arn: String,
}

/// One-time schedules that put a message into a queue and delete themselves.
pub struct Schedules {
    aws: SdkConfig,
    /// The client, created on first use. Most invocations schedule no message.
    client: OnceLock<Client>,
    config: Config,
}

impl Schedules {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Schedules {
        Schedules { aws: aws.clone(), client: OnceLock::new(), config }
    }

    /// Puts `body` into the queue at `at`, or up to a minute later. A second call with the same name has
    /// no effect.
    ///
    /// # Errors
    /// The schedule was not created.
    ///
    /// Source: EventBridge Scheduler user guide, "Schedule types": one-time schedules have whole
    /// seconds, and a precision of 60 seconds.
    pub async fn at(&self, queue_arn: &str, at: Timestamp, body: &str, name: &str) -> Result<(), CallError> {
        let target = Target::builder().arn(queue_arn).role_arn(&self.config.role_arn).input(body).build();
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let sent = self
            .client
            .get_or_init(|| Client::new(&self.aws))
            .create_schedule()
            .name(format!("{}{name}", self.config.prefix))
            .schedule_expression(format!("at({})", seconds(at)))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(window.expect("a mode is all that a window needs"))
            .action_after_completion(ActionAfterCompletion::Delete)
            .client_token(name)
            .target(target.expect("a queue and a role are all that a target needs"))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service_error| service_error.is_conflict_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(CallError::new("schedule a message", error)),
        }
    }
}

/// Formats a time as `yyyy-mm-ddThh:mm:ss`, rounded up to the second.
fn seconds(at: Timestamp) -> String {
    let whole = at.round(jiff::Unit::Second).unwrap_or(at);
    let whole = if whole < at {
        whole.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(at)
    } else {
        whole
    };
    whole.to_string().trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_never_fires_before_its_time() {
        for (at, expected) in [
            ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00"),
            ("2026-11-20T12:00:00.001Z", "2026-11-20T12:00:01"),
            ("2026-11-20T12:00:59.9Z", "2026-11-20T12:01:00"),
        ] {
            assert_eq!(seconds(at.parse().unwrap()), expected);
        }
    }
}
