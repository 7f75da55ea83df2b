//! Removal of unsafe links from the data of in-app messages: links that would run code in a browser.

pub(crate) use carillon_event::reading::is_scheme;

use serde_json::Value;
use serde_json::value::RawValue;

/// Endings of member names whose values are links, in lower case.
const NAMES: [&str; 5] = ["url", "uri", "href", "link", "src"];

/// Schemes that run code in a page. A text with such a scheme counts as a link under any member name.
const RUNS_CODE: [&str; 2] = ["javascript", "vbscript"];

/// Data whose links are safe for a page.
pub struct Links {
    /// The data without the dropped members. `None` if the data stays unchanged.
    pub data: Option<Box<RawValue>>,
    /// Number of dropped values.
    pub dropped: usize,
}

/// Removes every link of `data` that is neither relative nor has the scheme `http` or `https`. Links are the values
/// of members whose name says so, such as `url` and `imageUrl`, and all texts with a scheme that runs code. A member
/// is dropped. An element of a list becomes `null`, so that the others keep their positions.
#[must_use]
pub fn safe_links(data: &RawValue) -> Links {
    let unchanged = Links { data: None, dropped: 0 };
    // The data of a job has been parsed before.
    let Ok(mut value) = serde_json::from_str::<Value>(data.get()) else { return unchanged };
    let dropped = clean(&mut value, false);
    if dropped == 0 {
        return unchanged;
    }
    Links { data: serde_json::value::to_raw_value(&value).ok(), dropped }
}

/// Whether a page may use this text as a link: it has no scheme, or the scheme `http` or `https`.
#[must_use]
pub fn is_safe_link(text: &str) -> bool {
    scheme(text).is_none_or(|scheme| scheme == "http" || scheme == "https")
}

/// Removes unsafe links and counts them. `names_link` says whether the member's name marks its value as a link.
fn clean(value: &mut Value, names_link: bool) -> usize {
    match value {
        Value::Object(members) => {
            let mut dropped = 0;
            members.retain(|name, value| {
                let names_link = is_name_of_link(name);
                if is_unsafe(value, names_link) {
                    dropped += 1;
                    return false;
                }
                dropped += clean(value, names_link);
                true
            });
            dropped
        }
        Value::Array(elements) => elements
            .iter_mut()
            .map(|element| {
                if is_unsafe(element, names_link) {
                    *element = Value::Null;
                    return 1;
                }
                clean(element, names_link)
            })
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn is_unsafe(value: &Value, names_link: bool) -> bool {
    let Value::String(text) = value else { return false };
    match scheme(text) {
        None => false,
        Some(scheme) if names_link => scheme != "http" && scheme != "https",
        Some(scheme) => RUNS_CODE.contains(&scheme.as_str()),
    }
}

fn is_name_of_link(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `urls` and `links` are lists of links.
    let name = name.strip_suffix('s').unwrap_or(&name);
    NAMES.iter().any(|ending| name.ends_with(ending))
}

/// The scheme as a browser reads it, in lower case. Browsers ignore leading control characters and spaces, and tabs
/// and line breaks anywhere.
///
/// Source: WHATWG URL Standard, "basic URL parser" and its scheme state.
fn scheme(text: &str) -> Option<String> {
    let seen = text.trim_start_matches(|c: char| c <= ' ');
    let seen: String = seen.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).take(64).collect();
    let (scheme, _) = seen.split_once(':')?;
    is_scheme(scheme).then(|| scheme.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn link_that_runs_code_is_dropped() {
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " \u{1}javascript:alert(1)",
            "java\nscript:alert(1)",
            "vbscript:x",
            "data:text/html,<script>",
            "file:///etc/passwd",
            "blob:https://a/b",
            "intent://x",
        ] {
            check(json!({ "url": url, "n": 1 }), Some(json!({ "n": 1 })), 1);
        }
    }

    #[test]
    fn http_and_relative_links_are_kept() {
        for url in
            ["https://a.example/x?y=a:b", "HTTP://a", "/queue/7", "queue/7:8", "?a=b", "#top", "", "//a/b"]
        {
            assert!(is_safe_link(url), "{url}");
            check(json!({ "url": url, "imageUrl": url, "links": [url] }), None, 0);
        }
    }

    #[test]
    fn links_are_found_at_any_depth() {
        check(
            json!({ "items": [{ "avatarUrl": "javascript:1", "name": "Ann" }], "links": ["/a", "data:x"] }),
            Some(json!({ "items": [{ "name": "Ann" }], "links": ["/a", null] })),
            2,
        );
        check(json!({ "next": "javascript:1" }), Some(json!({})), 1);
    }

    #[test]
    fn text_with_a_colon_is_not_a_link() {
        check(json!({ "note": "Reminder: bring the papers", "data": "Data: 5", "curl": 7 }), None, 0);
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "the test passes temporary values")]
    fn check(data: Value, expected: Option<Value>, dropped: usize) {
        let links = safe_links(&serde_json::value::to_raw_value(&data).unwrap());
        let found = links.data.map(|data| serde_json::from_str::<Value>(data.get()).unwrap());
        assert_eq!((found, links.dropped), (expected, dropped), "{data}");
    }
}
