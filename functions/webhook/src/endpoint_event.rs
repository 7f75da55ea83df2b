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

#[cfg(test)]
mod tests {
    use domain::delivery::job::Content;
    use domain::event::emitted::difference;

    use super::*;

    #[test]
    fn every_announcement_is_a_documented_event_without_the_url() {
        let now: Timestamp = "2026-11-20T12:00:05Z".parse().unwrap();
        let job: Job = serde_json::from_value(json!({
            "version": 1, "key": "k-1", "rule": "r", "catalog": "c", "recipient": "endpoint:clinic-7/erp",
            "event": { "id": "e-1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" },
            "priority": "normal", "on_unknown": "resend",
            "content": { "webhook": { "to": { "tenant": "clinic-7", "id": "erp" }, "body": "{}" } },
        }))
        .unwrap();
        let Content::Webhook(webhook) = &job.content else { panic!("the content is a webhook message") };
        let health = Health { failures: 4, since: Some(now), ..Health::default() };
        for what in
            [Announcement::Failing, Announcement::Exhausted, Announcement::Disabled, Announcement::Recovered]
        {
            for (health, why) in [(&Health::default(), None), (&health, Some(DisabledBecause::Gone))] {
                let entry = alarm(what, &job, webhook, 4, health, why, now);
                assert_eq!(difference(&Event::parse(&entry.detail).unwrap()), None);
            }
        }
    }
}
