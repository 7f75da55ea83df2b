//! Unsubscribing by the link of a message: `GET` shows a page with a button and changes nothing, because mail scanners
//! open links; `POST` acts, whether a person or their mail program sends it (RFC 8058). A link acts once for ever.
//!
//! No caller is identified: the token holds the person and the scope, and only we can have made it.

pub(crate) mod page;
mod phrases;

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::event::Event;
use domain::recipient::Recipient;
use domain::registry::Stamp;
use domain::unsubscribe::{AHEAD, Claim, LIFE, Unsubscription};
use publish::Entry;
use runtime::{chain, now};
use serde_json::{Map, json};

use crate::Api;
use crate::request::Request;
use page::{Page, Text};
use phrases::Language;

pub use page::Pages;

/// The type of the event that tells the scope and the person of an unsubscription.
pub const UNSUBSCRIBED: &str = "preference.unsubscribed";

const SOURCE: &str = domain::producers::API_SOURCE;

/// What is answered without a caller being identified: methods and path.
pub const OPEN: (&[&str], &str) = (&["GET", "HEAD", "POST"], "/v1/unsubscribe/{token}");

/// The table or the bus did not take something. The mail program or the person asks again.
struct Unavailable;

/// How things stand for a link.
enum State {
    /// The link can still be used.
    Open,
    /// The person is unsubscribed from the scope.
    Unsubscribed,
    /// The link was used, and the person is subscribed again.
    TakenBack,
}

/// The token of a request to unsubscribe: one of [`OPEN`], which has no signature.
pub(crate) fn token(request: &Request) -> Option<String> {
    let path = request.path();
    let [version, page, token] = path.as_slice() else { return None };
    let is_ours = version == "v1" && page == "unsubscribe" && OPEN.0.contains(&request.method());
    (is_ours && !token.is_empty()).then(|| token.clone())
}

impl Api {
    /// Answers `GET`, `HEAD` and `POST` of `/v1/unsubscribe/{token}`. `languages` is the header `Accept-Language`.
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

    /// The browser's language, or else the person's own, or else English.
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
            // A deleted person gets nothing.
            None if used.is_some() => State::Unsubscribed,
            _ if used.is_some_and(|used| used.done) => State::TakenBack,
            _ => State::Open,
        })
    }

    /// Unsubscribes the person as of the first use of the link. Whatever was said of the person later wins, so that
    /// the work can be repeated until it is done. Once it is done, the link changes nothing.
    async fn leave(&self, claim: &Claim, now: Timestamp) -> Result<State, Unavailable> {
        let until = claim.issued.saturating_add(LIFE + AHEAD).unwrap_or(Timestamp::MAX);
        let used = self.counters.use_link(&claim.message, now, until).await;
        let used = used.map_err(|error| unavailable(&error))?;
        if !used.done {
            self.unsubscribe_reader(claim, used.at).await?;
            self.counters.link_is_done(&claim.message).await.map_err(|error| unavailable(&error))?;
        }
        match self.state(claim).await? {
            // The person is not known: no message will reach them.
            State::Open => Ok(State::Unsubscribed),
            state @ (State::Unsubscribed | State::TakenBack) => Ok(state),
        }
    }

    /// Writes the unsubscription and publishes it. The event has the same id each time: the audit keeps one.
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
                    // The person was deleted, or something newer was said of the scope.
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

    /// The person whom a link is about.
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
        "a request to unsubscribe failed; the page asks the reader to repeat it"
    );
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
