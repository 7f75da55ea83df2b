//! The links by which readers of letters unsubscribe.
//!
//! The token is made here, with a secret that the template puts into the environment: a call to a service that makes it
//! would be one for each letter.

use domain::Timestamp;
use domain::decide::Decision;
use domain::event::Event;
use domain::policy::EmailPolicy;
use domain::recipient::Sender;
use domain::unsubscribe::{Claim, Keys, Scope};
use runtime::{Env, Error};

/// Makes links.
pub struct WaysOut {
    /// What stands before the token.
    base: String,
    keys: Keys,
    /// The installation's own name, for the page behind a link.
    sender: Option<String>,
}

/// How much of the sender's name a link carries, in characters.
const MAX_SENDER_CHARS: usize = 60;

impl WaysOut {
    /// `UNSUBSCRIBE_URL` is what stands before `/v1/unsubscribe/<token>`, `UNSUBSCRIBE_KEYS` the secrets as a JSON object,
    /// `UNSUBSCRIBE_KEY` the name of the one that new links are made with, `SENDER_NAME` the name that the page shows.
    ///
    /// # Errors
    /// A variable is missing, or the keys cannot be used.
    pub fn from_env(env: &Env) -> Result<WaysOut, Error> {
        let keys = Keys::read(&env.required("UNSUBSCRIBE_KEYS")?, &env.required("UNSUBSCRIBE_KEY")?)?;
        Ok(WaysOut { base: env.required("UNSUBSCRIBE_URL")?, keys, sender: env.optional("SENDER_NAME") })
    }

    /// The link in the letter that a decision leads to. The page names the category's sender of `policy`, where it has
    /// one, and otherwise the installation's.
    #[must_use]
    pub fn link(
        &self,
        event: &Event,
        decision: &Decision<'_>,
        scope: &Scope,
        policy: &EmailPolicy,
        now: Timestamp,
    ) -> String {
        let of_category = decision.rule.and_then(|rule| policy.senders.get(&rule.category));
        let sender = of_category.map(Sender::name).or(self.sender.as_deref());
        // A header has room for 996 characters, and the link stands in one.
        let sender = sender.map(|name| name.chars().take(MAX_SENDER_CHARS).collect());
        let token = self.keys.seal(&Claim {
            tenant: event.tenant.clone(),
            recipient: decision.recipient.clone(),
            scope: scope.clone(),
            message: decision.key.as_str().to_owned(),
            issued: now,
            sender,
        });
        format!("{}/v1/unsubscribe/{token}", self.base.trim_end_matches('/'))
    }
}
