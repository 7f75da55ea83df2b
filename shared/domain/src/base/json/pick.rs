//! Values cut out of JSON text in their original spelling: the order of members and the digits of numbers stay as
//! written.

use super::{Raw, Scanner};

/// The value at these member names in a JSON text, without whitespace between its tokens. A list along the path or at
/// its end yields a list. `None` if the value is missing or `null`.
///
/// [`crate::base::path::Path::pick`] finds the same values in a JSON tree.
pub(crate) fn pick(json: &str, steps: &[String]) -> Option<String> {
    let Some((step, rest)) = steps.split_first() else {
        let text = json.trim_matches([' ', '\n', '\t', '\r']);
        return (text != "null").then(|| compact(text));
    };
    let mut scanner = Scanner::new(json);
    match scanner.peek()? {
        b'{' => {
            // Of several members with one name, the last one counts, as in all common parsers.
            let mut found: Option<Raw<'_>> = None;
            scanner.members(|inner, name| {
                let is_wanted = name.text()? == step.as_str();
                let value = inner.value()?;
                if is_wanted {
                    found = Some(value);
                }
                Some(())
            })?;
            pick(found?.get(), rest)
        }
        b'[' => {
            let mut list = Vec::new();
            scanner.elements(|inner| {
                list.extend(pick(inner.value()?.get(), steps));
                Some(())
            })?;
            Some(format!("[{}]", list.join(",")))
        }
        _ => None,
    }
}

/// JSON text without whitespace between its tokens.
fn compact(json: &str) -> String {
    let (mut is_quoted, mut is_escaped) = (false, false);
    json.chars()
        .filter(|character| {
            if is_quoted {
                is_quoted = is_escaped || *character != '"';
                is_escaped = !is_escaped && *character == '\\';
                return true;
            }
            is_quoted = *character == '"';
            !matches!(character, ' ' | '\n' | '\t' | '\r')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::path::Path;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn value_keeps_the_producers_spelling() {
        let json = r#"{ "z": 1.50, "a": { "y" : [1e2, "a b\" c" ] , "b": null }, "n": 123456789012345678901234567890,
            "list": [{ "id": 2 }, { "x": 3 }, { "id": null }, { "id": "\u00e9" }], "dup": 1, "dup": 2, "none": null }"#;
        for (path, expected) in [
            ("$.z", Some("1.50")),
            ("$.a", Some(r#"{"y":[1e2,"a b\" c"],"b":null}"#)),
            ("$.a.y", Some(r#"[1e2,"a b\" c"]"#)),
            ("$.n", Some("123456789012345678901234567890")),
            ("$.list.id", Some(r#"[2,"\u00e9"]"#)),
            ("$.list.gone", Some("[]")),
            ("$.dup", Some("2")),
            ("$.none", None),
            ("$.a.b", None),
            ("$.gone", None),
            ("$.z.deeper", None),
        ] {
            let path = Path::parse(path).unwrap();
            assert_eq!(pick(json, path.steps_in(&Value::Null)).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn invalid_json_has_no_value() {
        for json in ["", "{", "{\"a\":", "[1,", "{\"a\" 1}"] {
            assert_eq!(pick(json, &["a".to_owned()]), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn text_and_tree_have_the_same_values(json in json(), steps in proptest::collection::vec("[ab]", 0..4)) {
            let tree: Value = serde_json::from_str(&json).unwrap();
            let text = format!("$.{}", steps.join("."));
            if let Ok(path) = Path::parse(&text) {
                let found = pick(&json, path.steps_in(&tree)).map(|text| serde_json::from_str::<Value>(&text).unwrap());
                prop_assert_eq!(found, path.pick(&tree));
            }
        }
    }

    /// JSON with few member names, so that random paths often match.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?",
            "[a \\]\\[{},:]{0,6}".prop_map(|text| format!("\"{text}\"")),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let members = proptest::collection::vec(("[abc]", inner.clone()), 0..4).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!(" \"{name}\" : {value}\n")).collect();
                format!("{{{}}}", members.join(","))
            });
            let elements = proptest::collection::vec(inner, 0..4)
                .prop_map(|elements| format!("[{} ]", elements.join(" ,")));
            prop_oneof![members, elements]
        })
    }
}
