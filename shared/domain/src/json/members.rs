//! Objects as text, with some of their members left out.

use super::Scanner;

/// An object without the members whose names `drops` names; every other byte stays as written, down to the space
/// around what is kept. A text that is not an object stays as it is.
pub(crate) fn without_members(json: &str, drops: impl Fn(&str) -> bool) -> String {
    let Some(members) = places(json, drops) else { return json.to_owned() };
    let (Some(first), Some(last)) = (members.first(), members.last()) else { return json.to_owned() };
    let mut text = String::with_capacity(json.len());
    text.push_str(&json[..first.start]);
    let mut is_first = true;
    for (at, member) in members.iter().enumerate().filter(|(_, it)| !it.is_dropped) {
        if !is_first && let Some(before) = at.checked_sub(1).and_then(|difference| members.get(difference)) {
            text.push_str(&json[before.end..member.start]);
        }
        text.push_str(&json[member.start..member.end]);
        is_first = false;
    }
    text.push_str(&json[last.end..]);
    text
}

/// Where a member begins and ends.
struct Member {
    start: usize,
    end: usize,
    is_dropped: bool,
}

fn places(json: &str, drops: impl Fn(&str) -> bool) -> Option<Vec<Member>> {
    let mut scanner = Scanner::new(json);
    let mut members = Vec::new();
    scanner.members(|it, name| {
        let is_dropped = drops(&name.text()?);
        it.pass()?;
        members.push(Member { start: name.start, end: it.at, is_dropped });
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
            assert_eq!(without_members(text, |it| it == "x"), expected);
        }
    }
}
