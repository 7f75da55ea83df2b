//! `/v1/tickets`: lets one WebSocket connect once within 30 seconds.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Identity, MAX_SESSION, Ticket};

use crate::caller::{Caller, Person, token_expiry};
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::recipients::check_id;
use crate::{Api, ApiCall};

/// How long a ticket is valid. The short time allows tickets in URLs.
const LIFETIME: Duration = Duration::from_secs(30);

/// The most rooms of a ticket, and the longest room name, in bytes.
const MAX_ROOMS: usize = 50;
const MAX_ROOM_BYTES: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The user of the socket. The default is the token's user.
    #[serde(default)]
    user: Option<String>,
    /// The rooms that the socket may join: names, or prefixes that end in a star.
    #[serde(default)]
    rooms: Option<Vec<String>>,
    /// When the session ends, if earlier than the token's `exp` and than [`MAX_SESSION`] from now.
    #[serde(default)]
    expires: Option<Timestamp>,
}

impl Api {
    pub(crate) async fn issue_ticket(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let body = match call.request.body()?.trim() {
            "" => serde_json::Map::new(),
            _ => call.request.object()?,
        };
        let wish: Wish = serde_json::from_value(Value::Object(body)).map_err(|_| {
            Problem::refused("body", "an object of another shape", "{user, rooms: [name, …], expires: time}")
        })?;
        let until = session_end(call.now, token_expiry(call.request), wish.expires)?;
        let identity = Identity { until: Some(until), ..identity(call, wish)? };
        if call.scope.tenant().is_some() {
            // A person outside this tenant gets no ticket from it, not even their own.
            let found = self.person(&identity.user, call).await;
            match found {
                Err(problem) if problem.status == 404 && is_self(call.caller, &identity.user) => {
                    return Err(Problem::forbidden("the token's user does not belong to the token's tenant"));
                }
                found => drop(found?),
            }
        }
        if let Some(seconds) = self.connections.lockout_left(&identity, call.now).await? {
            let detail = format!("a socket of this user flooded the API; ask again in {seconds} s");
            return Err(Problem::new(429, "rate_limited", detail).after(seconds));
        }
        let text = chance()?;
        let expires_at = call.now + LIFETIME;
        let ticket = Ticket { text: text.clone().into(), identity, issued_at: call.now, expires_at };
        self.connections.issue(&ticket).await?;
        let url = format!("{}?ticket={text}", self.socket_url);
        let said = json!({
            "ticket": text, "url": url, "expires_at": expires_at.to_string(),
            "session_ends_at": until.to_string(),
        });
        Ok(Response::json(201, &said))
    }
}

/// The end of a session: the earliest of the token's end, the requested time and [`MAX_SESSION`] from
/// now.
///
/// # Errors
/// 422: the requested time is in the past.
fn session_end(
    now: Timestamp,
    token: Option<Timestamp>,
    named: Option<Timestamp>,
) -> Result<Timestamp, Problem> {
    if named.is_some_and(|at| at <= now) {
        return Err(Problem::refused("expires", "a time that is over", "a later time, or none"));
    }
    Ok([token, named].into_iter().flatten().fold(now + MAX_SESSION, Timestamp::min))
}

fn is_self(caller: &Caller, user: &str) -> bool {
    matches!(caller, Caller::Person(person) if person.user == user)
}

/// The identity of the socket. A member gets only their own identity, with the rooms of the token.
fn identity(call: &ApiCall<'_>, wish: Wish) -> Result<Identity, Problem> {
    if let Some(Person { user, rooms, .. }) = call.caller.member() {
        if wish.user.is_some_and(|wanted| wanted != *user) {
            return Err(Problem::forbidden("user: a ticket for another user needs the role admin"));
        }
        if wish.rooms.is_some() {
            return Err(Problem::forbidden("rooms: they are those of your token's claim `rooms`"));
        }
        let view = call.view_of(user);
        return Ok(Identity { user: user.clone(), view, rooms: rooms.clone(), until: None });
    }
    let own = match call.caller {
        Caller::Person(person) => Some(person.user.clone()),
        Caller::Program(_) => None,
    };
    let user = wish.user.or(own).filter(|user| !user.is_empty());
    let user = user.ok_or_else(|| Problem::refused("user", "no value", "the user of the socket"))?;
    check_id(&user)?;
    let rooms = wish.rooms.unwrap_or_default();
    let fits = |text: &String| (1..=MAX_ROOM_BYTES).contains(&text.len());
    if rooms.len() > MAX_ROOMS || !rooms.iter().all(fits) {
        let wanted = format!("at most {MAX_ROOMS} names of 1 to {MAX_ROOM_BYTES} bytes");
        return Err(Problem::refused("rooms", "more, or others", &wanted));
    }
    let view = call.view_of(&user);
    Ok(Identity { user, view, rooms, until: None })
}

/// 128 random bits, as text.
pub(crate) fn chance() -> Result<String, Problem> {
    Ok(URL_SAFE_NO_PAD.encode(random::<16>()?))
}

/// Random bytes.
pub(crate) fn random<const BYTES: usize>() -> Result<[u8; BYTES], Problem> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(code = "API_NO_RANDOMNESS", %error, "random numbers not available: the caller gets status 503");
        Problem::new(503, "unavailable", "an internal service did not answer; repeat the request").after(1)
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn session_ends_with_the_token_or_earlier_and_never_later() {
        let after = |seconds: i64| Some(NOW + SignedDuration::from_secs(seconds));
        let longest = MAX_SESSION.as_secs();
        for (token, named, expected) in [
            (None, None, longest),
            (after(8), None, 8),
            (after(8), after(4), 4),
            (after(8), after(80), 8),
            (None, after(600), 600),
            (None, after(86_400), longest),
            (after(86_400), None, longest),
        ] {
            let end = session_end(NOW, token, named).unwrap();
            assert_eq!(end.as_second() - NOW.as_second(), expected, "{token:?} {named:?}");
        }
        assert_eq!(session_end(NOW, None, Some(NOW)).unwrap_err().status, 422);
    }
}
