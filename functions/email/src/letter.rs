//! What SES is asked for one job.

use domain::job::{Content, Email, Job};
use domain::outcome::{Failure, Reason};

/// SES's limits for tags: 256 characters of ASCII letters, digits, `_`, `-`, `.` and `@`.
///
/// Source: SES API v2 reference, `MessageTag`.
const MAX_TAG_CHARS: usize = 256;

/// A letter as SES takes it. No `Debug`: it holds an address and what somebody is told.
pub struct Letter<'a> {
    pub email: &'a Email,
    /// Come back in every receipt, and say to which notification it belongs.
    pub tags: Vec<(&'static str, String)>,
}

impl<'a> Letter<'a> {
    /// # Errors
    /// The job is not a letter: it was put into the wrong queue.
    pub fn shape(job: &'a Job) -> Result<Letter<'a>, Failure> {
        let Content::Email(email) = &job.content else {
            let source = format!("a {} job in the email queue", job.channel().name()).into();
            return Err(Failure::Permanent { reason: Reason::Rejected, source });
        };
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
        Ok(Letter { email, tags })
    }
}

/// A value as SES takes it: every other character becomes `_`, and what is too long is cut.
fn tag(value: &str) -> String {
    let fits = |it: char| it.is_ascii_alphanumeric() || "_-.@".contains(it);
    value.chars().take(MAX_TAG_CHARS).map(|it| if fits(it) { it } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
