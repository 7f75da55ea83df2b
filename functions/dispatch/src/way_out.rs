//! The links by which readers of letters unsubscribe.
//!
//! The token is made here, with a secret that the template puts into the environment: a call to a service that makes it
//! would be one for each letter.

use domain::Timestamp;
use domain::decide::Decision;
use domain::event::Event;
use domain::unsubscribe::{Claim, Keys, Scope};
use runtime::{Env, Error};

/// Makes links.
pub struct WaysOut {
    /// What stands before the token.
    base: String,
    keys: Keys,
}

impl WaysOut {
    /// `UNSUBSCRIBE_URL` is what stands before `/v1/unsubscribe/<token>`, `UNSUBSCRIBE_KEYS` the secrets as a JSON object,
    /// `UNSUBSCRIBE_KEY` the name of the one that signs.
    ///
    /// # Errors
    /// A variable is missing, or the keys cannot be used.
    pub fn from_env(env: &Env) -> Result<WaysOut, Error> {
        let keys = Keys::read(&env.required("UNSUBSCRIBE_KEYS")?, &env.required("UNSUBSCRIBE_KEY")?)?;
        Ok(WaysOut { base: env.required("UNSUBSCRIBE_URL")?, keys })
    }

    /// The link in the letter that a decision leads to.
    #[must_use]
    pub fn link(&self, event: &Event, decision: &Decision<'_>, scope: &Scope, now: Timestamp) -> String {
        let token = self.keys.sign(&Claim {
            tenant: event.tenant.clone(),
            recipient: decision.recipient.clone(),
            scope: scope.clone(),
            message: decision.key.as_str().to_owned(),
            issued: now,
        });
        format!("{}/v1/unsubscribe/{token}", self.base.trim_end_matches('/'))
    }
}
