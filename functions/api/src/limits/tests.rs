use super::*;
use crate::caller::Person;
use crate::request::tests::read as request;
use crate::router::ROUTES;
use serde_json::json;

#[test]
fn request_takes_a_token_of_its_caller_and_one_of_its_tenant() {
    check(Operation::GetRecipient, &ann(), &tenant(), &["user", "tenant"]);
    check(Operation::IssueTicket, &ann(), &tenant(), &["ticket", "tenant"]);
    check(Operation::Retry, &ann(), &tenant(), &["user", "retry"]);
    check(Operation::PingEndpoint, &ann(), &tenant(), &["ping", "ping-tenant"]);
    check(Operation::VerifyEndpoint, &ann(), &tenant(), &["ping", "ping-tenant"]);
    check(Operation::Publish, &any_program(), &Scope::All, &["program"]);
    check(Operation::Publish, &any_program(), &tenant(), &["program", "tenant"]);
    check(Operation::RecoverMessages, &any_program(), &Scope::All, &["program", "retry"]);
}

#[test]
fn every_route_has_a_rate_limit() {
    for route in &ROUTES {
        for (caller, scope) in [(ann(), tenant()), (any_program(), Scope::All)] {
            let found = buckets(&limits(), route.operation, &caller, &scope, "arn", Some("erp"));
            assert!((1..=2).contains(&found.len()), "{} {}", route.method, route.path);
        }
    }
}

#[test]
fn buckets_of_others_are_others_and_no_name_stands_in_a_key() {
    let of = |tenant: &str, user: &str| {
        let person = Person { user: user.into(), tenant: tenant.into(), is_admin: true, rooms: vec![] };
        let scope = Scope::Tenant(tenant.into());
        buckets(&limits(), Operation::Publish, &Caller::Person(person), &scope, "", None)
    };
    let (first, second) = (of("clinic-7", "ann"), of("clinic-8", "ann"));
    assert!(first[0].whose != second[0].whose && first[1].whose != second[1].whose);
    assert_ne!(of("a", "bc")[0].whose, of("ab", "c")[0].whose);
    assert!(first.iter().all(|bucket| !bucket.whose.contains("ann") && !bucket.whose.contains("clinic")));
}

#[test]
fn session_of_a_role_is_no_other_program() {
    let of = |arn: &str| {
        program(&request(&json!({
            "requestContext": {
                "requestId": "r", "http": { "method": "GET" }, "authorizer": { "iam": { "userArn": arn } },
            },
        })))
    };
    assert_eq!(
        of("arn:aws:sts::1:assumed-role/shop/session-1"),
        of("arn:aws:sts::1:assumed-role/shop/session-2")
    );
    assert_ne!(of("arn:aws:iam::1:user/team/shop"), of("arn:aws:iam::1:user/team/bank"));
}

#[test]
fn refusal_names_the_longer_wait() {
    let wait = |kind, seconds| Some(Wait { kind, seconds });
    let problem = refusal(wait("user", 2), wait("tenant", 5)).unwrap();
    assert_eq!((problem.status, problem.kind, problem.retry_after), (429, "rate_limited", Some(5)));
    assert!(problem.detail.contains("tenant"), "{}", problem.detail);
    assert_eq!(refusal(None, None), None);
}

#[track_caller]
fn check(operation: Operation, caller: &Caller, scope: &Scope, expected: &[&str]) {
    let found = buckets(&limits(), operation, caller, scope, "arn", Some("erp"));
    assert_eq!(found.iter().map(|evidence| evidence.kind).collect::<Vec<_>>(), expected);
}

fn ann() -> Caller {
    Caller::Person(Person { user: "ann".into(), tenant: "clinic-7".into(), is_admin: true, rooms: vec![] })
}

fn tenant() -> Scope {
    Scope::Tenant("clinic-7".into())
}

pub(crate) fn limits() -> Limits {
    let quota = |text| Quota::parse(text).unwrap();
    Limits {
        tenant: quota("50/s:200"),
        user: quota("10/s:50"),
        program: quota("400/s:800"),
        tickets: quota("1/s:10"),
        pings: quota("6/min:3"),
        tenant_pings: quota("10/min:10"),
        retries: quota("10/s:20"),
    }
}

fn any_program() -> Caller {
    Caller::Program("arn:aws:iam::000000000000:user/shop".into())
}
