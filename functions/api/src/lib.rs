//! api: the HTTP API, for programs of the account. API Gateway has checked who asks, by IAM (Signature Version 4).
//!
//! | route | body | answer |
//! |---|---|---|
//! | `PUT /v1/recipients/{id}` | a person, whole | 200, the person as they are on record |
//! | `PATCH /v1/recipients/{id}` | what changes (JSON merge patch, RFC 7396) | 200, the same |
//! | `GET /v1/recipients/{id}` | | 200, the same; 404 |
//! | `DELETE /v1/recipients/{id}` | | 204, also when there is nobody |
//! | `GET /v1/unsubscribe/{token}` | | 200, a page with a button; 404 for a link that is not ours. Nobody signs it |
//! | `POST /v1/unsubscribe/{token}` | whatever a form or a mail program sends | 200, a page, also when asked again; 404 |
//!
//! What is wrong is said as `application/problem+json` (RFC 9457). It writes through the same door as the events of the
//! bus and the CLI's import: the later word counts, whichever way it came.

mod request;
mod unsubscribe;

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use domain::event::Refusal;
use domain::recipient::Recipient;
use domain::registry::{self, Stamp};
use runtime::{chain, now};
use serde_json::{Map, Value};
use store::{NotApplied, People};

pub use request::{Request, Response, Route};
pub use unsubscribe::{UNSUBSCRIBED, Unsubscribe};

/// The HTTP API's back end.
pub struct Api {
    people: People,
    unsubscribe: Unsubscribe,
}

impl Api {
    #[must_use]
    pub fn new(aws: &SdkConfig, people_table: String, unsubscribe: Unsubscribe) -> Api {
        Api { people: People::new(&store::client(aws), people_table), unsubscribe }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        if let Some((method, token)) = request.unsubscribe() {
            return self.unsubscribe.answer(method, token, request.header("accept-language")).await.into();
        }
        let Some(id) = request.id() else {
            return Response::problem(
                400,
                "no_id",
                "the path ends with the recipient's id: /v1/recipients/{id}",
            );
        };
        let stamp = Stamp { at: now(), by: format!("api {}", request.request_id()) };
        match request.route() {
            Route::Put => match read_person(&request, &id) {
                Ok(person) => match self.people.put(&[person], stamp.at).await {
                    Ok(()) => self.show(&id).await,
                    Err(refused) => unavailable(&refused),
                },
                Err(refusal) => refused(&refusal),
            },
            Route::Patch => match read_patch(&request, &id) {
                Ok(patch) => match self.people.merge(&id, patch, stamp).await {
                    Ok(_) => self.show(&id).await,
                    Err(error) => not_applied(&error),
                },
                Err(refusal) => refused(&refusal),
            },
            Route::Get => self.show(&id).await,
            Route::Delete => match self.people.remove(&id, stamp).await {
                Ok(_) => Response::empty(204),
                Err(error) => not_applied(&error),
            },
            Route::Other => {
                Response::problem(404, "no_route", "there is no such route; see the list in README.md")
            }
        }
    }

    async fn show(&self, id: &str) -> Response {
        match self.people.find(&BTreeSet::from([id])).await {
            Ok(found) => match found.get(id) {
                Some(person) => Response::json(200, person),
                None => Response::problem(404, "no_recipient", "nobody of this id is known"),
            },
            Err(refused) => unavailable(&refused),
        }
    }
}

/// The person in the body. The id may be left out there; another one than the path's is refused.
fn read_person(request: &Request, id: &str) -> Result<Recipient, Refusal> {
    let mut members = read_object(request)?;
    same_id(&mut members, id)?;
    registry::person(&Value::Object(members).to_string())
}

fn read_patch(request: &Request, id: &str) -> Result<Map<String, Value>, Refusal> {
    let mut members = read_object(request)?;
    same_id(&mut members, id)?;
    members.remove("id");
    Ok(members)
}

fn read_object(request: &Request) -> Result<Map<String, Value>, Refusal> {
    let wrong = |found: &str| Refusal {
        attribute: "body".to_owned(),
        found: found.to_owned(),
        wanted: "one JSON object".to_owned(),
    };
    let text = request.body().ok_or_else(|| wrong("text that cannot be read"))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(wrong("JSON that is no object")),
        Err(error) => Err(wrong(&format!("no JSON (line {}, column {})", error.line(), error.column()))),
    }
}

fn same_id(members: &mut Map<String, Value>, id: &str) -> Result<(), Refusal> {
    match members.insert("id".to_owned(), id.into()) {
        Some(other) if other != *id => Err(Refusal {
            attribute: "id".to_owned(),
            found: "another id than in the path".to_owned(),
            wanted: "the same, or none".to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn refused(refusal: &Refusal) -> Response {
    Response::problem(422, "refused", &refusal.to_string())
}

fn not_applied(error: &NotApplied) -> Response {
    match error {
        NotApplied::Unfit(refusal) => refused(refusal),
        NotApplied::Refused(refused) => unavailable(refused),
    }
}

fn unavailable(refused: &aws::Refused) -> Response {
    tracing::error!(error = chain(refused), "the people table could not be asked");
    Response::problem(503, "unavailable", "the people table could not be asked; ask again")
}
