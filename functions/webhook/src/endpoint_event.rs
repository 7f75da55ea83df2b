//! Events about the health of endpoints: failing, recovered, message lost, disabled.

use domain::Timestamp;
use domain::delivery::job::{Job, Webhook};
use domain::event::Event;
use domain::webhook::endpoint::DisabledBecause;
use domain::webhook::endpoint::health::{Announcement, Health};
use publish::Entry;
use serde_json::json;

const SOURCE: &str = domain::event::own_events::WEBHOOK_SOURCE;

/// The event, caused by the event of the message. It names the endpoint, never its URL. Its id is
/// derived from the message and the attempt, so repeats are stored once.
#[must_use]
pub fn alarm(
    what: Announcement,
    job: &Job,
    webhook: &Webhook,
    attempt: u32,
    health: &Health,
    why: Option<DisabledBecause>,
    now: Timestamp,
) -> Entry {
    let kind = what.kind();
    let short = kind.trim_start_matches("carillon.endpoint.");
    let mut data = json!({
        "endpoint": webhook.to.id, "message": webhook.id(&job.key).as_str(), "attempt": attempt,
        "failures": health.failures,
    });
    if let Some(since) = health.since {
        data["since"] = since.to_string().into();
    }
    if let Some(why) = why {
        data["why"] = why.name().into();
    }
    let event = Event::new(SOURCE, kind, format!("{short}-{attempt}-{}", job.key.as_str()), now, &data);
    Entry::of(&Event {
        subject: Some(format!("endpoint:{}", webhook.to.name())),
        tenant: webhook.to.tenant.clone(),
        ..job.event.leads_to(event)
    })
}
