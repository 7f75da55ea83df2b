//! Keys of DynamoDB that join several parts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// DynamoDB's limits for a partition key and for a sort key, in bytes.
const MAX_KEY_BYTES: usize = 2048;
const MAX_SORT_KEY_BYTES: usize = 1024;

/// A partition key that joins several parts with `#`. A `#` within a part is escaped, so different lists of parts
/// give different keys. If the key is too long, its longest parts are replaced by their hashes.
#[must_use]
pub fn key(parts: &[&str]) -> String {
    joined(parts, MAX_KEY_BYTES)
}

/// A sort key in the same format. Also for a partition key that is used as a sort key.
#[must_use]
pub fn sort_key(parts: &[&str]) -> String {
    joined(parts, MAX_SORT_KEY_BYTES)
}

fn joined(parts: &[&str], most: usize) -> String {
    let mut written: Vec<String> =
        parts.iter().map(|part| part.replace('%', "%25").replace('#', "%23")).collect();
    while written.iter().map(|part| part.len() + 1).sum::<usize>() > most + 1 {
        let longest = (0..parts.len())
            .max_by_key(|index| written[*index].len())
            .filter(|index| written[*index].len() > 45);
        let Some(index) = longest else { break };
        // An escaped part never has an `h` after its `%`.
        written[index] = format!("%h{}", URL_SAFE_NO_PAD.encode(Sha256::digest(parts[index].as_bytes())));
    }
    written.join("#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_parts_give_different_keys() {
        assert_eq!(key(&["user", "ann"]), "user#ann");
        assert_ne!(key(&["event", "a#b", "c"]), key(&["event", "a", "b#c"]));
        assert_ne!(key(&["a%23b"]), key(&["a#b"]));
        assert_ne!(key(&["stream", "-", "x"]), key(&["stream", "-#x"]));
    }

    #[test]
    fn long_keys_are_hashed_and_stay_distinct() {
        let long = |letter: &str| letter.repeat(1_500);
        assert_eq!(
            key(&["topic", "-", &long("a")]).len(),
            8 + 1_500,
            "a key within the limit stays unchanged"
        );
        assert_eq!(sort_key(&["user", &"#".repeat(256)]).len(), 5 + 768);
        let (a, b) = (long("a"), long("b"));
        let keys = [
            key(&["topic", &a, &b]),
            key(&["topic", &b, &a]),
            key(&["topic", &a, &a]),
            sort_key(&["user", &a]),
            sort_key(&["user", &b]),
            sort_key(&["user", &a, &b, &"c".repeat(900)]),
        ];
        for (index, key_text) in keys.iter().enumerate() {
            assert!(key_text.len() <= if index < 3 { 2048 } else { 1024 }, "{}", key_text.len());
            assert!(!keys[..index].contains(key_text));
        }
        let hashed = sort_key(&["user", &a]);
        assert_ne!(
            hashed,
            sort_key(&["user", hashed.trim_start_matches("user#")]),
            "no part collides with a hashed part"
        );
    }
}
