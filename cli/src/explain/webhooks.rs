//! The last responses of endpoints to the webhook messages of an event.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::channel::Channel;
use domain::event::key::Key;
use domain::webhook::endpoint::EndpointId;
use serde_json::{Value, json};
use store::{Attempt, Endpoints, LedgerRow};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::times::utc;

/// The number of attempts of each endpoint that are searched. Messages with an older last attempt have no response
/// here.
const LATEST: u32 = 200;

/// The last attempt of each message.
#[derive(Default)]
pub(super) struct Answers(BTreeMap<Key, Attempt>);

/// Returns the last responses to the webhook messages among `rows`.
pub(super) async fn answers(rows: &[LedgerRow], cloud: &Cloud) -> Result<Answers, Error> {
    let webhooks = rows.iter().filter(|row| row.channel == Some(Channel::Webhook));
    let names = webhooks.filter_map(|row| row.recipient.strip_prefix("endpoint:"));
    let ids: BTreeSet<EndpointId> = names.filter_map(EndpointId::parse).collect();
    let wanted: BTreeSet<&Key> = rows.iter().map(|row| &row.key).collect();
    let table = Endpoints::new(&store::client(&cloud.config), cloud.name("endpoints"));
    let mut answers = Answers::default();
    for id in ids {
        // Attempts are ordered from newest to oldest, and the first one is kept.
        for attempt in table.attempts(&id, LATEST).await? {
            if wanted.contains(&attempt.message) {
                answers.0.entry(attempt.message.clone()).or_insert(attempt);
            }
        }
    }
    Ok(answers)
}

impl Answers {
    /// Returns the text that follows the outcome of a row.
    pub(super) fn states(&self, key: &Key) -> Option<String> {
        self.0.get(key).map(states)
    }

    /// Adds the attempt to JSON output as the member `attempt`.
    pub(super) fn add_to(&self, value: &mut Value, key: &Key) {
        if let Some(it) = self.0.get(key) {
            value["attempt"] = json!({
                "attempt": it.attempt, "at": it.at, "status": it.status, "error": it.error,
                "location": it.location, "took_ms": it.took_ms, "by_hand": it.by_hand, "next_at": it.next_at,
            });
        }
    }
}

fn states(it: &Attempt) -> String {
    let answer = match (it.status, &it.error) {
        (Some(status), _) => format!("HTTP {status}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let to = it.location.as_ref().map(|to| format!(", a redirect to {to} that is not followed"));
    let next = it.next_at.map(|next| format!(", the next attempt is at {}", utc(next)));
    let by_hand = if it.by_hand { " by hand" } else { "" };
    format!(
        "attempt {}{by_hand} at {}: {answer}{}{}",
        it.attempt,
        utc(it.at),
        to.unwrap_or_default(),
        next.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_answer_is_said_with_where_a_redirect_leads_and_when_the_next_attempt_is() {
        let time = |text: &str| text.parse().unwrap();
        let mut attempt = Attempt {
            to: EndpointId::parse("acme/erp").unwrap(),
            at: time("2026-11-30T04:00:00Z"),
            message: Key::from("k".to_owned()),
            event_id: "e".to_owned(),
            event_type: "t".to_owned(),
            attempt: 2,
            by_hand: false,
            status: Some(302),
            took_ms: 7,
            error: None,
            response: Some("a body".into()),
            location: Some("https://e.example/login".to_owned()),
            next_at: Some(time("2026-11-30T04:05:10Z")),
        };
        let text = states(&attempt);
        for part in
            ["attempt 2 at ", "HTTP 302, a redirect to https://e.example/login", "the next attempt is at "]
        {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("a body"));
        attempt = Attempt {
            status: None,
            error: Some("no connection".to_owned()),
            location: None,
            next_at: None,
            ..attempt
        };
        assert!(states(&attempt).ends_with(": no connection"));
    }
}
