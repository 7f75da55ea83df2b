//! A dead letter: its event, cause and times, as far as they are readable.

use std::collections::BTreeMap;

use domain::Timestamp;
use queue::DeadLetter;
use serde::Serialize;
use serde_json::Value;

/// A dead letter for display, without addresses and payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) queue: String,
    /// The cause, one word.
    pub(crate) cause: String,
    /// The cause as a sentence.
    pub(crate) detail: String,
    /// The event's type; `None` for an unreadable message, like the next two.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) tenant: Option<String>,
    /// The time when the message first entered a queue.
    pub(crate) first: Option<Timestamp>,
    /// The time when the message was dead-lettered, if a function did so.
    pub(crate) last: Option<Timestamp>,
    /// The number of deliveries to a function.
    pub(crate) attempts: u32,
}

/// The deliveries before SQS moves a message: `maxReceiveCount` of every queue in `infra/template.yaml`. SQS continues the
/// count in the dead-letter queue, with every read.
const MAX_RECEIVES: u32 = 10;

/// The cause of a message that SQS moved after `maxReceiveCount` deliveries.
const GAVE_UP: &str = "gave_up";

/// The cause of a message that the bus or a schedule could not deliver to its queue.
const UNDELIVERED: &str = "undelivered";

impl Case {
    pub(crate) fn of(email: &DeadLetter, queue: &str) -> Case {
        let body = serde_json::from_str(email.body.expose()).unwrap_or(Value::Null);
        let (cause, detail) = cause(&email.attributes, queue);
        let time = |name: &str| email.attributes.get(name).and_then(|attribute| attribute.parse().ok());
        let attempts = email.attributes.get("attempts").and_then(|attribute| attribute.parse().ok());
        // An undelivered message reached no function. For others, this read is counted, too.
        let handed_out = match cause == UNDELIVERED {
            true => 0,
            false => email.receives.saturating_sub(1).min(MAX_RECEIVES),
        };
        let text =
            |paths: &[&str]| paths.iter().find_map(|path| body.pointer(path)?.as_str().map(str::to_owned));
        Case {
            id: email.id.clone(),
            queue: queue.to_owned(),
            cause,
            detail,
            // A job or a continuation, an EventBridge event, an envelope.
            kind: text(&["/event/type", "/detail/type", "/detail-type", "/type"]),
            event: text(&["/event/id", "/detail/id", "/id"]),
            tenant: text(&["/event/tenant", "/detail/tenant", "/tenant"])
                .or_else(|| email.group.clone().filter(|group| group != "-")),
            first: time("first_at").or(email.sent_at),
            // A function dead-letters a new message, whose time is that of dead-lettering.
            last: email.attributes.contains_key("cause").then_some(email.sent_at).flatten(),
            attempts: attempts.unwrap_or(handed_out),
        }
    }
}

fn cause(attributes: &BTreeMap<String, String>, queue: &str) -> (String, String) {
    let attribute = |name: &str| attributes.get(name).map(String::as_str);
    match (attribute("cause"), attribute("ERROR_CODE")) {
        (Some(class), _) => (class.to_owned(), attribute("detail").unwrap_or_default().to_owned()),
        (None, Some(code)) => {
            let message = attribute("ERROR_MESSAGE").unwrap_or_default();
            (UNDELIVERED.to_owned(), format!("could not be put into {queue}: {code} {message}"))
        }
        (None, None) => {
            let detail = "redelivered until maxReceiveCount, and no function completed it; see the log";
            (GAVE_UP.to_owned(), detail.to_owned())
        }
    }
}

/// Dead letters with the same queue, cause and detail: one line of the list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Group {
    pub(crate) queue: String,
    pub(crate) cause: String,
    pub(crate) detail: String,
    pub(crate) count: usize,
    /// The number of each event type; `-` for none. Tenants likewise.
    pub(crate) types: BTreeMap<String, usize>,
    pub(crate) tenants: BTreeMap<String, usize>,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// The highest number of attempts.
    pub(crate) attempts: u32,
}

/// Groups dead letters by queue, cause and detail, sorted. Different refusals are different groups, because each needs its own
/// remedy.
pub(crate) fn groups(cases: &[Case]) -> Vec<Group> {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        groups.entry((&case.queue, &case.cause, &case.detail)).or_default().push(case);
    }
    groups.into_values().filter_map(|cases| group(&cases)).collect()
}

fn group(cases: &[&Case]) -> Option<Group> {
    let first = cases.first()?;
    let count = |of: fn(&Case) -> Option<&String>| {
        let mut counts = BTreeMap::new();
        for case in cases {
            let name = of(case).map_or("-", String::as_str);
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
        counts
    };
    Some(Group {
        queue: first.queue.clone(),
        cause: first.cause.clone(),
        detail: first.detail.clone(),
        count: cases.len(),
        types: count(|case| case.kind.as_ref()),
        tenants: count(|case| case.tenant.as_ref()),
        first: cases.iter().filter_map(|case| case.first).min(),
        last: cases.iter().filter_map(|case| case.last.or(case.first)).max(),
        attempts: cases.iter().map(|case| case.attempts).max().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_is_read_from_every_kind_of_message() {
        let job = r#"{"version":1,"key":"k","event":{"id":"1","type":"order.paid","tenant":"north"}}"#;
        check(job, Some(("order.paid", "1", Some("north"))));
        let bus =
            r#"{"id":"b","detail-type":"order.paid","source":"s","detail":{"id":"1","type":"order.paid"}}"#;
        check(bus, Some(("order.paid", "1", None)));
        let continuation = r#"{"carillon_wake":1,"event":{"id":"1","type":"order.paid"},"rule":"r"}"#;
        check(continuation, Some(("order.paid", "1", None)));
        check("not json", None);
        check("[1,2]", None);
        check(r#"{"event":7}"#, None);
    }

    #[test]
    fn cause_comes_from_attributes() {
        let refused = [("cause", "refused"), ("detail", "type: found nothing"), ("by", "dispatch")];
        assert_eq!(why(&refused), ("refused".into(), "type: found nothing".into()));
        let (cause, detail) = why(&[("ERROR_CODE", "NO_PERMISSIONS"), ("RULE_ARN", "arn")]);
        assert_eq!(cause, "undelivered");
        assert!(detail.contains("NO_PERMISSIONS"), "{detail}");
        assert_eq!(why(&[]).0, "gave_up");
    }

    #[test]
    fn reads_are_not_attempts() {
        check_attempts(&[], 11, 10);
        check_attempts(&[], 68, 10);
        check_attempts(&[], 4, 3);
        check_attempts(&[("ERROR_CODE", "NO_PERMISSIONS")], 7, 0);
        check_attempts(&[("cause", "exhausted"), ("attempts", "14")], 68, 14);
    }

    #[track_caller]
    fn check_attempts(attributes: &[(&str, &str)], receives: u32, expected: u32) {
        let mut email = DeadLetter::of("m", "{}");
        email.attributes = texts(attributes);
        email.receives = receives;
        assert_eq!(Case::of(&email, "email").attempts, expected);
    }

    #[test]
    fn different_details_are_different_groups() {
        let mut cases = vec![case("{}"); 3];
        for (case, detail) in
            cases.iter_mut().zip(["time: found nothing", "id: found nothing", "time: found nothing"])
        {
            case.cause = "refused".into();
            case.detail = detail.into();
        }
        let found: Vec<(String, usize)> =
            groups(&cases).into_iter().map(|group| (group.detail, group.count)).collect();
        assert_eq!(found, [("id: found nothing".into(), 1), ("time: found nothing".into(), 2)]);
    }

    #[test]
    fn same_queue_and_cause_are_one_group() {
        let mut cases = vec![case("{}"); 3];
        cases[1].tenant = Some("north".into());
        cases[2].queue = "sms".into();
        let found = groups(&cases);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].count, found[0].tenants.len(), found[1].count), (2, 2, 1));
    }

    #[track_caller]
    fn check(body: &str, expected: Option<(&str, &str, Option<&str>)>) {
        let case = case(body);
        let found = case.kind.as_deref().zip(case.event.as_deref());
        let found = found.map(|(kind, event)| (kind, event, case.tenant.as_deref()));
        assert_eq!(found, expected, "{body}");
    }

    fn why(attributes: &[(&str, &str)]) -> (String, String) {
        cause(&texts(attributes), "email")
    }

    fn texts(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn case(body: &str) -> Case {
        Case::of(&DeadLetter::of("m", body), "email")
    }
}
