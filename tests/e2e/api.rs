//! The HTTP API: permissions of each role, idempotency, and refusals.

use std::collections::{BTreeMap, BTreeSet};

mod access;
mod browser;
mod devices;
mod endpoints;
mod inbox;
mod isolation;
mod lookups;
mod notifications;

use ::api::{OPEN, ROUTES};
use serde_json::{Value, json};
use testkit::api_client::{ApiClient, ApiResponse, claims, forged};
use testkit::cloud::{Cloud, now};
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::{root, unique};

#[tokio::test]
async fn member_manages_own_resources_only() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "name": "Ann", "tenants": [clinic] })).await;
    let me = ApiClient::of(&ann, &clinic, "member");
    let own = format!("/v1/recipients/{ann}");
    check(&me.ask("PATCH", &own, Some(&json!({ "email": "ann@example.com" }))), 200, "");
    check(&me.ask("PATCH", &own, Some(&json!({ "roles": [] }))), 403, "forbidden");
    check(&me.ask("PUT", &own, Some(&json!({ "name": "Ann" }))), 403, "forbidden");
    check(&me.ask("DELETE", &own, None), 403, "forbidden");
    check(&me.ask("GET", &format!("/v1/recipients/{}", unique("ben")), None), 403, "forbidden");

    let phone = json!({ "platform": "apns", "endpoint": "arn:aws:sns:eu-west-1:1:endpoint/APNS/app/1" });
    check(&me.ask("PUT", &format!("{own}/devices/phone"), Some(&phone)), 200, "");
    check(&me.ask("PUT", &format!("{own}/devices/tablet"), Some(&phone)), 200, "");
    check(&me.ask("DELETE", &format!("{own}/devices/tablet"), None), 204, "");
    let devices = me.ask("GET", &format!("{own}/devices"), None).body["devices"].clone();
    assert_eq!(devices.as_array().unwrap().len(), 1);
    assert_eq!(devices[0]["id"], "phone");

    let preferences = format!("{own}/preferences");
    let first =
        json!({ "zone": "Asia/Tokyo", "preferences": { "channel_types": { "sms": false, "email": true } } });
    assert_eq!(me.ask("PUT", &preferences, Some(&first)).body, first);
    let patch = json!({ "preferences": { "channel_types": { "sms": null } } });
    check(&me.ask("PATCH", &preferences, Some(&patch)), 200, "");
    let second = json!({ "preferences": { "channel_types": { "push": false } } });
    assert_eq!(me.ask("PUT", &preferences, Some(&second)).body, second, "the whole of it");
    let person = cloud.people.find(&BTreeSet::from([ann.as_str()])).await.unwrap().remove(&ann).unwrap();
    assert!(person.preferences.is_none(), "it holds in their tenant");
    check(&me.ask("PATCH", &preferences, Some(&json!({ "devices": [] }))), 422, "refused");
    let nowhere = json!({ "zone": "X/Y" });
    let mut watch = phone.clone();
    watch["zone"] = "X/Y".into();
    for (method, path, body) in [
        ("PATCH", &preferences, &nowhere),
        ("PUT", &preferences, &nowhere),
        ("PUT", &format!("{own}/devices/watch"), &watch),
    ] {
        let wanted = "zone: found a text that names no time zone, wanted a name of";
        refused(&me.ask(method, path, Some(body)), wanted);
    }
    let maybe = json!({ "preferences": { "channel_types": { "sms": "maybe" } } });
    refused(
        &me.ask("PATCH", &preferences, Some(&maybe)),
        "preferences.channel_types.sms: found something else",
    );

    let tenant = format!("/v1/tenants/{clinic}");
    check(&me.ask("PUT", &tenant, Some(&json!({ "zone": "Etc/UTC" }))), 403, "forbidden");
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    check(&admin.ask("PUT", &tenant, Some(&json!({ "zone": "Etc/UTC" }))), 200, "");
    refused(&admin.ask("PUT", &tenant, Some(&nowhere)), "zone: found a text that names no time zone");
    assert_eq!(me.ask("GET", &tenant, None).body, json!({ "zone": "Etc/UTC" }));
}

#[tokio::test]
async fn ticket_from_the_api_opens_one_socket() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    let me = ApiClient::of(&ann, &clinic, "member");
    check(&me.ask("POST", "/v1/tickets", None), 403, "forbidden");
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    check(&me.ask("POST", "/v1/tickets", Some(&json!({ "user": "ben" }))), 403, "forbidden");
    check(&me.ask("POST", "/v1/tickets", Some(&json!({ "rooms": ["*"] }))), 403, "forbidden");
    let response = me.ask("POST", "/v1/tickets", None);
    assert_eq!(response.status, 201, "{}", response.text);
    let ticket = response.body["ticket"].as_str().unwrap();
    assert_eq!(response.body["url"], format!("{}?ticket={ticket}", cloud.socket_url));
    let mut client = Client::connect(&cloud, ticket).await.unwrap();
    assert_eq!(client.ask(r#"{"action":"subscribe","room":"queue:7"}"#).await["type"], "subscribed");
    assert_eq!(client.ask(r#"{"action":"subscribe","room":"theatre:1"}"#).await["type"], "refused");
    assert!(Client::connect(&cloud, ticket).await.is_err());
    client.close().await;
}

#[test]
fn token_that_is_forged_expired_or_not_yet_valid_is_refused() {
    let (ann, clinic) = (unique("ann"), unique("clinic"));
    let honest = ApiClient::of(&ann, &clinic, "admin");
    let path = "/v1/recipients?topic=x:1";
    assert_eq!(honest.ask("GET", path, None).status, 200);
    let now = now().as_second();
    let with = |others: Value| claims(&honest.token, &others);
    let honest_claims = with(json!({}));
    let again = ApiClient::with(honest.url.clone(), forged(&honest_claims, "rs256"));
    assert_eq!(again.ask("GET", path, None).status, 200, "what is forged below is wrong in one thing alone");
    for (what, token) in [
        ("no signature", forged(&honest_claims, "none")),
        ("the public key as a secret", forged(&honest_claims, "hs256")),
        ("another key", forged(&honest_claims, "stranger")),
        ("run out", forged(&with(json!({ "exp": now - 1 })), "rs256")),
        ("without an end", forged(&with(json!({ "exp": null })), "rs256")),
        ("not yet", forged(&with(json!({ "nbf": now + 3_600 })), "rs256")),
        ("another issuer", forged(&with(json!({ "iss": "https://example.com" })), "rs256")),
        ("another audience", forged(&with(json!({ "aud": "shop" })), "rs256")),
        ("changed on its way", {
            let other = forged(&with(json!({ "tenant": "theirs" })), "rs256");
            let parts: Vec<&str> = other.split('.').collect();
            format!("{}.{}.{}", parts[0], parts[1], honest.token.split('.').nth(2).unwrap())
        }),
        ("none at all", String::new()),
        ("no token", "garbage".to_owned()),
    ] {
        let response = ApiClient::with(honest.url.clone(), token).ask("GET", path, None);
        assert_eq!(response.status, 401, "{what}: {}", response.text);
    }
    for (what, others) in [("no tenant", json!({ "tenant": null })), ("no text", json!({ "sub": "" }))] {
        let response =
            ApiClient::with(honest.url.clone(), forged(&with(others), "rs256")).ask("GET", path, None);
        assert!([401, 403].contains(&response.status), "{what}: {}", response.text);
    }
}

#[tokio::test]
async fn tenant_event_is_published_delivered_and_sent_again_on_request() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    check(&admin.ask("PUT", &format!("/v1/recipients/{ann}"), Some(&json!({ "name": "Ann" }))), 200, "");
    let event = json!({ "type": "core.hello", "data": { "to": [ann], "message": "Hear, hear" } });
    let response = admin.ask("POST", "/v1/events", Some(&event));
    assert_eq!(response.status, 202, "{}", response.text);
    assert_eq!(response.body["source"], format!("/tenants/{clinic}"));
    let id = response.body["id"].as_str().unwrap().to_owned();
    let record = until("the audit has it", async || cloud.records(&id).await.into_iter().next()).await;
    assert_eq!(record.get("tenant"), Some(clinic.as_str()));
    assert!(record.get("auth_id").is_some() && record.get("auth_id") == record.get("actor"));
    let path = format!("/v1/events/{id}/deliveries");
    let rows = || admin.ask("GET", &path, None).body["deliveries"].as_array().unwrap().clone();
    let unsent = until("she has no address", async || {
        rows().into_iter().find(|row| row["channel"] == "email" && row["reason"] == "no_address")
    })
    .await;

    let first = admin.ask("GET", &format!("{path}?limit=1"), None).body;
    assert_eq!(first["deliveries"].as_array().unwrap().len(), 1);
    let next = first["next"].as_str().unwrap();
    let second = admin.ask("GET", &format!("{path}?limit=1&next={next}"), None).body;
    assert_ne!(first["deliveries"][0]["key"], second["deliveries"][0]["key"]);
    let elsewhere = format!("/v1/events/{}/deliveries?next={next}", unique("other"));
    check(&admin.ask("GET", &elsewhere, None), 400, "bad_cursor");

    let email = format!("{ann}@example.com");
    check(&admin.ask("PATCH", &format!("/v1/recipients/{ann}"), Some(&json!({ "email": email }))), 200, "");
    let retry = format!("/v1/deliveries/{}/retry", unsent["key"].as_str().unwrap());
    let key = [("idempotency-key", "again")];
    let response = admin.ask_with("POST", &retry, "", &key);
    assert_eq!(response.status, 202, "{}", response.text);
    assert!(admin.ask_with("POST", &retry, "", &key).replayed);
    until("the letter", async || cloud.emails(&email).into_iter().next()).await;
    let sent =
        until("it is on record", async || rows().into_iter().find(|row| row["status"] == "sent")).await;
    check(
        &admin.ask("POST", &format!("/v1/deliveries/{}/retry", sent["key"].as_str().unwrap()), None),
        409,
        "sent",
    );
    assert_eq!(cloud.emails(&email).len(), 1, "once");
}

#[tokio::test]
async fn repeated_request_with_the_same_idempotency_key_gets_the_first_response() {
    let cloud = Cloud::connect();
    let admin = ApiClient::of(&unique("admin"), &unique("clinic"), "admin");
    let (key, body) = (unique("key"), json!({ "type": "nobody.cares", "data": { "a": 1, "b": 2 } }));
    let post =
        |key: &str, body: &str| admin.ask_with("POST", "/v1/events", body, &[("idempotency-key", key)]);
    let first = post(&key, &body.to_string());
    assert_eq!((first.status, first.replayed), (202, false), "{}", first.text);
    let again = post(&key, r#"{ "data": { "b": 2, "a": 1 }, "type": "nobody.cares" }"#);
    assert_eq!((again.status, again.replayed, &again.text), (202, true, &first.text));
    check(&post(&key, &json!({ "type": "nobody.else" }).to_string()), 422, "idempotency_key_reused");
    let bad = post(&unique("key"), "{}");
    check(&bad, 422, "refused");
    check(&post(&"k".repeat(256), &body.to_string()), 400, "bad_idempotency");
    let other = ApiClient::of(&unique("admin"), &unique("clinic"), "admin");
    let elsewhere = other.ask_with("POST", "/v1/events", &body.to_string(), &[("idempotency-key", &key)]);
    assert_eq!((elsewhere.status, elsewhere.replayed), (202, false), "a key is its tenant's");

    let key = unique("key");
    let answers: Vec<ApiResponse> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| post(&key, &body.to_string()))).collect();
        all.into_iter().map(|item| item.join().unwrap()).collect()
    });
    let mut ids = BTreeSet::new();
    for answer in &answers {
        match answer.status {
            202 => drop(ids.insert(answer.body["id"].as_str().unwrap().to_owned())),
            409 => assert_eq!(answer.retry_after.as_deref(), Some("1"), "{}", answer.text),
            _ => panic!("{}: {}", answer.status, answer.text),
        }
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 202 && !answer.replayed).count(), 1);
    let id = ids.pop_first().unwrap();
    until("it is kept", async || cloud.records(&id).await.into_iter().next()).await;
    assert_eq!(cloud.records(&id).await.len(), 1);
}

#[test]
fn invalid_request_is_refused_with_a_reason() {
    let admin = ApiClient::of(&unique("admin"), &unique("clinic"), "admin");
    let post = |body: &str| admin.ask_with("POST", "/v1/events", body, &[]);
    for body in ["{", "[]", "7", "{\"type\":", "\u{0}"] {
        check(&post(body), 422, "refused");
    }
    for body in ["{}", "{ }", r#"{"data":{}}"#] {
        refused(&post(body), "type: found nothing");
    }
    let person = format!("/v1/recipients/{}", unique("user"));
    check(&admin.ask_with("PUT", &person, "{", &[]), 400, "unreadable");
    check(&admin.ask_with("PATCH", &person, "[]", &[]), 400, "unreadable");
    check(&admin.ask("PUT", &person, Some(&json!({ "nmae": "x" }))), 422, "refused");
    let large = json!({ "type": "t", "data": "x".repeat(1024 * 1024) }).to_string();
    check(&post(&large), 413, "too_large");
    let large = json!({ "type": "t", "data": "x".repeat(220 * 1024) }).to_string();
    check(&post(&large), 422, "refused");
    check(&admin.ask("GET", "/v1/nothing", None), 404, "not_found");
    check(&admin.ask("GET", "/v2/recipients/ann", None), 404, "not_found");
    check(&admin.ask("POST", &person, None), 405, "method_not_allowed");
    check(&admin.ask("GET", "/v1/recipients", None), 400, "bad_query");
    check(&admin.ask("GET", "/v1/recipients?topic=x:1&limit=many", None), 400, "bad_limit");
    check(
        &post(&json!({ "type": "carillon.recipient.deleted", "data": { "id": "x" } }).to_string()),
        403,
        "reserved_type",
    );
    check(&post(&json!({ "type": "t", "source": "/elsewhere" }).to_string()), 403, "forbidden");
    for (members, status, code) in [
        (json!({ "type": "communication.sent" }), 403, "reserved_type"),
        (json!({ "type": "t", "replayid": "r", "renotify": true }), 403, "replay_not_allowed"),
        (json!({ "type": "t", "actor": "somebody-else" }), 403, "actor_not_allowed"),
        (json!({ "type": "t", "authid": "somebody-else" }), 403, "authid_not_allowed"),
        (json!({ "type": "t", "priority": "critical" }), 403, "priority_not_allowed"),
        (json!({ "type": "t", "time": "9999-01-01T00:00:00Z" }), 422, "refused"),
    ] {
        check(&post(&members.to_string()), status, code);
    }
}

#[tokio::test]
async fn audience_is_listed_in_pages_and_only_within_the_tenant() {
    let cloud = Cloud::connect();
    let (clinic, team) = (unique("clinic"), unique("team:7"));
    let ids: Vec<String> = (0..5).map(|at| format!("{clinic}-{at}")).collect();
    for id in &ids {
        cloud.new_recipient_with(json!({ "id": id, "tenants": [clinic], "topics": [team] })).await;
    }
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let (mut seen, mut next) = (Vec::new(), None::<String>);
    loop {
        let more = next.as_ref().map(|next| format!("&next={next}")).unwrap_or_default();
        let page = admin.ask("GET", &format!("/v1/recipients?topic={team}&limit=2{more}"), None).body;
        let people = page["recipients"].as_array().unwrap();
        assert!(people.len() <= 2);
        seen.extend(people.iter().map(|person| person["id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
}

#[test]
fn openapi_document_lists_exactly_the_routes() {
    let text = std::fs::read_to_string(root().join("functions/api/openapi.yaml")).unwrap();
    let document: Value = serde_saphyr::from_str(&text).unwrap();
    let mut described: BTreeMap<String, Value> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "head", "put", "patch", "post", "delete"] {
            if let Some(operation) = item.get(method) {
                described.insert(format!("{} {path}", method.to_uppercase()), operation.clone());
            }
        }
    }
    let routes = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path));
    let open = OPEN.0.iter().map(|item| format!("{item} {}", OPEN.1));
    for item in open.clone() {
        assert_eq!(described[&item]["security"], json!([{}]), "nobody signs {item}");
    }
    let routes: BTreeSet<String> = routes.chain(open).collect();
    assert_eq!(described.keys().cloned().collect::<BTreeSet<_>>(), routes);
    for route in &ROUTES {
        let operation = &described[&format!("{} {}", route.method, route.path)];
        let name = format!("{:?}", route.operation);
        let name = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        assert_eq!(operation["operationId"], name.as_str());
        let heeds_keys = operation["parameters"].to_string().contains("#/components/parameters/key");
        assert_eq!(heeds_keys, route.once, "{name}");
        for status in ["401", "403"] {
            assert!(!operation["responses"][status].is_null(), "{name} says nothing of {status}");
        }
    }
}

#[track_caller]
fn refused(response: &ApiResponse, detail: &str) {
    check(response, 422, "refused");
    assert!(response.body["detail"].as_str().unwrap().starts_with(detail), "{}", response.text);
}

#[track_caller]
pub(crate) fn check(response: &ApiResponse, status: u16, kind: &str) {
    assert_eq!(response.status, status, "{}", response.text);
    if !kind.is_empty() {
        assert_eq!(response.body["title"], kind, "{}", response.text);
        assert_eq!(response.kind, "application/problem+json");
        assert_eq!(response.body["status"], status);
        assert!(response.body["instance"].as_str().is_some_and(|text| text.len() > 25), "{}", response.text);
    }
}
