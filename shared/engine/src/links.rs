//! Unsubscribe links of e-mails.
//!
//! The token is made in the process, because a service would need one call for each e-mail.

use domain::Timestamp;
use domain::catalog::policy::EmailPolicy;
use domain::decide::Decision;
use domain::event::Event;
use domain::recipient::Sender;
use domain::recipient::unsubscribe::{Claim, Keys, Scope};

/// The source of unsubscribe links.
pub struct UnsubscribeLinks {
    base: String,
    keys: Keys,
    sender: Option<String>,
}

/// The most characters of the sender's name in a link.
const MAX_SENDER_CHARS: usize = 60;

impl UnsubscribeLinks {
    /// Creates the source of links. `base` is the URL before `/v1/unsubscribe/<token>`, `sender` the installation's
    /// name on the page behind a link.
    #[must_use]
    pub fn new(base: &str, keys: Keys, sender: Option<String>) -> UnsubscribeLinks {
        UnsubscribeLinks { base: base.trim_end_matches('/').to_owned(), keys, sender }
    }

    /// Returns the link for the e-mail of a decision. The page behind it names the sender that `policy` gives the
    /// category, or else the installation's.
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
        // The link is part of a header, which has room for 996 characters.
        let sender = sender.map(|name| name.chars().take(MAX_SENDER_CHARS).collect());
        let token = self.keys.seal(&Claim {
            tenant: event.tenant.clone(),
            recipient: decision.recipient.clone(),
            scope: scope.clone(),
            message: decision.key.as_str().to_owned(),
            issued: now,
            sender,
        });
        format!("{}/v1/unsubscribe/{token}", self.base)
    }
}
