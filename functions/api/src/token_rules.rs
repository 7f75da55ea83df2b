//! The rules of an installation for tokens beyond API Gateway's checks: a bounded lifetime and a
//! required claim.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde_json::{Map, Value};

/// The longest lifetime of a token if the installation sets none.
pub const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// How far the issuer's clock may be ahead, in seconds.
const CLOCK_SKEW_SECONDS: f64 = 60.0;

/// The rules for every token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The longest lifetime: `exp - iat`, or `exp` minus the current time for a token without `iat`.
    pub longest: SignedDuration,
    /// The required claim and its value.
    pub required: Option<RequiredClaim>,
}

/// A claim and its required value, written `token_use=access`. In a list, or in a text separated by
/// spaces as in OAuth, one entry must equal the value.
///
/// Source: Amazon Cognito developer guide, "Understanding the access token": `token_use` is `access`;
/// RFC 9068, section 2.2.3: `scope`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredClaim {
    name: String,
    value: String,
}

/// A text that is not a claim with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAClaim;

impl fmt::Display for NotAClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TOKEN_USE is not written <claim>=<value> without spaces, such as token_use=access")
    }
}

impl std::error::Error for NotAClaim {}

impl Default for TokenRules {
    fn default() -> TokenRules {
        TokenRules { longest: DEFAULT_LIFETIME, required: None }
    }
}

impl FromStr for RequiredClaim {
    type Err = NotAClaim;

    fn from_str(text: &str) -> Result<RequiredClaim, NotAClaim> {
        let (name, value) = text.split_once('=').ok_or(NotAClaim)?;
        if name.is_empty() || value.is_empty() || text.contains(char::is_whitespace) {
            return Err(NotAClaim);
        }
        Ok(RequiredClaim { name: name.to_owned(), value: value.to_owned() })
    }
}

impl TokenRules {
    /// Checks the claims of a verified token. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// A sentence for the caller. It names claims but quotes no values.
    pub(crate) fn check(&self, claims: &Map<String, Value>, now: f64) -> Result<(), String> {
        let seconds = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|number| number.is_finite()) {
                Some(number) => Ok(Some(number)),
                None => Err(format!("the claim {name} of the token is no time")),
            },
        };
        let (expires, issued, begins) = (seconds("exp")?, seconds("iat")?, seconds("nbf")?);
        let expires = expires.filter(|expires| *expires > now);
        let Some(expires) = expires.filter(|_| begins.is_none_or(|begins| begins <= now)) else {
            return Err("the token has run out, or is not valid yet".to_owned());
        };
        if issued.is_some_and(|issued| issued > now + CLOCK_SKEW_SECONDS) {
            return Err("the token says that it is issued in the future".to_owned());
        }
        // A token without `iat` counts as issued now, so it cannot live longer than the limit.
        let lifetime = expires - issued.map_or(now, |issued| issued.min(now));
        if lifetime > self.longest.as_secs_f64() {
            let most = self.longest.as_secs();
            return Err(format!("the token lives longer than {most} s; ask the issuer for a shorter one"));
        }
        match &self.required {
            Some(required) if !required.is_met(claims) => {
                Err(format!("the token is not for this use: its claim {} has another value", required.name))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl RequiredClaim {
    fn is_met(&self, claims: &Map<String, Value>) -> bool {
        match claims.get(&self.name) {
            Some(Value::String(text)) => text.split(' ').any(|part| part == self.value),
            Some(Value::Array(all)) => all.iter().any(|value| value == self.value.as_str()),
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_795_000_000;
    const DAY: i64 = 86_400;

    #[test]
    fn token_that_lives_longer_than_the_limit_is_refused() {
        let rules = TokenRules::default();
        check(&rules, json!({ "iat": NOW - 10, "exp": NOW - 10 + DAY }), true);
        check(&rules, json!({ "iat": NOW - 10, "exp": NOW - 9 + DAY }), false);
        check(&rules, json!({ "exp": NOW + DAY }), true);
        check(&rules, json!({ "exp": NOW + DAY + 1 }), false);
        check(&rules, json!({ "exp": 1e300 }), false);
        check(&rules, json!({ "iat": NOW, "exp": 1e300 }), false);
        let short = TokenRules { longest: SignedDuration::from_secs(300), required: None };
        check(&short, json!({ "iat": NOW, "exp": NOW + 300 }), true);
        check(&short, json!({ "iat": NOW, "exp": NOW + 301 }), false);
        // An old token has a short remaining time but a long lifetime.
        check(&short, json!({ "iat": NOW - DAY, "exp": NOW + 10 }), false);
    }

    #[test]
    fn issue_time_cannot_be_used_to_lengthen_a_lifetime() {
        let rules = TokenRules::default();
        check(&rules, json!({ "iat": NOW + 30, "exp": NOW + DAY }), true);
        check(&rules, json!({ "iat": NOW + 30, "exp": NOW + 30 + DAY }), false);
        check(&rules, json!({ "iat": NOW + DAY, "exp": NOW + 2 * DAY }), false);
    }

    #[test]
    fn times_of_another_kind_are_refused() {
        let rules = TokenRules::default();
        for claims in [
            json!({}),
            json!({ "exp": NOW }),
            json!({ "exp": "tomorrow" }),
            json!({ "exp": null }),
            json!({ "exp": true }),
            json!({ "exp": NOW + 60, "iat": "today" }),
            json!({ "exp": NOW + 60, "nbf": [] }),
            json!({ "exp": NOW + 60, "nbf": NOW + 1 }),
        ] {
            check(&rules, claims, false);
        }
    }

    #[test]
    fn token_issued_for_another_use_is_refused() {
        let rules =
            TokenRules { required: Some("token_use=access".parse().unwrap()), ..TokenRules::default() };
        let with = |value: Value| json!({ "exp": NOW + 60, "token_use": value });
        check(&rules, with(json!("access")), true);
        check(&rules, with(json!("openid access")), true);
        check(&rules, with(json!(["access"])), true);
        for other in [json!("id"), json!("accessible"), json!(["id"]), json!(true), Value::Null] {
            check(&rules, with(other), false);
        }
        check(&rules, json!({ "exp": NOW + 60 }), false);
    }

    #[test]
    fn required_claim_is_written_with_its_value() {
        assert!("scope=carillon/api".parse::<RequiredClaim>().is_ok());
        for wrong in ["", "scope", "=x", "scope=", "scope=a b", "sc ope=a"] {
            assert_eq!(wrong.parse::<RequiredClaim>(), Err(NotAClaim), "{wrong}");
        }
    }

    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is what the line before says, not something to lend"
    )]
    fn check(rules: &TokenRules, claims: Value, is_good: bool) {
        #[expect(clippy::cast_precision_loss, reason = "the seconds of 2026 fit a float")]
        let found = rules.check(claims.as_object().unwrap(), NOW as f64);
        assert_eq!(found.is_ok(), is_good, "{claims} {found:?}");
    }
}
