use super::*;
use crate::ROUTES;
use crate::caller::Person;
use crate::request::tests::read as request;
use serde_json::json;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const ARN: &str = "arn:aws:sts::1:assumed-role/shop/i-1";

#[test]
fn read_leaves_a_record_of_caller_operation_person_and_status_and_no_values() {
    let response = Response::json(200, &json!({ "id": "ann", "email": "ann@example.com" }));
    let recorded = record(&call("GET", "v1/recipients/ann", ""), &response);
    assert!(recorded.discloses, "it fails closed");
    let record = &recorded.record;
    assert_eq!(record.person(), Some("ann"));
    let access = &record.access;
    assert_eq!((access.by, access.subject.as_deref()), (CallerKind::Iam, Some(ARN)));
    assert_eq!((access.operation.as_str(), access.status), ("getRecipient", Some(200)));
    assert_eq!((access.tenant.as_deref(), access.request.as_str()), (Some("clinic-7"), "r-1"));
    assert!(!record.to_message().contains("example.com"));
}

#[test]
fn refusal_leaves_a_record_too() {
    for (method, path, status, operation, object) in [
        ("GET", "v1/recipients/ann", 403, "getRecipient", Some("person")),
        ("GET", "v1/nothing", 404, NO_OPERATION, None),
        ("POST", "v1/recipients/ann", 405, NO_OPERATION, None),
        ("POST", "v1/events", 422, "publish", Some("event")),
    ] {
        let response = Response::problem(&Problem::new(status, "refused", "no"), "r-1");
        let access = record(&call(method, path, ""), &response).record.access;
        assert_eq!((access.status, access.operation.as_str()), (Some(status), operation), "{path}");
        assert_eq!(access.object.as_ref().map(|object| object.kind.as_str()), object, "{path}");
    }
    let nobody = request(&json!({
        "rawPath": "/v1/recipients/ann", "requestContext": { "requestId": "r-1", "http": { "method": "GET" } },
    }));
    let access = record(&nobody, &Response::empty(401)).record.access;
    assert_eq!((access.by, access.subject, access.status), (CallerKind::Unknown, None, Some(401)));
}

#[test]
fn unsubscribe_page_leaves_a_record_without_the_token() {
    let call = call("GET", "v1/unsubscribe/secret-token", "");
    let recorded = record(&call, &Response::empty(404));
    assert_eq!(recorded.record.access.operation, "showUnsubscribe");
    assert!(!recorded.discloses, "everybody can always unsubscribe");
    assert!(!recorded.record.to_message().contains("secret-token"));
}

#[test]
fn ticket_is_about_its_user_and_a_list_about_everybody_in_it() {
    let body = json!({ "user": "ann" }).to_string();
    let ticket = record(&call("POST", "v1/tickets", &body), &Response::json(201, &json!({})));
    assert_eq!(ticket.record.person(), Some("ann"));
    assert!(ticket.discloses, "a socket reads the inbox");

    let people = json!({ "recipients": [{ "id": "ben" }, { "id": "ann", "email": "ann@example.com" }] });
    let list = record(&call("GET", "v1/recipients", ""), &Response::json(200, &people)).record;
    assert_eq!(list.access.listed, ["ann", "ben"]);
    let rows = json!({ "deliveries": [
        { "recipient": "ann" }, { "recipient": "ann" }, { "recipient": "room:x:1" }, { "recipient": "user:room:y" },
        { "recipient": "address:email:0" },
    ] });
    let list = record(&call("GET", "v1/events/e-1/deliveries", ""), &Response::json(200, &rows)).record;
    assert_eq!(list.access.listed, ["ann", "room:y"]);
}

#[test]
fn every_route_has_a_kind_of_object_and_the_name_of_its_operation() {
    let kinds = ["person", "group", "tenant", "event", "delivery", "endpoint"];
    for route in &ROUTES {
        let path = route.path.trim_start_matches('/').replace(['{', '}'], "");
        let access = record(&call(route.method, &path, ""), &Response::empty(200)).record.access;
        assert_eq!(access.operation, name(route.operation));
        let kind = access.object.unwrap().kind;
        assert!(kinds.contains(&kind.as_str()), "{} {}: {kind}", route.method, route.path);
        // A GET is answered with a record or not at all.
        let is_endpoint = kind == "endpoint";
        assert!(route.method != "GET" || is_endpoint || discloses(route.operation), "{}", route.path);
    }
}

#[test]
fn token_is_recorded_by_its_user_and_tenant() {
    let request = call("GET", "v1/recipients/ann", "");
    let (keys, issuer) = (keys(), None);
    let subject = Subject { request: &request, issuer, links: &keys, now: NOW };
    let person = Person { user: "ben".into(), tenant: "clinic-8".into(), is_admin: true, rooms: Vec::new() };
    let who = subject.who(Some(&Caller::Person(person)));
    assert_eq!(who, (CallerKind::Token, Some("ben".into()), Some("clinic-8".into())));
}

fn record(request: &Request, response: &Response) -> Recorded {
    let keys = keys();
    Subject { request, issuer: None, links: &keys, now: NOW }.record(response)
}

fn keys() -> Keys {
    Keys::read(&json!({ "k1": "x".repeat(64) }).to_string(), "k1").unwrap()
}

fn call(method: &str, path: &str, body: &str) -> Request {
    request(&json!({
        "rawPath": format!("/{path}"), "body": body, "queryStringParameters": { "tenant": "clinic-7" },
        "requestContext": { "requestId": "r-1", "http": { "method": method },
            "authorizer": { "iam": { "userArn": ARN } } },
    }))
}
