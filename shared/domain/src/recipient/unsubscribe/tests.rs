use jiff::Timestamp;
use proptest::prelude::*;

use super::{BadKeys, Claim, Forged, Keys, LIFE, Scope};

const OLD: &str = "an-old-secret-of-at-least-32-bytes-";
const NEW: &str = "a-new-secret-of-at-least-32-bytes--";

#[test]
fn link_is_valid_for_a_year() {
    let (keys, claim) = (keys(&[("k1", OLD)], "k1"), claim());
    let token = keys.seal(&claim);
    assert!(
        token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'),
        "{token}"
    );
    assert_eq!(keys.verify(&token, claim.issued), Ok(claim.clone()));
    assert_eq!(keys.verify(&token, claim.issued + LIFE), Ok(claim.clone()));
    assert_eq!(keys.verify(&token, claim.issued + LIFE + jiff::SignedDuration::from_secs(1)), Err(Forged));
    assert_eq!(keys.verify(&token, claim.issued - LIFE), Err(Forged), "from the future");
}

#[test]
fn retired_key_still_reads_and_removed_key_does_not() {
    let before = keys(&[("k1", OLD)], "k1");
    let during = keys(&[("k1", OLD), ("k2", NEW)], "k2");
    let after = keys(&[("k2", NEW)], "k2");
    let (old, new) = (before.seal(&claim()), during.seal(&claim()));
    assert!(during.verify(&old, now()).is_ok() && during.verify(&new, now()).is_ok());
    assert!(after.verify(&new, now()).is_ok());
    assert_eq!(after.verify(&old, now()), Err(Forged));
    assert_eq!(
        keys(&[("k1", NEW)], "k1").verify(&old, now()),
        Err(Forged),
        "another secret of the same name"
    );
}

#[test]
fn invalid_keys_are_named_and_not_quoted() {
    let bad = |text: &str, signing: &str| Keys::read(text, signing).err();
    assert_eq!(bad("secret", "k1"), Some(BadKeys::NotAnObject));
    assert_eq!(bad(r#"{"k1":"short"}"#, "k1"), Some(BadKeys::Short("k1".to_owned())));
    assert_eq!(bad(&format!(r#"{{"":"{OLD}"}}"#), "k1"), Some(BadKeys::Name));
    assert_eq!(bad(&format!(r#"{{"k1":"{OLD}"}}"#), "k2"), Some(BadKeys::NoSigning("k2".to_owned())));
}

#[test]
fn missing_tenant_differs_from_every_tenant() {
    let keys = keys(&[("k1", OLD)], "k1");
    for tenant in [None, Some(""), Some("-"), Some("="), Some("clinic-7")] {
        let claim = Claim { tenant: tenant.map(str::to_owned), ..claim() };
        assert_eq!(keys.verify(&keys.seal(&claim), now()), Ok(claim));
    }
}

/// A token made by release 0.1, and by Python's `hmac` over the bytes that `token` describes.
#[test]
fn token_of_the_last_release_is_valid_for_a_year() {
    let expected = Claim { sender: None, ..claim() };
    let keys = keys(&[("k2", NEW), ("k1", OLD)], "k2");
    assert_eq!(keys.verify(SIGNED, now()), Ok(expected.clone()));
    assert_eq!(keys.verify(SIGNED, now() + LIFE), Ok(expected));
    assert_eq!(keys.verify(SIGNED, now() + LIFE + jiff::SignedDuration::from_secs(1)), Err(Forged));
}

const SIGNED: &str = "AQACazEACT1jbGluaWMtNwADYW5uAA1jYXRlZ29yeTpuZXdzACtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2trAAAAAGsANkDvZLiYLslY9Ek2hGf5e5sF3k7oLIrnS0IaU-wOmZ0U-w";

#[test]
fn token_reveals_no_content() {
    use base64::Engine as _;
    let token = keys(&[("k1", OLD)], "k1").seal(&claim());
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token).unwrap();
    for part in ["clinic-7", "ann", "category", "news", "k1", "kkkk", "Westend"] {
        let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
        assert!(!found && !token.contains(part), "{part}");
    }
}

#[test]
fn equal_claims_have_equal_tokens_and_others_differ_in_nonce() {
    let keys = keys(&[("k1", OLD)], "k1");
    assert_eq!(keys.seal(&claim()), keys.seal(&claim()));
    let other = Claim { recipient: "ben".to_owned(), ..claim() };
    assert_ne!(keys.seal(&claim())[..17], keys.seal(&other)[..17]);
}

proptest! {
    #[test]
    fn changed_character_invalidates_a_link(index in 0_usize..200, to in "[A-Za-z0-9_-]") {
        let keys = keys(&[("k1", OLD)], "k1");
        let token = keys.seal(&claim());
        let index = index % token.len();
        let forged = format!("{}{to}{}", &token[..index], &token[index + 1..]);
        prop_assert_eq!(keys.verify(&forged, now()).is_ok(), forged == token);
    }

    #[test]
    fn random_text_is_not_a_link(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        use base64::Engine as _;
        let keys = keys(&[("k1", OLD)], "k1");
        prop_assert_eq!(keys.verify(&text, now()), Err(Forged));
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        prop_assert_eq!(keys.verify(&encoded, now()), Err(Forged));
    }

    #[test]
    fn claims_round_trip(
        tenant in proptest::option::of(".{0,40}"), recipient in ".{1,80}", category in ".{1,40}",
        commercial: bool, message in "[A-Za-z0-9_-]{43}", second in 0_i64..4_000_000_000,
        sender in proptest::option::of(".{0,40}"),
    ) {
        let keys = keys(&[("k1", OLD)], "k1");
        let scope = if commercial { Scope::Commercial } else { Scope::Category(category) };
        let issued = Timestamp::from_second(second).unwrap();
        let claim = Claim { tenant, recipient, scope, message, issued, sender };
        prop_assert_eq!(keys.verify(&keys.seal(&claim), issued), Ok(claim));
    }
}

fn keys(all: &[(&str, &str)], signing: &str) -> Keys {
    let all: std::collections::BTreeMap<_, _> = all.iter().copied().collect();
    let Ok(keys) = Keys::read(&serde_json::to_string(&all).unwrap(), signing) else { panic!("good keys") };
    keys
}

fn claim() -> Claim {
    Claim {
        tenant: Some("clinic-7".to_owned()),
        recipient: "ann".to_owned(),
        scope: Scope::Category("news".to_owned()),
        message: "k".repeat(43),
        issued: now(),
        sender: Some("Westend".to_owned()),
    }
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}
