//! The secrets of the workspaces: a bot token, and the URLs of webhooks by their names.

use std::collections::BTreeMap;

use domain::base::channel::WEBHOOK_ADDRESS;
use domain::base::sensitive::Sensitive;
use serde::Deserialize;

/// The secrets of the stack and of its tenants, as the template's secret holds them.
///
/// ```json
/// { "token": "xoxb-…", "webhooks": { "ops": "https://hooks.slack.com/services/…" },
///   "tenants": { "clinic-7": { "token": "xoxb-…" } } }
/// ```
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[serde(default)]
    token: Option<Sensitive<String>>,
    #[serde(default)]
    webhooks: BTreeMap<String, Sensitive<String>>,
    #[serde(default)]
    tenants: BTreeMap<String, Access>,
}

/// The secrets that a message may use.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    #[serde(default)]
    pub token: Option<Sensitive<String>>,
    #[serde(default)]
    webhooks: BTreeMap<String, Sensitive<String>>,
}

/// The secret is no JSON of the documented shape. The text of the secret is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    line: usize,
    column: usize,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Unreadable { line, column } = self;
        write!(
            f,
            "the secret is not readable at line {line}, column {column}; wanted {{token, webhooks, tenants}}"
        )
    }
}

impl std::error::Error for Unreadable {}

impl Credentials {
    /// An empty text is a stack without credentials.
    ///
    /// # Errors
    /// [`Unreadable`]: the text has another shape.
    pub fn read(text: &str) -> Result<Credentials, Unreadable> {
        if text.trim().is_empty() {
            return Ok(Credentials::default());
        }
        serde_json::from_str(text).map_err(|error| Unreadable { line: error.line(), column: error.column() })
    }

    /// The bot token for events of a tenant: the tenant's own, or the one of the stack.
    #[must_use]
    pub fn token(&self, tenant: Option<&str>) -> Option<Sensitive<&str>> {
        let own = self.of(tenant).and_then(|access| access.token.as_ref());
        own.or(self.token.as_ref()).map(Sensitive::as_deref).filter(|token| !token.expose().is_empty())
    }

    /// The URL of `webhook:<name>` for events of a tenant. A tenant never sees the webhooks of another one.
    #[must_use]
    pub fn webhook(&self, tenant: Option<&str>, address: &str) -> Option<Sensitive<&str>> {
        let name = address.strip_prefix(WEBHOOK_ADDRESS)?;
        let own = self.of(tenant).and_then(|access| access.webhooks.get(name));
        own.or_else(|| self.webhooks.get(name)).map(Sensitive::as_deref)
    }

    fn of(&self, tenant: Option<&str>) -> Option<&Access> {
        self.tenants.get(tenant?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_uses_its_own_secrets_and_those_of_the_stack_and_no_others() {
        let text = r#"{ "token": "s", "webhooks": { "ops": "https://s/ops", "all": "https://s/all" },
            "tenants": { "a": { "token": "a", "webhooks": { "ops": "https://a/ops" } }, "b": {} } }"#;
        let credentials = Credentials::read(text).unwrap();
        let token = |tenant| credentials.token(tenant).map(|token| *token.expose());
        assert_eq!((token(None), token(Some("a")), token(Some("b"))), (Some("s"), Some("a"), Some("s")));
        let webhook = |tenant, name| credentials.webhook(tenant, name).map(|url| *url.expose());
        assert_eq!(webhook(Some("a"), "webhook:ops"), Some("https://a/ops"));
        assert_eq!(webhook(Some("a"), "webhook:all"), Some("https://s/all"));
        assert_eq!(webhook(Some("b"), "webhook:ops"), Some("https://s/ops"));
        assert_eq!(webhook(None, "webhook:none"), None);
        assert_eq!(webhook(None, "U012AB3CD"), None);
    }

    #[test]
    fn unreadable_secret_is_not_repeated() {
        for text in [r#"{"token": 1}"#, r#"{"tokens": "xoxb-secret"}"#, "xoxb-secret"] {
            let error = Credentials::read(text).err().unwrap().to_string();
            assert!(!error.contains("secret is xoxb") && !error.contains("xoxb"), "{error}");
        }
        assert!(Credentials::read(" ").is_ok_and(|none| none.token(None).is_none()));
    }
}
