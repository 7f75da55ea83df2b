//! The marking request of a client, shared by the WebSocket and the HTTP API.

use serde::Deserialize;

use super::Mark;
use crate::event::key::Key;

/// The highest number of notifications in one request.
const MAX_IDS: usize = 100;

/// The longest category name in a request, in bytes.
const MAX_CATEGORY_BYTES: usize = 256;

/// A mark and the entries it applies to.
#[derive(Debug, PartialEq, Eq)]
pub enum Marking {
    These { mark: Mark, keys: Vec<Key> },
    All { mark: Mark, category: Option<String> },
}

impl Marking {
    /// Parses `{"as": …, "ids": […]}` or `{"as": …, "all": true, "category": …}`; other members are ignored. `None` if
    /// the request is invalid, or has both `ids` and `all`.
    #[must_use]
    pub fn read(text: &str) -> Option<Marking> {
        #[derive(Deserialize)]
        struct Request {
            #[serde(rename = "as")]
            mark: Mark,
            ids: Option<Vec<String>>,
            #[serde(default)]
            all: bool,
            category: Option<String>,
        }
        let Request { mark, ids, all, category } = serde_json::from_str(text).ok()?;
        match (ids, all) {
            (Some(ids), false) if category.is_none() => Some(Marking::These { mark, keys: keys(&ids)? }),
            (None, true) if is_category(category.as_deref()) => Some(Marking::All { mark, category }),
            (Some(_), _) | (None, _) => None,
        }
    }
}

/// Whether this is a valid category filter. `None` is valid.
#[must_use]
pub fn is_category(category: Option<&str>) -> bool {
    category.is_none_or(|name| !name.is_empty() && name.len() <= MAX_CATEGORY_BYTES)
}

/// Parses notification keys and removes duplicates. `None` if the list is empty or too long, or has an invalid id.
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
    fn request_names_ids_or_all_but_not_both() {
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
