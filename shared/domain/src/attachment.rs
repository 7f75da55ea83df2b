//! Which files a letter brings along: what a rule names, found in an event. Nobody looks into a bucket here.

use serde_json::Value;

use crate::job::Attachment;
use crate::rule::{Attach, Operand};

mod prefixes;

pub use prefixes::{BadPrefix, DEFAULT_PREFIX, Foreign, Prefixes};

/// How many files one letter may bring along.
pub const MAX_ATTACHMENTS: usize = 10;

/// The longest key of an object, in bytes.
///
/// Source: Amazon S3 User Guide, "Naming Amazon S3 objects".
const MAX_KEY_BYTES: usize = 1_024;

/// The longest name of a file, in characters. SES takes 255.
const MAX_NAME_CHARS: usize = 200;

/// The longest media type, in bytes.
const MAX_KIND_BYTES: usize = 78;

/// The event names no file that could be attached. It quotes nothing of the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{from} names no file: found {found}, wanted `s3://<bucket>/<key>` or {{ bucket, key, name, type }}")]
pub struct NoFile {
    /// The path that the rule gives.
    pub from: String,
    pub found: &'static str,
}

/// The files that a rule's letters about this event bring along, in the rule's order; a path may find several.
///
/// # Errors
/// [`NoFile`] for the first that is not optional and names nothing usable. One that is there and unusable is an error
/// also where it is optional: it was meant.
pub fn attachments(wanted: &[Attach], envelope: &Value) -> Result<Vec<Attachment>, NoFile> {
    let mut found = Vec::new();
    for attach in wanted {
        let no = |found| NoFile { from: String::from(attach.from.clone()), found };
        let files = attach.from.find(envelope);
        if files.is_empty() && !attach.optional {
            return Err(no("nothing"));
        }
        for value in files {
            if found.len() == MAX_ATTACHMENTS {
                return Err(no("more files than a letter may have"));
            }
            found.push(attachment(attach, value, envelope).map_err(no)?);
        }
    }
    Ok(found)
}

fn attachment(attach: &Attach, value: &Value, envelope: &Value) -> Result<Attachment, &'static str> {
    let member = |name: &str| value.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let (bucket, key) = match value {
        Value::String(uri) => {
            let rest = uri.strip_prefix("s3://").ok_or("text that does not begin with s3://")?;
            rest.split_once('/').ok_or("a bucket without a key")?
        }
        Value::Object(_) => (
            member("bucket").ok_or("an object without a bucket")?,
            member("key").ok_or("an object without a key")?,
        ),
        Value::Array(_) => return Err("a list"),
        Value::Null | Value::Bool(_) | Value::Number(_) => return Err("neither text nor an object"),
    };
    if !is_bucket(bucket) {
        return Err("a bucket that cannot be called so");
    }
    if key.is_empty() || key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control) {
        return Err("a key that no object can have");
    }
    let named = attach.name.as_ref().and_then(|name| match name {
        Operand::Literal(literal) => Some(literal.clone()),
        Operand::Path(path) => path.find_names(envelope).into_iter().next(),
    });
    let named = named.or_else(|| member("name").map(str::to_owned));
    let name = file_name(named.as_deref().unwrap_or_else(|| key.rsplit('/').next().unwrap_or(key)));
    let kind = member("type").filter(|member| is_kind(member)).map(str::to_owned);
    Ok(Attachment {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        name,
        kind,
        inline: attach.inline.clone(),
    })
}

/// Source: Amazon S3 User Guide, "General purpose bucket naming rules".
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.')
        && !name.contains("..")
}

/// A name that can neither add a line to a header nor a folder to a path.
#[must_use]
pub fn file_name(text: &str) -> String {
    let safe = |it: char| if it.is_control() || "/\\\"<>:|?*;".contains(it) { '_' } else { it };
    let name: String = text.trim().chars().map(safe).take(MAX_NAME_CHARS).collect();
    match name.trim_matches('.').is_empty() {
        true => "attachment".to_owned(),
        false => name,
    }
}

/// `type/subtype`, without parameters.
///
/// Source: RFC 6838, section 4.2.
#[must_use]
pub fn is_kind(text: &str) -> bool {
    let is_name = |it: &str| {
        !it.is_empty() && it.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c))
    };
    text.len() <= MAX_KIND_BYTES
        && text.split_once('/').is_some_and(|(kind, sub)| is_name(kind) && is_name(sub))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_file_is_named_by_one_text_or_by_its_parts() {
        check(json!("s3://bills/2026/R 7.pdf"), Ok(("bills", "2026/R 7.pdf", "R 7.pdf", None)));
        check(
            json!({ "bucket": "bills", "key": "7", "name": "Rechnung.pdf", "type": "application/pdf" }),
            Ok(("bills", "7", "Rechnung.pdf", Some("application/pdf"))),
        );
        check(json!({ "bucket": "bills", "key": "a/b" }), Ok(("bills", "a/b", "b", None)));
    }

    #[test]
    fn what_names_no_file_is_told_without_being_quoted() {
        check(json!(null), Err("nothing"));
        check(json!("https://example.com/a.pdf"), Err("text that does not begin with s3://"));
        check(json!("s3://bills"), Err("a bucket without a key"));
        check(json!("s3://bills/"), Err("a key that no object can have"));
        check(json!("s3://bi\r\nlls/a"), Err("a bucket that cannot be called so"));
        check(json!("s3://../etc"), Err("a bucket that cannot be called so"));
        check(json!("s3://bills/a\r\nb"), Err("a key that no object can have"));
        check(json!({ "key": "a" }), Err("an object without a bucket"));
        check(json!([]), Err("nothing"));
        check(json!([["s3://bills/a"]]), Err("a list"));
        check(json!(vec!["s3://bills/a"; 11]), Err("more files than a letter may have"));
        check(json!(7), Err("neither text nor an object"));
    }

    #[test]
    fn the_rule_names_it_before_the_event_does_and_a_file_that_may_be_missing_is_left_out() {
        let name = Some(Operand::Literal("Invoice.pdf".to_owned()));
        let envelope = json!({ "data": { "file": { "bucket": "bills", "key": "7", "name": "x" } } });
        let attach = |path: &str, optional| Attach {
            from: crate::path::Path::parse(path).unwrap(),
            name: name.clone(),
            inline: None,
            optional,
        };
        let found = attachments(&[attach("$.data.file", false), attach("$.data.none", true)], &envelope);
        let names: Vec<String> = found.unwrap_or_default().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["Invoice.pdf"]);
    }

    #[test]
    fn a_media_type_that_could_add_a_header_counts_for_none() {
        check(
            json!({ "bucket": "bills", "key": "a", "type": "text/plain\r\nX: 1" }),
            Ok(("bills", "a", "a", None)),
        );
        assert!(is_kind("application/vnd.ms-excel") && !is_kind("pdf") && !is_kind("text/plain; charset=x"));
    }

    proptest! {
        #[test]
        fn no_name_holds_a_line_break_a_quote_or_a_folder(text in ".{0,400}") {
            let name = file_name(&text);
            prop_assert!(!name.is_empty() && name.chars().count() <= MAX_NAME_CHARS);
            prop_assert!(!name.chars().any(|c| c.is_control() || "/\\\"".contains(c)));
        }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
    fn check(value: Value, expected: Result<(&str, &str, &str, Option<&str>), &str>) {
        let from = crate::path::Path::parse("$.data.file").unwrap();
        let attach = Attach { from, name: None, inline: None, optional: false };
        let found = attachments(&[attach], &json!({ "data": { "file": value } }));
        let found = match &found {
            Ok(found) => Ok((
                found[0].bucket.as_str(),
                found[0].key.as_str(),
                found[0].name.as_str(),
                found[0].kind.as_deref(),
            )),
            Err(error) => Err(error.found),
        };
        assert_eq!(found, expected);
    }
}
