//! E-mail attachments: resolves the files that a rule names against an event. This module does not access S3.

use serde_json::Value;

use crate::catalog::rule::{Attach, Operand};
use crate::delivery::job::Attachment;

mod prefixes;

pub use prefixes::{DEFAULT_PREFIX, ForbiddenAttachment, InvalidPrefix, Prefixes};

/// The highest number of attachments of one e-mail.
pub const MAX_ATTACHMENTS: usize = 10;

/// The longest object key, in bytes.
///
/// Source: Amazon S3 User Guide, "Naming Amazon S3 objects".
const MAX_KEY_BYTES: usize = 1_024;

/// The longest file name, in characters. SES accepts 255.
const MAX_NAME_CHARS: usize = 200;

/// The longest media type, in bytes.
const MAX_KIND_BYTES: usize = 78;

/// An attachment reference that does not resolve to a file. The error quotes no event data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{from} names no file: found {found}, wanted `s3://<bucket>/<key>` or {{ bucket, key, name, type }}")]
pub struct InvalidAttachment {
    /// The path from the rule.
    pub from: String,
    pub found: &'static str,
}

/// Resolves the attachments of a rule against an event, in the order of the rule. One path may yield several files.
///
/// # Errors
/// [`InvalidAttachment`] for the first required attachment that is missing, and for the first unusable value. An unusable value
/// is an error for an optional attachment too.
pub fn attachments(wanted: &[Attach], envelope: &Value) -> Result<Vec<Attachment>, InvalidAttachment> {
    let mut found = Vec::new();
    for attach in wanted {
        let refuse = |found| InvalidAttachment { from: String::from(attach.from.clone()), found };
        let files = attach.from.find(envelope);
        if files.is_empty() && !attach.optional {
            return Err(refuse("nothing"));
        }
        for value in files {
            if found.len() == MAX_ATTACHMENTS {
                return Err(refuse("more files than one e-mail may have"));
            }
            found.push(attachment(attach, value, envelope).map_err(refuse)?);
        }
    }
    Ok(found)
}

fn attachment(attach: &Attach, value: &Value, envelope: &Value) -> Result<Attachment, &'static str> {
    let member = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
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
        return Err("an invalid bucket name");
    }
    if key.is_empty() || key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control) {
        return Err("an invalid object key");
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
        name: name.into(),
        kind,
        inline: attach.inline.clone(),
    })
}

/// Checks a bucket name.
///
/// Source: Amazon S3 User Guide, "General purpose bucket naming rules".
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.')
        && !name.contains("..")
}

/// Makes a file name safe: replaces control characters, path separators and quotes, and limits the length.
#[must_use]
pub fn file_name(text: &str) -> String {
    let safe = |c: char| if c.is_control() || "/\\\"<>:|?*;".contains(c) { '_' } else { c };
    let name: String = text.trim().chars().map(safe).take(MAX_NAME_CHARS).collect();
    match name.trim_matches('.').is_empty() {
        true => "attachment".to_owned(),
        false => name,
    }
}

/// Whether the text is a media type `type/subtype` without parameters.
///
/// Source: RFC 6838, section 4.2.
#[must_use]
pub fn is_kind(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c))
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
    fn file_is_named_by_a_uri_or_by_its_parts() {
        check(json!("s3://bills/2026/R 7.pdf"), Ok(("bills", "2026/R 7.pdf", "R 7.pdf", None)));
        check(
            json!({ "bucket": "bills", "key": "7", "name": "Rechnung.pdf", "type": "application/pdf" }),
            Ok(("bills", "7", "Rechnung.pdf", Some("application/pdf"))),
        );
        check(json!({ "bucket": "bills", "key": "a/b" }), Ok(("bills", "a/b", "b", None)));
    }

    #[test]
    fn invalid_reference_is_reported_without_quoting_it() {
        check(json!(null), Err("nothing"));
        check(json!("https://example.com/a.pdf"), Err("text that does not begin with s3://"));
        check(json!("s3://bills"), Err("a bucket without a key"));
        check(json!("s3://bills/"), Err("an invalid object key"));
        check(json!("s3://bi\r\nlls/a"), Err("an invalid bucket name"));
        check(json!("s3://../etc"), Err("an invalid bucket name"));
        check(json!("s3://bills/a\r\nb"), Err("an invalid object key"));
        check(json!({ "key": "a" }), Err("an object without a bucket"));
        check(json!([]), Err("nothing"));
        check(json!([["s3://bills/a"]]), Err("a list"));
        check(json!(vec!["s3://bills/a"; 11]), Err("more files than one e-mail may have"));
        check(json!(7), Err("neither text nor an object"));
    }

    #[test]
    fn name_in_the_rule_wins_and_missing_optional_file_is_skipped() {
        let name = Some(Operand::Literal("Invoice.pdf".to_owned()));
        let envelope = json!({ "data": { "file": { "bucket": "bills", "key": "7", "name": "x" } } });
        let attach = |path: &str, optional| Attach {
            from: crate::base::path::Path::parse(path).unwrap(),
            name: name.clone(),
            inline: None,
            optional,
        };
        let found = attachments(&[attach("$.data.file", false), attach("$.data.none", true)], &envelope);
        let names: Vec<String> =
            found.unwrap_or_default().into_iter().map(|file| file.name.into_exposed()).collect();
        assert_eq!(names, ["Invoice.pdf"]);
    }

    #[test]
    fn media_type_with_a_line_break_is_ignored() {
        check(
            json!({ "bucket": "bills", "key": "a", "type": "text/plain\r\nX: 1" }),
            Ok(("bills", "a", "a", None)),
        );
        assert!(is_kind("application/vnd.ms-excel") && !is_kind("pdf") && !is_kind("text/plain; charset=x"));
    }

    proptest! {
        #[test]
        fn file_name_never_holds_control_characters_quotes_or_separators(text in ".{0,400}") {
            let name = file_name(&text);
            prop_assert!(!name.is_empty() && name.chars().count() <= MAX_NAME_CHARS);
            prop_assert!(!name.chars().any(|c| c.is_control() || "/\\\"".contains(c)));
        }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
    fn check(value: Value, expected: Result<(&str, &str, &str, Option<&str>), &str>) {
        let from = crate::base::path::Path::parse("$.data.file").unwrap();
        let attach = Attach { from, name: None, inline: None, optional: false };
        let found = attachments(&[attach], &json!({ "data": { "file": value } }));
        let found = match &found {
            Ok(found) => Ok((
                found[0].bucket.as_str(),
                found[0].key.as_str(),
                found[0].name.expose().as_str(),
                found[0].kind.as_deref(),
            )),
            Err(error) => Err(error.found),
        };
        assert_eq!(found, expected);
    }
}
