//! Pagination: `?limit=`, and `?next=` with the cursor of the previous page.
//!
//! A cursor is opaque. It names a position in one list of one tenant, and is refused for any other list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::caller::Scope;
use crate::problem::Problem;
use crate::request::Request;

/// The default and the largest page size.
const DEFAULT: u32 = 50;
pub(crate) const MOST: u32 = 200;

/// The longest accepted cursor, in bytes, and the longest position in it. No sort key is longer.
const MAX_BYTES: usize = 4 * 1024;
const MAX_PLACE_BYTES: usize = 1024;

/// A requested page.
pub(crate) struct Page {
    pub(crate) limit: u32,
    /// The last entry of the previous page.
    pub(crate) after: Option<String>,
    /// The list and the tenant.
    list: String,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: String,
    after: String,
}

impl Page {
    /// Reads the page of a request. `list` names the list, in parts.
    ///
    /// # Errors
    /// 400: the limit is malformed, or the cursor belongs to another list.
    pub(crate) fn of(request: &Request, scope: &Scope, list: &[&str]) -> Result<Page, Problem> {
        let limit = match request.query("limit") {
            None => DEFAULT,
            Some(query) => {
                query.parse().ok().filter(|parsed| (1..=MOST).contains(parsed)).ok_or_else(|| {
                    Problem::new(400, "bad_limit", format!("limit: wanted a whole number from 1 to {MOST}"))
                })?
            }
        };
        let list = name(scope, list);
        let after = match request.query("next") {
            None => None,
            Some(query) => match read(query) {
                Some(cursor) if cursor.list == list => Some(cursor.after),
                Some(_) | None => return Err(Problem::bad_cursor()),
            },
        };
        Ok(Page { limit, after, list })
    }

    /// The cursor of the next page, which starts after the entry `last`.
    pub(crate) fn next(&self, last: Option<String>) -> Option<String> {
        let cursor = Cursor { list: self.list.clone(), after: last? };
        Some(URL_SAFE_NO_PAD.encode(serde_json::to_string(&cursor).expect("two texts always serialize")))
    }
}

fn read(text: &str) -> Option<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= MAX_BYTES)?).ok()?;
    let cursor: Cursor = serde_json::from_slice(&bytes).ok()?;
    (1..=MAX_PLACE_BYTES).contains(&cursor.after.len()).then_some(cursor)
}

fn name(scope: &Scope, list: &[&str]) -> String {
    let mut hash = Sha256::new();
    let whose = [if scope.tenant().is_some() { "tenant" } else { "all" }, scope.tenant().unwrap_or_default()];
    for part in whose.iter().chain(list) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::read as request;
    use serde_json::{Value, json};

    #[test]
    fn a_cursor_leads_on_in_its_own_list_and_nowhere_else() {
        let ours = Scope::Tenant("clinic-7".into());
        let first = page(&ours, &["topic", "x:1"], &json!({ "limit": "7" })).unwrap();
        assert_eq!((first.limit, &first.after), (7, &None));
        let next = json!({ "next": first.next(Some("ann".into())).unwrap() });
        let second = page(&ours, &["topic", "x:1"], &next).unwrap();
        assert_eq!((second.limit, second.after.as_deref()), (50, Some("ann")));
        for (scope, list) in [
            (Scope::Tenant("clinic-8".into()), &["topic", "x:1"]),
            (Scope::All, &["topic", "x:1"]),
            (ours.clone(), &["topic", "x:2"]),
        ] {
            assert_eq!(page(&scope, list, &next).err().unwrap().kind, "bad_cursor");
        }
        assert!(first.next(None).is_none());
    }

    #[test]
    fn garbage_is_no_cursor_and_no_limit() {
        for query in [json!({ "next": "%" }), json!({ "next": "e30" }), json!({ "next": "x".repeat(5_000) })]
        {
            assert_eq!(page(&Scope::All, &[], &query).err().unwrap().kind, "bad_cursor");
        }
        let page_of = page(&Scope::All, &[], &json!({})).unwrap();
        for place in [String::new(), "x".repeat(1_025)] {
            let query = json!({ "next": page_of.next(Some(place)).unwrap() });
            assert_eq!(page(&Scope::All, &[], &query).err().unwrap().kind, "bad_cursor");
        }
        for limit in ["0", "201", "-1", "many", "1.5"] {
            assert_eq!(page(&Scope::All, &[], &json!({ "limit": limit })).err().unwrap().kind, "bad_limit");
        }
    }

    fn page(scope: &Scope, list: &[&str], query: &Value) -> Result<Page, Problem> {
        let request = request(&json!({
            "queryStringParameters": query, "requestContext": { "http": { "method": "GET" } },
        }));
        Page::of(&request, scope, list)
    }
}
