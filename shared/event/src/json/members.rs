//! Removal of members from JSON objects, as text.

use super::Scanner;

/// The object without the members whose names `drops` accepts. All other bytes stay as written, including whitespace
/// around the remaining members. A text that is not an object stays unchanged.
pub fn without_members(json: &str, drops: impl Fn(&str) -> bool) -> String {
    let Some(members) = member_ranges(json, drops) else { return json.to_owned() };
    let (Some(first), Some(last)) = (members.first(), members.last()) else { return json.to_owned() };
    let mut text = String::with_capacity(json.len());
    text.push_str(&json[..first.start]);
    let mut is_first = true;
    for (index, member) in members.iter().enumerate().filter(|(_, member)| !member.is_dropped) {
        if !is_first && let Some(before) = index.checked_sub(1).and_then(|previous| members.get(previous)) {
            text.push_str(&json[before.end..member.start]);
        }
        text.push_str(&json[member.start..member.end]);
        is_first = false;
    }
    text.push_str(&json[last.end..]);
    text
}

/// The start and end of a member.
struct Member {
    start: usize,
    end: usize,
    is_dropped: bool,
}

fn member_ranges(json: &str, drops: impl Fn(&str) -> bool) -> Option<Vec<Member>> {
    let mut scanner = Scanner::new(json);
    let mut members = Vec::new();
    scanner.members(|inner, name| {
        let is_dropped = drops(&name.text()?);
        inner.pass()?;
        members.push(Member { start: name.start, end: inner.at, is_dropped });
        Some(())
    })?;
    scanner.is_at_end().then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_dropped_and_the_rest_stays_byte_for_byte() {
        for (text, expected) in [
            (r#"{"a": 1, "x": 2, "b": 3.50}"#, r#"{"a": 1, "b": 3.50}"#),
            (r#"{"x":2,"a":1}"#, r#"{"a":1}"#),
            (r#"{ "a" : 1 , "x" : [2] }"#, r#"{ "a" : 1 }"#),
            (r#"{"x":1,"x":2}"#, "{}"),
            (r#"{"a":{"x":1}}"#, r#"{"a":{"x":1}}"#),
            ("{}", "{}"),
            ("[1]", "[1]"),
            ("{\"x\":1", "{\"x\":1"),
        ] {
            assert_eq!(without_members(text, |name| name == "x"), expected);
        }
    }
}
