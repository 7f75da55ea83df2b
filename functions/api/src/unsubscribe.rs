//! Unsubscribing by the link of a letter: `GET` shows a page with a button and changes nothing, for mail scanners open
//! links; `POST` acts, whether a person or their mail program sends it (RFC 8058), and acts once.
//!
//! Nobody is asked who they are: the token says whose word it is, and only we can have made it.

pub(crate) mod page;

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::event::Event;
use domain::registry::Stamp;
use domain::unsubscribe::{Claim, Unsubscription};
use publish::Entry;
use runtime::{chain, now};
use serde_json::{Map, json};

use crate::Api;
use crate::request::Request;
use page::{Language, Page, Text};

/// The type of the event that says who unsubscribed from what.
pub const UNSUBSCRIBED: &str = "preference.unsubscribed";

const SOURCE: &str = domain::producers::API_SOURCE;

/// What is answered without anybody being asked who they are: methods and path.
pub const OPEN: (&[&str], &str) = (&["GET", "POST"], "/v1/unsubscribe/{token}");

/// What the table or the bus could not take: the mail program, or the person, asks again.
struct Unavailable;

/// The token of a request to unsubscribe: `GET` or `POST` of `/v1/unsubscribe/{token}`, which nobody signs.
pub(crate) fn token(request: &Request) -> Option<String> {
    let path = request.path();
    let [version, page, token] = path.as_slice() else { return None };
    let is_ours = version == "v1" && page == "unsubscribe" && OPEN.0.contains(&request.method());
    (is_ours && !token.is_empty()).then(|| token.clone())
}

impl Api {
    /// Answers `GET` and `POST` of `/v1/unsubscribe/{token}`. `languages` is the header `Accept-Language`.
    pub(crate) async fn unsubscribe(&self, method: &str, token: &str, languages: Option<&str>) -> Page {
        let now = now();
        let language = Language::of(languages);
        let Ok(claim) = self.links.verify(token, now) else {
            return Page::new(404, language, Text::Forged);
        };
        if method != "POST" {
            return Page::new(200, language, Text::Question(&claim.scope));
        }
        match self.leave(&claim, now).await {
            Ok(()) => Page::new(200, language, Text::Done(&claim.scope)),
            Err(Unavailable) => Page::new(503, language, Text::Later),
        }
    }

    /// Writes it down, and tells the bus. Asked again, it tells the bus the same event once more, in case it was that
    /// which went wrong: the audit keeps one.
    async fn leave(&self, claim: &Claim, now: Timestamp) -> Result<(), Unavailable> {
        let id = claim.recipient.as_str();
        let found = self.people.find(&BTreeSet::from([id])).await.map_err(|it| unavailable(&it))?;
        let before = found.get(id).and_then(|it| it.unsubscribed.get(&claim.scope));
        let at = match before {
            Some(it) if it.message == claim.message => it.at,
            // Another letter of the kind was left before.
            Some(_) => return Ok(()),
            None => {
                let word = Unsubscription { at: now, message: claim.message.clone() };
                let stamp = Stamp { at: now, by: format!("unsubscribe {}", claim.message) };
                let patch =
                    Map::from_iter([("unsubscribed".to_owned(), json!({ claim.scope.to_string(): word }))]);
                match self.people.merge(id, patch, stamp).await {
                    Ok(true) => now,
                    // They are gone, or somebody said something newer about it.
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(unavailable(&error)),
                }
            }
        };
        for result in self.bus().put(&[entry(claim, at)]).await {
            result.map_err(|it| unavailable(&it))?;
        }
        Ok(())
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Unavailable {
    tracing::error!(error = chain(error), "somebody could not unsubscribe");
    Unavailable
}

/// The event. Its id follows from the letter's key: told twice, it is kept once.
fn entry(claim: &Claim, at: Timestamp) -> Entry {
    let data = json!({
        "recipient": claim.recipient, "scope": claim.scope.to_string(), "message": claim.message,
    });
    let id = format!("unsubscribed-{}", claim.message);
    Entry::of(&Event {
        subject: Some(claim.recipient.clone()),
        tenant: claim.tenant.clone(),
        actor: Some(claim.recipient.clone()),
        ..Event::new(SOURCE, UNSUBSCRIBED, id, at, &data)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::unsubscribe::Scope;
    use serde_json::Value;

    #[test]
    fn the_event_says_who_left_what_by_which_letter_and_is_the_same_each_time() {
        let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let claim = Claim {
            tenant: Some("clinic-7".to_owned()),
            recipient: "ann".to_owned(),
            scope: Scope::Category("news".to_owned()),
            message: "k-1".to_owned(),
            issued: at,
        };
        let entry = entry(&claim, at);
        assert!(entry == super::entry(&claim, at));
        let event = Event::parse(&entry.detail).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("unsubscribed-k-1", UNSUBSCRIBED));
        assert_eq!((event.tenant.as_deref(), event.subject.as_deref()), (Some("clinic-7"), Some("ann")));
        let data: Value = serde_json::from_str(event.data.unwrap().text()).unwrap();
        assert_eq!(data, json!({ "recipient": "ann", "scope": "category:news", "message": "k-1" }));
    }
}
