//! What a dead letter is about, as far as that can still be told.

use std::collections::BTreeMap;

use domain::Timestamp;
use queue::Letter;
use serde::Serialize;
use serde_json::Value;

/// One message that was put aside, as people look at it. It has no address and no payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) queue: String,
    /// A word: why it is here.
    pub(crate) cause: String,
    /// The same as a sentence.
    pub(crate) detail: String,
    /// The event's type, id and tenant; none where the message cannot be read.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) tenant: Option<String>,
    /// When it was first put into a queue, and when it came here, where that is known.
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// How often it was handed to a function.
    pub(crate) attempts: u32,
}

/// How often a queue hands a message out before SQS moves it: `maxReceiveCount` of every queue in `infra/template.yaml`.
/// SQS goes on counting where it moved it to, with everybody who looks at it.
const HANDED_OUT: u32 = 10;

/// SQS moved it, because no function was ever done with it.
const GAVE_UP: &str = "gave_up";

/// The bus, or a schedule, could not put it into its queue.
const UNDELIVERED: &str = "undelivered";

impl Case {
    pub(crate) fn of(letter: &Letter, queue: &str) -> Case {
        let body = serde_json::from_str(&letter.body).unwrap_or(Value::Null);
        let (cause, detail) = cause(&letter.attributes, queue);
        let time = |name: &str| letter.attributes.get(name).and_then(|attribute| attribute.parse().ok());
        let attempts = letter.attributes.get("attempts").and_then(|attribute| attribute.parse().ok());
        // What never got into its queue was handed to nobody; else this look is one of those counted.
        let handed_out = match cause == UNDELIVERED {
            true => 0,
            false => letter.receives.saturating_sub(1).min(HANDED_OUT),
        };
        let text =
            |paths: &[&str]| paths.iter().find_map(|path| body.pointer(path)?.as_str().map(str::to_owned));
        Case {
            id: letter.id.clone(),
            queue: queue.to_owned(),
            cause,
            detail,
            // A job or a wake, what EventBridge hands over, an envelope.
            kind: text(&["/event/type", "/detail/type", "/detail-type", "/type"]),
            event: text(&["/event/id", "/detail/id", "/id"]),
            tenant: text(&["/event/tenant", "/detail/tenant", "/tenant"])
                .or_else(|| letter.group.clone().filter(|group| group != "-")),
            first: time("first_at").or(letter.sent_at),
            // What a function put aside is a message of its own, and its time is that of putting aside.
            last: letter.attributes.contains_key("cause").then_some(letter.sent_at).flatten(),
            attempts: attempts.unwrap_or(handed_out),
        }
    }
}

fn cause(attributes: &BTreeMap<String, String>, queue: &str) -> (String, String) {
    let of = |name: &str| attributes.get(name).map(String::as_str);
    match (of("cause"), of("ERROR_CODE")) {
        (Some(class), _) => (class.to_owned(), of("detail").unwrap_or_default().to_owned()),
        (None, Some(code)) => {
            let said = of("ERROR_MESSAGE").unwrap_or_default();
            (UNDELIVERED.to_owned(), format!("could not be put into {queue}: {code} {said}"))
        }
        (None, None) => {
            let what = "it was handed out again and again and nobody was ever done with it; see the log";
            (GAVE_UP.to_owned(), what.to_owned())
        }
    }
}

/// Cases that are alike: one line of the list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Group {
    pub(crate) queue: String,
    pub(crate) cause: String,
    pub(crate) detail: String,
    pub(crate) count: usize,
    /// How many of each type and of each tenant; `-` for none, or none that can be read.
    pub(crate) types: BTreeMap<String, usize>,
    pub(crate) tenants: BTreeMap<String, usize>,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// The most that one of them was tried.
    pub(crate) attempts: u32,
}

/// Those of one queue, one cause and one detail together, in the order of their names. Events that were refused for
/// different faults are different groups: each needs a remedy of its own.
pub(crate) fn groups(cases: &[Case]) -> Vec<Group> {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        groups.entry((&case.queue, &case.cause, &case.detail)).or_default().push(case);
    }
    groups.into_values().filter_map(|it| group(&it)).collect()
}

fn group(cases: &[&Case]) -> Option<Group> {
    let one = cases.first()?;
    let count = |of: fn(&Case) -> Option<&String>| {
        let mut counts = BTreeMap::new();
        for case in cases {
            let name = of(case).map_or("-", String::as_str);
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
        counts
    };
    Some(Group {
        queue: one.queue.clone(),
        cause: one.cause.clone(),
        detail: one.detail.clone(),
        count: cases.len(),
        types: count(|it| it.kind.as_ref()),
        tenants: count(|it| it.tenant.as_ref()),
        first: cases.iter().filter_map(|case| case.first).min(),
        last: cases.iter().filter_map(|case| case.last.or(case.first)).max(),
        attempts: cases.iter().map(|case| case.attempts).max().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_says_what_it_is_about_whatever_was_put_aside() {
        let job = r#"{"version":1,"key":"k","event":{"id":"1","type":"order.paid","tenant":"north"}}"#;
        check(job, Some(("order.paid", "1", Some("north"))));
        let bus =
            r#"{"id":"b","detail-type":"order.paid","source":"s","detail":{"id":"1","type":"order.paid"}}"#;
        check(bus, Some(("order.paid", "1", None)));
        let wake = r#"{"carillon_wake":1,"event":{"id":"1","type":"order.paid"},"rule":"r"}"#;
        check(wake, Some(("order.paid", "1", None)));
        check("not json", None);
        check("[1,2]", None);
        check(r#"{"event":7}"#, None);
    }

    #[test]
    fn a_case_says_why_it_is_there() {
        let refused = [("cause", "refused"), ("detail", "type: found nothing"), ("by", "dispatch")];
        assert_eq!(why(&refused), ("refused".into(), "type: found nothing".into()));
        let (cause, detail) = why(&[("ERROR_CODE", "NO_PERMISSIONS"), ("RULE_ARN", "arn")]);
        assert_eq!(cause, "undelivered");
        assert!(detail.contains("NO_PERMISSIONS"), "{detail}");
        assert_eq!(why(&[]).0, "gave_up");
    }

    #[test]
    fn looking_is_no_attempt() {
        check_attempts(&[], 11, 10);
        check_attempts(&[], 68, 10);
        check_attempts(&[], 4, 3);
        check_attempts(&[("ERROR_CODE", "NO_PERMISSIONS")], 7, 0);
        check_attempts(&[("cause", "exhausted"), ("attempts", "14")], 68, 14);
    }

    #[track_caller]
    fn check_attempts(attributes: &[(&str, &str)], receives: u32, expected: u32) {
        let mut letter = Letter::of("m", "{}");
        letter.attributes = texts(attributes);
        letter.receives = receives;
        assert_eq!(Case::of(&letter, "email").attempts, expected);
    }

    #[test]
    fn cases_with_different_details_are_different_lines() {
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
    fn cases_of_one_queue_and_cause_are_one_line() {
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
        attributes.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect()
    }

    fn case(body: &str) -> Case {
        Case::of(&Letter::of("m", body), "email")
    }
}
