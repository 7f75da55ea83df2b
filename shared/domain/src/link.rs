//! Links in the data that a live message brings to browsers: a link that would run code there is taken out.

use serde_json::Value;
use serde_json::value::RawValue;

/// What the name of a member ends with, in lower case, where its value is a link.
const NAMES: [&str; 5] = ["url", "uri", "href", "link", "src"];

/// The schemes that run code in a page. Text that begins so is a link whatever its member is called.
const RUNS_CODE: [&str; 2] = ["javascript", "vbscript"];

/// Data whose links a page may follow.
pub struct Links {
    /// The data without the members that were dropped. `None` when all of it may stay as it is.
    pub data: Option<Box<RawValue>>,
    /// How many values were dropped.
    pub dropped: usize,
}

/// Takes out of `data` every link that is neither relative nor of `http` or `https`. Links are the values of members
/// whose name says so, such as `url` and `imageUrl`, and every text that begins with a scheme that runs code. A member
/// is dropped; an element of a list becomes `null`, so that the others keep their places.
#[must_use]
pub fn safe_links(data: &RawValue) -> Links {
    let unchanged = Links { data: None, dropped: 0 };
    // The data of a job is JSON that was read before.
    let Ok(mut value) = serde_json::from_str::<Value>(data.get()) else { return unchanged };
    let dropped = clean(&mut value, false);
    if dropped == 0 {
        return unchanged;
    }
    Links { data: serde_json::value::to_raw_value(&value).ok(), dropped }
}

/// Whether a page may offer this text as a link: it has no scheme, or the scheme `http` or `https`.
#[must_use]
pub fn is_safe_link(text: &str) -> bool {
    scheme(text).is_none_or(|scheme| scheme == "http" || scheme == "https")
}

/// `names_link`: the member that holds the value is called like a link.
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
    // `urls` and `links` are lists of them.
    let name = name.strip_suffix('s').unwrap_or(&name);
    NAMES.iter().any(|it| name.ends_with(it))
}

/// The scheme that a browser sees, in lower case: it leaves out control characters and spaces in front, and tabs and
/// line breaks everywhere.
///
/// Source: WHATWG URL Standard, "basic URL parser" and its scheme state.
fn scheme(text: &str) -> Option<String> {
    let seen = text.trim_start_matches(|text: char| text <= ' ');
    let seen: String = seen.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).take(64).collect();
    let (scheme, _) = seen.split_once(':')?;
    let is_scheme = scheme.starts_with(|scheme: char| scheme.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| scheme.to_ascii_lowercase())
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
    fn http_and_relative_links_stay_as_they_were_written() {
        for url in
            ["https://a.example/x?y=a:b", "HTTP://a", "/queue/7", "queue/7:8", "?a=b", "#top", "", "//a/b"]
        {
            assert!(is_safe_link(url), "{url}");
            check(json!({ "url": url, "imageUrl": url, "links": [url] }), None, 0);
        }
    }

    #[test]
    fn links_are_found_in_every_depth_and_under_every_name() {
        check(
            json!({ "items": [{ "avatarUrl": "javascript:1", "name": "Ann" }], "links": ["/a", "data:x"] }),
            Some(json!({ "items": [{ "name": "Ann" }], "links": ["/a", null] })),
            2,
        );
        check(json!({ "next": "javascript:1" }), Some(json!({})), 1);
    }

    #[test]
    fn text_with_a_colon_is_no_link() {
        check(json!({ "note": "Reminder: bring the papers", "data": "Data: 5", "curl": 7 }), None, 0);
    }

    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is what the line before says, not something to lend"
    )]
    fn check(data: Value, expected: Option<Value>, dropped: usize) {
        let links = safe_links(&serde_json::value::to_raw_value(&data).unwrap());
        let found = links.data.map(|data| serde_json::from_str::<Value>(data.get()).unwrap());
        assert_eq!((found, links.dropped), (expected, dropped), "{data}");
    }
}
