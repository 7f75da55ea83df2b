//! `/v1/endpoints/{id}/verify`: an owner proves control of an endpoint.
//!
//! A request without a challenge sends the endpoint a new one. A request with the current challenge
//! verifies the endpoint. The challenge is sent only to the endpoint, never in an answer of the API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::delivery::manual;
use domain::event::key::Key;
use domain::webhook::endpoint::EndpointId;
use domain::webhook::endpoint::challenge::{CHALLENGE_BYTES, Challenge};
use runtime::chain;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::response::Response;
use crate::routes::messages::SOURCE;
use crate::routes::tickets::{chance, random};
use crate::{Api, ApiCall};

impl Api {
    pub(crate) async fn verify_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&call.endpoint()?).await?;
        let mut members = call.object_or_none()?;
        if let Some(problem) = Problem::stranger(&members, &["challenge"]) {
            return Err(problem);
        }
        let answer = members.remove("challenge");
        if endpoint.unverified.is_none() {
            return Ok(Response::json(200, &self.body(&endpoint, call).await?));
        }
        match answer {
            None | Some(Value::Null) => {
                let message = self.challenge(&endpoint.id, call).await?;
                Ok(Response::json(202, &json!({ "message": message })))
            }
            Some(Value::String(text)) => {
                self.answer_challenge(&endpoint.id, &text, call).await?;
                let endpoint = self.endpoint(&endpoint.id).await?;
                Ok(Response::json(200, &self.body(&endpoint, call).await?))
            }
            Some(_) => Err(Problem::refused("challenge", "another kind of value", "the text that was sent")),
        }
    }

    async fn answer_challenge(&self, id: &EndpointId, text: &str, call: &ApiCall<'_>) -> Result<(), Problem> {
        let wrong = || {
            let detail = "this is not the last challenge that the endpoint was sent, or the challenge is older than \
                          24 hours; POST without a body sends a new one";
            Problem::new(422, "wrong_challenge", detail)
        };
        let sent = self.endpoints.challenge_of(id).await?.ok_or_else(wrong)?;
        if !sent.is_met_by(text, call.now) || !self.endpoints.verify(id, &sent).await? {
            return Err(wrong());
        }
        Ok(())
    }

    /// Sends an endpoint a new challenge, which replaces the previous one.
    async fn challenge(&self, id: &EndpointId, call: &ApiCall<'_>) -> Result<Key, Problem> {
        let text = URL_SAFE_NO_PAD.encode(random::<CHALLENGE_BYTES>()?);
        if !self.endpoints.challenge(id, &Challenge::of(&text, call.now)).await? {
            return Err(Problem::new(409, "conflict", "the endpoint has changed meanwhile; ask again"));
        }
        let job = manual::verify(id, SOURCE, &chance()?, &text, call.now);
        let message = job.key.clone();
        self.queue_jobs(&[job]).await?;
        Ok(message)
    }

    /// Sends a challenge after a registration, within the limit of pings. Returns `false` if none was
    /// sent and the owner has to request one.
    pub(crate) async fn challenge_unasked(&self, id: &EndpointId, call: &ApiCall<'_>) -> bool {
        match self.gate.may_ping(&self.counters, call.scope, &id.id, call.now).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(refused) => {
                tracing::warn!(
                    error = chain(&refused),
                    code = "API_NO_CHALLENGE",
                    "challenge of a new endpoint not sent: rate limits not available"
                );
                return false;
            }
        }
        match self.challenge(id, call).await {
            Ok(_) => true,
            Err(problem) => {
                tracing::warn!(
                    problem = problem.kind,
                    code = "API_NO_CHALLENGE",
                    "challenge of a new endpoint not sent: its owner has to request one"
                );
                false
            }
        }
    }
}
