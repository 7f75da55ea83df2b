//! EventBridge Scheduler: what is to be gone on with later than a queue can hold it back.
//!
//! It knows queues by their ARNs and messages by their text, and nothing of what they say.

use std::sync::OnceLock;

use aws::Refused;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_types::SdkConfig;
use domain::Timestamp;

/// The most that a schedule carries, in bytes.
///
/// Source: EventBridge Scheduler quotas, target input size.
pub const MAX_INPUT_BYTES: usize = 256 * 1024;

/// What one-time schedules are made with.
pub struct Config {
    /// What the names of ours begin with.
    pub prefix: String,
    /// Who puts the message into the queue.
    pub role_arn: String,
}

/// Schedules that put a message into a queue once, and delete themselves.
pub struct Schedules {
    aws: SdkConfig,
    /// Made when something is first scheduled: most invocations schedule nothing.
    client: OnceLock<Client>,
    config: Config,
}

impl Schedules {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Schedules {
        Schedules { aws: aws.clone(), client: OnceLock::new(), config }
    }

    /// Puts `body` into the queue at `at`, or up to a minute after it. Scheduling one name twice is scheduling it once.
    ///
    /// # Errors
    /// The schedule was not made.
    ///
    /// Source: EventBridge Scheduler user guide, "Schedule types": one-time schedules have whole seconds, and a
    /// precision of 60 seconds.
    pub async fn at(&self, queue_arn: &str, at: Timestamp, body: &str, name: &str) -> Result<(), Refused> {
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
            Err(error) => Err(Refused::new("schedule what is to be gone on with later", error)),
        }
    }
}

/// `yyyy-mm-ddThh:mm:ss`, never earlier than `at`.
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
