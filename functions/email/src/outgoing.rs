//! Shapes the SES request of a job.

use std::error::Error;

use domain::base::outcome::{Failure, Reason};
use domain::base::sensitive::Sensitive;
use domain::delivery::job::{Attachment, Content, Email, Job};

/// The limit of SES for tags: 256 characters of ASCII letters, digits, `_`, `-`, `.` and `@`.
///
/// Source: SES API v2 reference, `MessageTag`.
const MAX_TAG_CHARS: usize = 256;

/// The longest unsubscribe link: 996 characters for a header's name and value, less `List-Unsubscribe`
/// and the brackets.
///
/// Source: SES API v2 reference, `MessageHeader`.
const MAX_LINK_CHARS: usize = 996 - 16 - 2;

/// An e-mail for SES.
pub struct OutgoingEmail<'a> {
    pub email: &'a Email,
    /// The tags, which every receipt repeats. They identify the notification.
    pub tags: Vec<(&'static str, String)>,
    /// The headers in addition to those of SES, in order.
    pub headers: Vec<(&'static str, String)>,
}

/// A fetched attachment.
pub struct File {
    pub of: Attachment,
    /// The media type from S3, used if the job names none.
    pub kind: Option<String>,
    pub bytes: Sensitive<Vec<u8>>,
}

impl<'a> OutgoingEmail<'a> {
    /// Shapes the e-mail of a job.
    ///
    /// # Errors
    /// The job belongs to another channel, or has an invalid or too long header. Dispatch creates no
    /// such jobs.
    pub fn shape(job: &'a Job) -> Result<OutgoingEmail<'a>, Failure> {
        let Content::Email(email) = &job.content else {
            return Err(no(Reason::Rejected, format!("a {} job in the email queue", job.channel().name())));
        };
        if email.subject.expose().chars().any(char::is_control) {
            return Err(no(Reason::Rejected, "the subject has a line break or another control character"));
        }
        let event = &job.event;
        let tags = [
            ("carillon-key", Some(job.key.as_str())),
            ("carillon-event", Some(event.id.as_str())),
            ("carillon-type", Some(event.kind.as_str())),
            ("carillon-rule", Some(job.rule.as_str())),
            ("carillon-tenant", event.tenant.as_deref()),
            ("carillon-correlation", event.correlation_id.as_deref()),
            ("carillon-causation", event.causation_id.as_deref()),
            ("carillon-actor", event.actor.as_deref()),
            ("carillon-traceparent", event.traceparent.as_deref()),
        ];
        let tags = tags.into_iter().filter_map(|(name, value)| Some((name, tag(value?)))).collect();
        Ok(OutgoingEmail { email, tags, headers: headers(email)? })
    }
}

/// Marks the e-mail as sent by a program, which suppresses automatic replies.
///
/// Source: RFC 3834, section 5.
const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// The headers for one-click unsubscription and for automatic mail.
///
/// Source: RFC 8058, section 3.1.
fn headers(email: &Email) -> Result<Vec<(&'static str, String)>, Failure> {
    let automatic = (AUTO_SUBMITTED.0, AUTO_SUBMITTED.1.to_owned());
    let Some(link) = email.unsubscribe.as_ref().map(Sensitive::expose) else { return Ok(vec![automatic]) };
    let is_url = |byte: u8| byte.is_ascii_graphic() && !b"<>\"".contains(&byte);
    if !link.starts_with("http") || !link.bytes().all(is_url) {
        return Err(no(Reason::Rejected, "the link to unsubscribe is no URL"));
    }
    if link.len() > MAX_LINK_CHARS {
        return Err(no(Reason::TooLarge, "the link to unsubscribe is longer than SES takes a header"));
    }
    Ok(vec![
        ("List-Unsubscribe", format!("<{link}>")),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        automatic,
    ])
}

/// A permanent failure without a call to SES.
pub(crate) fn no(reason: Reason, why: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
    Failure::Permanent { reason, source: why.into() }
}

/// Adapts a value to SES: other characters become `_`, and long values are cut.
fn tag(value: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    value.chars().take(MAX_TAG_CHARS).map(|c| if fits(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_tag_holds_only_what_ses_takes() {
        for (value, expected) in [
            ("00-4bf92f3577b34da6-01", "00-4bf92f3577b34da6-01"),
            ("urn:order/7 paid", "urn_order_7_paid"),
            ("Zoë", "Zo_"),
        ] {
            assert_eq!(tag(value), expected);
        }
        assert_eq!(tag(&"x".repeat(300)).len(), MAX_TAG_CHARS);
    }

    #[test]
    fn unsubscribe_headers_have_the_link_first() {
        check(
            json!({ "unsubscribe": "https://u.example/v1/unsubscribe/AQ" }),
            Ok(vec![
                ("List-Unsubscribe", "<https://u.example/v1/unsubscribe/AQ>".to_owned()),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
                ("Auto-Submitted", "auto-generated".to_owned()),
            ]),
        );
    }

    #[test]
    fn every_email_is_marked_as_automatic() {
        check(json!({}), Ok(vec![("Auto-Submitted", "auto-generated".to_owned())]));
    }

    #[test]
    fn job_values_cannot_inject_headers() {
        check(json!({ "subject": "Hello\r\nBcc: all@example.com" }), Err(Reason::Rejected));
        check(json!({ "unsubscribe": "https://u.example/\r\nBcc: x" }), Err(Reason::Rejected));
        check(json!({ "unsubscribe": "https://u.example/>, <mailto:x@example.com" }), Err(Reason::Rejected));
        check(json!({ "unsubscribe": "javascript:x" }), Err(Reason::Rejected));
        // Address and sender are checked by the parser, so such a job is refused earlier.
        for (member, value) in [
            ("to", "a@example.com\r\nBcc: b@example.com"),
            ("from", "A\r\n <a@example.com>"),
            ("from_name", "A\r\nBcc: b@example.com"),
            ("reply_to", "A\r\nBcc: b@example.com"),
            ("reply_to_name", "A\r\nBcc: b@example.com"),
        ] {
            let mut job = job(&json!({}));
            job["content"]["email"][member] = value.into();
            assert!(serde_json::from_value::<Job>(job).is_err(), "{member}");
        }
    }

    #[test]
    fn a_link_is_as_long_as_a_header_may_be_and_no_longer() {
        let link = |chars: usize| format!("https://{}", "x".repeat(chars - 8));
        let header = format!("<{}>", link(MAX_LINK_CHARS));
        let both = [
            ("List-Unsubscribe", header),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            ("Auto-Submitted", "auto-generated".to_owned()),
        ];
        check(json!({ "unsubscribe": link(MAX_LINK_CHARS) }), Ok(both.into()));
        check(json!({ "unsubscribe": link(MAX_LINK_CHARS + 1) }), Err(Reason::TooLarge));
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tests hand in json!(…)")]
    fn check(members: Value, expected: Result<Vec<(&'static str, String)>, Reason>) {
        let job: Job = serde_json::from_value(job(&members)).unwrap();
        let found = OutgoingEmail::shape(&job).map(|shape| shape.headers).map_err(|error| match error {
            Failure::Permanent { reason, .. } => reason,
            Failure::Transient(_) | Failure::Throttled { .. } | Failure::Expired => panic!("not permanent"),
        });
        assert_eq!(found, expected, "{members}");
    }

    fn job(members: &Value) -> Value {
        let mut email =
            json!({ "to": "ann@example.com", "subject": "S", "html": "H", "text": "T", "locale": "en" });
        for (name, value) in members.as_object().unwrap() {
            email[name] = value.clone();
        }
        json!({
            "version": 1, "key": "k-1", "rule": "r", "catalog": "c", "recipient": "ann", "priority": "normal",
            "event": { "id": "e-1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" },
            "on_unknown": "hold", "content": { "email": email },
        })
    }
}
