//! What a client asks to be marked, read strictly: by the WebSocket and by the HTTP API in the same words.

use serde::Deserialize;

use super::Mark;
use crate::key::Key;

/// How many notifications one request may name.
const MAX_IDS: usize = 100;

/// The longest name of a category that is looked for, in bytes.
const MAX_CATEGORY_BYTES: usize = 256;

/// What becomes of which entries.
#[derive(Debug, PartialEq, Eq)]
pub enum Marking {
    These { mark: Mark, keys: Vec<Key> },
    All { mark: Mark, category: Option<String> },
}

impl Marking {
    /// Reads `{"as": …, "ids": […]}` or `{"as": …, "all": true, "category": …}`; other members are left alone. `None`
    /// when it cannot be told what is meant, or when some are named and all are wanted.
    #[must_use]
    pub fn read(text: &str) -> Option<Marking> {
        #[derive(Deserialize)]
        struct Asked {
            #[serde(rename = "as")]
            mark: Mark,
            ids: Option<Vec<String>>,
            #[serde(default)]
            all: bool,
            category: Option<String>,
        }
        let Asked { mark, ids, all, category } = serde_json::from_str(text).ok()?;
        match (ids, all) {
            (Some(ids), false) if category.is_none() => Some(Marking::These { mark, keys: keys(&ids)? }),
            (None, true) if is_category(category.as_deref()) => Some(Marking::All { mark, category }),
            (Some(_), _) | (None, _) => None,
        }
    }
}

/// Whether it may name a category; nothing may.
#[must_use]
pub fn is_category(it: Option<&str>) -> bool {
    it.is_none_or(|it| !it.is_empty() && it.len() <= MAX_CATEGORY_BYTES)
}

/// The notifications of a list, each once. `None` when it is empty or too long, or has an id that can be none.
#[must_use]
pub fn keys(ids: &[String]) -> Option<Vec<Key>> {
    if ids.is_empty() || ids.len() > MAX_IDS {
        return None;
    }
    let mut keys = Vec::with_capacity(ids.len());
    for id in ids {
        let key = Key::parse(id)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_marked_or_all_and_never_a_guess() {
        let id = "k".repeat(43);
        let key = Key::parse(&id).unwrap();
        let twice = format!(r#"{{"as":"read","ids":["{id}","{id}"],"action":"mark"}}"#);
        assert_eq!(Marking::read(&twice), Some(Marking::These { mark: Mark::Read, keys: vec![key] }));
        let all = Marking::All { mark: Mark::Seen, category: Some("news".to_owned()) };
        assert_eq!(Marking::read(r#"{"as":"seen","all":true,"category":"news"}"#), Some(all));
        let many = serde_json::json!({ "as": "seen", "ids": vec![id.as_str(); 101] }).to_string();
        for text in [
            r#"{"as":"seen"}"#,
            r#"{"as":"seen","ids":[]}"#,
            r#"{"as":"seen","ids":["x"]}"#,
            r#"{"as":"seen","all":true,"ids":[]}"#,
            r#"{"as":"seen","all":true,"category":""}"#,
            r#"{"as":"eaten","all":true}"#,
            "",
            &many,
        ] {
            assert_eq!(Marking::read(text), None, "{text}");
        }
    }
}
