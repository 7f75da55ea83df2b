//! Unsubscribe links. `GET` shows a page with a button and changes no data, because mail scanners open
//! links. `POST` unsubscribes, sent by a person or by their mail program (RFC 8058). A link works once.
//!
//! The caller is not identified. The token contains the person and the scope, and is signed by Carillon.

pub(crate) mod page;
mod phrases;

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::event::Event;
use domain::recipient::Recipient;
use domain::recipient::recipient_changes::Stamp;
use domain::recipient::unsubscribe::{AHEAD, Claim, LIFE, Unsubscription};
use publish::Entry;
use runtime::{chain, now};
use serde_json::{Map, json};

use crate::Api;
use crate::request::Request;
use page::{Page, Text};
use phrases::Language;

pub use page::Pages;

/// The type of the event that reports an unsubscription with its person and scope.
pub const UNSUBSCRIBED: &str = "preference.unsubscribed";

const SOURCE: &str = domain::event::own_events::API_SOURCE;

/// The methods and path that are answered without identifying a caller.
pub const OPEN: (&[&str], &str) = (&["GET", "HEAD", "POST"], "/v1/unsubscribe/{token}");

/// A call to a table or to the bus failed. The mail program or the person repeats the request.
struct Unavailable;

/// The state of a link.
enum State {
    /// The link is unused.
    Open,
    /// The person is unsubscribed from the scope.
    Unsubscribed,
    /// The link was used, and the person has subscribed again.
    TakenBack,
}

/// The token of an unsubscribe request, whose route ([`OPEN`]) needs no signature.
pub(crate) fn token(request: &Request) -> Option<String> {
    let path = request.path();
    let [version, page, token] = path.as_slice() else { return None };
    let is_ours = version == "v1" && page == "unsubscribe" && OPEN.0.contains(&request.method());
    (is_ours && !token.is_empty()).then(|| token.clone())
}

impl Api {
    /// Answers `GET`, `HEAD` and `POST` of `/v1/unsubscribe/{token}`. `languages` is the header
    /// `Accept-Language`.
    pub(crate) async fn unsubscribe(&self, method: &str, token: &str, languages: Option<&str>) -> Page {
        let now = now();
        let language = self.language(token, languages, now).await;
        let page = |status, sender: Option<&str>, text| {
            let page = Page::new(status, language, sender, text, &self.pages);
            if method == "HEAD" { page.without_body() } else { page }
        };
        let Ok(claim) = self.links.verify(token, now) else { return page(404, None, Text::Forged) };
        let state = match method {
            "POST" => self.leave(&claim, now).await,
            _ => self.state(&claim).await,
        };
        let sender = claim.sender.as_deref();
        match state {
            Ok(State::Open) => page(200, sender, Text::Question(&claim.scope)),
            Ok(State::Unsubscribed) => page(200, sender, Text::Done(&claim.scope)),
            Ok(State::TakenBack) => page(200, sender, Text::Spent(&claim.scope)),
            Err(Unavailable) => page(503, sender, Text::Later),
        }
    }

    /// The browser's language, else the person's own, else English.
    async fn language(&self, token: &str, languages: Option<&str>, now: Timestamp) -> Language {
        if let Some(language) = Language::accepted(languages) {
            return language;
        }
        let Ok(claim) = self.links.verify(token, now) else { return Language::English };
        let person = self.reader(&claim).await.ok().flatten();
        let own = person.and_then(|person| Language::closest(person.locale.as_deref()?));
        own.unwrap_or(Language::English)
    }

    async fn state(&self, claim: &Claim) -> Result<State, Unavailable> {
        let used = self.counters.used_link(&claim.message).await.map_err(|error| unavailable(&error))?;
        let person = self.reader(claim).await?;
        Ok(match person {
            Some(person) if person.unsubscribed.contains_key(&claim.scope) => State::Unsubscribed,
            // A deleted person receives no messages.
            None if used.is_some() => State::Unsubscribed,
            _ if used.is_some_and(|used| used.done) => State::TakenBack,
            _ => State::Open,
        })
    }

    /// Unsubscribes the person as of the first use of the link. Later changes of the preferences win, so
    /// the work can be repeated until it succeeds. Afterwards the link has no effect.
    async fn leave(&self, claim: &Claim, now: Timestamp) -> Result<State, Unavailable> {
        let until = claim.issued.saturating_add(LIFE + AHEAD).unwrap_or(Timestamp::MAX);
        let used = self.counters.use_link(&claim.message, now, until).await;
        let used = used.map_err(|error| unavailable(&error))?;
        if !used.done {
            self.unsubscribe_reader(claim, used.at).await?;
            self.counters.link_is_done(&claim.message).await.map_err(|error| unavailable(&error))?;
        }
        match self.state(claim).await? {
            // An unknown person receives no messages.
            State::Open => Ok(State::Unsubscribed),
            state @ (State::Unsubscribed | State::TakenBack) => Ok(state),
        }
    }

    /// Stores the unsubscription and publishes it. The event has the same id each time, so the audit
    /// keeps one.
    async fn unsubscribe_reader(&self, claim: &Claim, at: Timestamp) -> Result<(), Unavailable> {
        let before = self.reader(claim).await?;
        let at = match before.as_ref().and_then(|person| person.unsubscribed.get(&claim.scope)) {
            Some(before) if before.message == claim.message => before.at,
            // The link of another message was used before.
            Some(_) => return Ok(()),
            None => {
                let word = Unsubscription { at, message: claim.message.clone() };
                let stamp = Stamp { at, by: format!("unsubscribe {}", claim.message) };
                let patch =
                    Map::from_iter([("unsubscribed".to_owned(), json!({ claim.scope.to_string(): word }))]);
                match self.people.merge(&claim.recipient, patch, stamp).await {
                    Ok(true) => at,
                    // The person was deleted, or the scope has a newer preference.
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(unavailable(&error)),
                }
            }
        };
        for result in self.bus().put(&[entry(claim, at)]).await {
            result.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    /// The person of a link.
    async fn reader(&self, claim: &Claim) -> Result<Option<Recipient>, Unavailable> {
        let id = claim.recipient.as_str();
        let mut found = self.people.find(&BTreeSet::from([id])).await.map_err(|error| unavailable(&error))?;
        Ok(found.remove(id))
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Unavailable {
    tracing::error!(
        code = "UNSUBSCRIBE_RETRY",
        error = chain(error),
        "unsubscribe request failed: the page asks the reader to repeat it"
    );
    Unavailable
}

/// The event. Its id is derived from the message's key, so repeats are stored once.
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
    use domain::recipient::unsubscribe::Scope;
    use serde_json::Value;

    #[test]
    fn unsubscribed_event_is_complete_and_stable() {
        let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let claim = Claim {
            tenant: Some("clinic-7".to_owned()),
            recipient: "ann".to_owned(),
            scope: Scope::Category("news".to_owned()),
            message: "k-1".to_owned(),
            issued: at,
            sender: None,
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
