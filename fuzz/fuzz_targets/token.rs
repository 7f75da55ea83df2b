//! Tokens of unsubscribe links. No text verifies that this key did not seal, and a sealed claim is read unchanged.
#![no_main]

use domain::Timestamp;
use domain::recipient::unsubscribe::Scope;
use domain::recipient::unsubscribe::{Claim, Keys};
use libfuzzer_sys::fuzz_target;

const SECRETS: &str =
    r#"{"a":"0123456789abcdef0123456789abcdef","b":"fedcba9876543210fedcba9876543210"}"#;

/// 2026-11-20T12:00:00Z.
const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

fuzz_target!(|text: &str| {
    let keys = Keys::read(SECRETS, "a").expect("the secrets are long enough");
    assert!(keys.verify(text, NOON).is_err(), "a forged token verifies");
    let _ = Keys::read(text, "a");
    let mut parts = text.split('\n').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let scope = Scope::try_from(next()).unwrap_or(Scope::Commercial);
    let (recipient, message) = (next(), next());
    // A part is at most as long as an id may be.
    if recipient.is_empty() || recipient.len() > 256 || message.len() > 256 || scope.to_string().len() > 256 {
        return;
    }
    let optional = |text: String| (!text.is_empty() && text.len() <= 256).then_some(text);
    let (tenant, sender) = (optional(next()), optional(next()));
    let claim = Claim { tenant, recipient, scope, message, issued: NOON, sender };
    let token = keys.seal(&claim);
    if token.len() <= 2_048 {
        assert_eq!(keys.verify(&token, NOON), Ok(claim));
    }
});
