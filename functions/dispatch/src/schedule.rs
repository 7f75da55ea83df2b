//! EventBridge Scheduler: what is to be gone on with later than a queue can hold it back.

use std::sync::OnceLock;

use aws::Refused;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_types::SdkConfig;
use domain::Timestamp;

use crate::config::Schedule as Config;
use crate::lane::Lane;

/// Schedules that put a message into a queue once, and delete themselves.
pub(crate) struct Schedules {
    aws: SdkConfig,
    /// Made when something is first scheduled: most invocations schedule nothing.
    client: OnceLock<Client>,
    config: Config,
}

impl Schedules {
    pub(crate) fn new(aws: &SdkConfig, config: Config) -> Schedules {
        Schedules { aws: aws.clone(), client: OnceLock::new(), config }
    }

    /// Puts `body` into a lane's queue at `at`, or up to a minute after it. Scheduling one name twice is scheduling it
    /// once.
    ///
    /// Source: EventBridge Scheduler user guide, "Schedule types": one-time schedules have whole seconds, and a
    /// precision of 60 seconds.
    pub(crate) async fn at(&self, lane: Lane, at: Timestamp, body: &str, name: &str) -> Result<(), Refused> {
        let queue = match lane {
            Lane::Critical => &self.config.critical_arn,
            Lane::Normal => &self.config.normal_arn,
            Lane::Bulk => &self.config.bulk_arn,
        };
        let target = Target::builder().arn(queue).role_arn(&self.config.role_arn).input(body).build();
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
            Err(error) if error.as_service_error().is_some_and(|it| it.is_conflict_exception()) => Ok(()),
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
