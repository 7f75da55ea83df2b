//! Stores the result of an attempt: the state of its message and the health of its endpoint.

use aws::CallError;
use domain::Timestamp;
use domain::delivery::job::{ByHand, Job, Webhook};
use domain::webhook::endpoint::attempt::Next;
use domain::webhook::endpoint::health::{After, Announcement};
use runtime::chain;
use store::{Message, MessageState, Sending};

use crate::endpoint_event::alarm;
use crate::sender::{WebhookSender, is_ping, switched_off};

/// How often the health of an endpoint is read again after a lost race.
const ROUNDS: usize = 8;

/// Stores the state of the message, then the health of its endpoint.
///
/// # Errors
/// The message's state was not stored, and the job must not be deleted. A failed write of the health is
/// only logged.
pub(crate) async fn remember(
    sender: &WebhookSender,
    job: &Job,
    webhook: &Webhook,
    found: &Sending,
    attempt: u32,
    next: &Next,
    now: Timestamp,
) -> Result<(), CallError> {
    remember_message(sender, job, webhook, found, attempt, next, now).await?;
    if *next == Next::Delivered && found.health.failures == 0 {
        return Ok(());
    }
    match remember_health(sender, webhook, found, attempt, next, now).await {
        Ok(Some(after)) => announce(sender, job, webhook, attempt, next, &after, now).await,
        Ok(None) => {}
        Err(refused) => {
            tracing::error!(
                code = "WEBHOOK_HEALTH_NOT_STORED",
                error = chain(&refused),
                "webhook endpoint health not stored: this attempt does not count for switching the endpoint off"
            );
        }
    }
    Ok(())
}

async fn remember_message(
    sender: &WebhookSender,
    job: &Job,
    webhook: &Webhook,
    found: &Sending,
    attempt: u32,
    next: &Next,
    now: Timestamp,
) -> Result<(), CallError> {
    let endpoints = &sender.endpoints;
    let (state, next_at) = match next {
        Next::Delivered if found.message.is_some() => {
            return endpoints.delivered(&webhook.to, webhook.id(&job.key), now).await;
        }
        Next::Delivered => return Ok(()),
        Next::Again(at) => (MessageState::Retrying, Some(*at)),
        Next::Never(_) | Next::Disable(_) => (MessageState::Failed, None),
    };
    // A manual send has no schedule. That of the message continues or has ended.
    match webhook.by_hand {
        None => {
            endpoints.failed(&webhook.to, job, &Message { state, attempts: attempt, next_at }, now).await?;
        }
        Some(ByHand::Retry { .. }) => {
            endpoints.failed_by_hand(&webhook.to, webhook.id(&job.key)).await?;
        }
        Some(ByHand::Ping) => {}
    }
    Ok(())
}

/// Updates the health. `None` if it stayed unchanged because every write lost a race.
async fn remember_health(
    sender: &WebhookSender,
    webhook: &Webhook,
    found: &Sending,
    attempt: u32,
    next: &Next,
    now: Timestamp,
) -> Result<Option<After>, CallError> {
    let (mut health, mut version) = (found.health.clone(), found.version);
    for _ in 0..ROUNDS {
        // A failed ping is not a failed delivery.
        if is_ping(webhook) && *next != Next::Delivered {
            return Ok(None);
        }
        let after = health.after(next, attempt, now);
        if sender.endpoints.put_health(&webhook.to, &after.health, version).await? {
            return Ok(Some(after));
        }
        (health, version) = sender.endpoints.health(&webhook.to).await?;
    }
    Ok(None)
}

async fn announce(
    sender: &WebhookSender,
    job: &Job,
    webhook: &Webhook,
    attempt: u32,
    next: &Next,
    after: &After,
    now: Timestamp,
) {
    let why = switched_off(next, after.give_up);
    let mut announcements = after.announcements.clone();
    if let Some(why) = why {
        match sender.endpoints.disable(&webhook.to, why, now).await {
            Ok(true) => {}
            // The endpoint was already disabled, and the event was published.
            Ok(false) => announcements.retain(|announcement| *announcement != Announcement::Disabled),
            Err(refused) => {
                tracing::error!(
                    code = "WEBHOOK_NOT_DISABLED",
                    error = chain(&refused),
                    "webhook endpoint not disabled: the next failed attempt repeats this"
                );
                announcements.retain(|announcement| *announcement != Announcement::Disabled);
            }
        }
    }
    let entries: Vec<_> = announcements
        .into_iter()
        .map(|announcement| alarm(announcement, job, webhook, attempt, &after.health, why, now))
        .collect();
    for put in sender.bus.put(&entries).await {
        if let Err(refused) = put {
            tracing::error!(
                code = "WEBHOOK_HEALTH_NOT_ANNOUNCED",
                error = chain(&refused),
                "webhook endpoint event not published: other systems are not informed"
            );
        }
    }
}
