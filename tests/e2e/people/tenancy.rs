//! A hostile tenant: an admin tries to reach the data of other tenants.

use std::collections::BTreeSet;

use domain::base::outcome::{Reason, Status};
use domain::recipient::Recipient;
use domain::recipient::recipient_changes::Stamp;
use serde_json::{Map, Value, json};
use store::LedgerRow;
use testkit::api_client::ApiClient;
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::{quiet, until};
use workspace::unique;

use crate::api::check;
use crate::channels::email::upload;
use crate::people::http;

#[tokio::test]
async fn foreign_file_is_refused_and_no_email_goes_out() {
    let cloud = Cloud::connect();
    let (ours, theirs, mule) = (unique("ours"), unique("theirs"), unique("mule"));
    let email = format!("{mule}@attacker.example");
    let secret = format!("tenants/{theirs}/lab/secret.pdf");
    upload(&secret, "%PDF of another tenant", 1);
    cloud.new_recipient_with(json!({ "id": mule, "email": email, "tenants": [ours] })).await;
    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    for key in [secret.clone(), format!("tenants/{ours}/../{theirs}/lab/secret.pdf")] {
        let data = json!({
            "userId": mule, "invoiceId": "i", "number": "1", "total": 1, "currency": "EUR",
            "dueDate": "2026-12-11", "document": { "bucket": "carillon-local-files", "key": key },
        });
        let event = json!({ "type": "billing.invoice.created", "data": data });
        let output = admin.ask("POST", "/v1/events", Some(&event));
        assert_eq!(output.status, 202, "{}", output.text);
        let row = outcome(&cloud, output.body["id"].as_str().unwrap(), "email").await;
        assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::ForbiddenAttachment)), "{key}");
    }
    quiet().await;
    assert!(cloud.captured("email", &email).is_empty(), "no letter, with or without the file");
}

#[tokio::test]
async fn admin_of_one_tenant_neither_sees_nor_changes_devices_of_a_shared_person() {
    let cloud = Cloud::connect();
    let (ours, theirs, ann) = (unique("ours"), unique("theirs"), unique("ann"));
    let (real, evil) = (endpoint("real"), endpoint("evil"));
    let device = json!({ "id": "phone", "platform": "fcm", "endpoint": real });
    let person = json!({ "id": ann, "tenants": [ours, theirs], "devices": [device] });
    let before = cloud.new_recipient_with(person).await;
    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    let path = format!("/v1/recipients/{ann}/devices");
    let listed = admin.ask("GET", &path, None);
    check(&listed, 403, "forbidden");
    assert!(!listed.text.contains(&real));
    let put = json!({ "platform": "fcm", "endpoint": evil });
    check(&admin.ask("PUT", &format!("{path}/evil"), Some(&put)), 403, "forbidden");
    check(&admin.ask("DELETE", &format!("{path}/phone"), None), 403, "forbidden");
    let patch = json!({ "devices": [] });
    check(&admin.ask("PATCH", &format!("/v1/recipients/{ann}"), Some(&patch)), 403, "forbidden");
    assert!(find(&cloud, &ann).await == Some(before));
    let own = ApiClient::of(&ann, &ours, "member");
    assert_eq!(own.ask("GET", &path, None).body["devices"][0]["endpoint"], real.as_str());
    sign_in(&cloud, &theirs, &ann).await;
    until("the note", async || cloud.captured("push", &real).pop()).await;
    assert!(cloud.captured("push", &evil).is_empty());
}

#[tokio::test]
async fn planted_device_gets_no_push_notification_of_another_tenant() {
    let cloud = Cloud::connect();
    let (ours, theirs, ann) = (unique("ours"), unique("theirs"), unique("ann"));
    let planted = endpoint("planted");
    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    let person = format!("/v1/recipients/{ann}");
    check(&admin.ask("PUT", &person, Some(&json!({ "name": "Ann" }))), 200, "");
    let put = json!({ "platform": "fcm", "endpoint": planted });
    check(&admin.ask("PUT", &format!("{person}/devices/planted"), Some(&put)), 200, "");
    // The person joins the other tenant later.
    let both = Map::from_iter([("tenants".to_owned(), json!([ours, theirs]))]);
    let stamp = Stamp { at: now(), by: "tests".to_owned() };
    assert!(cloud.people.merge(&ann, both, stamp).await.unwrap());
    let row = outcome(&cloud, &sign_in(&cloud, &theirs, &ann).await, "push").await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::NoAddress)));
    sign_in(&cloud, &ours, &ann).await;
    until("the note of its own tenant", async || cloud.captured("push", &planted).pop()).await;
    assert_eq!(cloud.captured("push", &planted).len(), 1);
}

#[tokio::test]
async fn tenant_sees_only_its_own_part_of_a_shared_person() {
    let cloud = Cloud::connect();
    let (ours, theirs, ann) = (unique("ours"), unique("theirs"), unique("ann"));
    let mark = unique("mark");
    let device = json!({ "id": mark, "platform": "fcm", "endpoint": mark });
    cloud
        .new_recipient_with(json!({
            "id": ann, "name": "Ann", "email": format!("{mark}@example.com"), "phone": mark, "whatsapp": mark,
            "devices": [device], "tenants": [ours, theirs], "topics": [format!("support:{mark}")],
            "topics_in": { &theirs: [format!("group:{mark}")], &ours: ["team:7"] },
            "roles": [{ "role": mark, "in": theirs }], "in_tenants": { &theirs: { "zone": "Asia/Tokyo" } },
            "unsubscribed": { format!("category:{mark}"): { "at": now().to_string() } },
            "suppressed": [{ "channel": "sms", "why": "opted_out", "address": mark }],
        }))
        .await;
    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    let person = format!("/v1/recipients/{ann}");
    for path in [
        person.clone(),
        "/v1/recipients?topic=team:7".to_owned(),
        format!("{person}/preferences"),
        format!("{person}/inbox"),
        format!("{person}/deliveries"),
    ] {
        let output = admin.ask("GET", &path, None);
        assert_eq!(output.status, 200, "{path}: {}", output.text);
        assert!(!output.text.contains(&mark) && !output.text.contains(&theirs), "{path}: {}", output.text);
    }
    let seen = admin.ask("GET", &person, None).body;
    assert_eq!((&seen["name"], &seen["tenants"]), (&json!("Ann"), &json!([ours])));
}

#[tokio::test]
async fn person_without_tenants_is_visible_and_reachable_to_no_tenant() {
    let cloud = Cloud::connect();
    let ours = unique("ours");
    let id = unique("user");
    let ann = cloud.new_recipient_with(json!({ "id": id, "email": format!("{id}@example.com") })).await;
    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    let (known, unknown) =
        (format!("/v1/recipients/{}", ann.id), format!("/v1/recipients/{}", unique("nobody")));
    for (method, rest, body) in [
        ("GET", "", None),
        ("PATCH", "", Some(json!({ "name": "Eve" }))),
        ("DELETE", "", None),
        ("GET", "/devices", None),
        ("GET", "/inbox", None),
        ("PUT", "/preferences", Some(json!({}))),
    ] {
        let of_known = admin.ask(method, &format!("{known}{rest}"), body.as_ref());
        let of_unknown = admin.ask(method, &format!("{unknown}{rest}"), body.as_ref());
        assert_eq!(
            (of_known.status, &of_known.body["detail"]),
            (of_unknown.status, &of_unknown.body["detail"]),
            "{method} {rest}"
        );
    }
    assert!(find(&cloud, &ann.id).await.is_some());
    let event = json!({ "type": "core.hello", "data": { "to": [ann.id], "message": "You have won." } });
    let output = admin.ask("POST", "/v1/events", Some(&event));
    let row = outcome(&cloud, output.body["id"].as_str().unwrap(), "email").await;
    assert_eq!((row.status, row.reason), (Status::Suppressed, Some(Reason::OtherTenant)));
}

#[tokio::test]
async fn empty_tenant_is_refused_for_every_caller() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    for query in ["tenant=", "tenant", "tenant=%00", "tenant=*", "tenant=a&tenant=b", "Tenant=a"] {
        let (status, problem) = http("GET", &format!("{}?{query}", ann.id), None);
        assert_eq!((status, &problem["title"]), (422, &json!("refused")), "{query}: {problem}");
        let member = ApiClient::of(&ann.id, "a", "member");
        let output = member.ask("GET", &format!("/v1/recipients/{}?{query}", ann.id), None);
        assert_eq!(output.status, 422, "{query}: {}", output.text);
    }
    assert_eq!(http("GET", &ann.id, None).0, 200);
}

/// A device endpoint that no other test uses.
fn endpoint(name: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/local/{}", unique(name))
}

async fn find(cloud: &Cloud, id: &str) -> Option<Recipient> {
    cloud.people.find(&BTreeSet::from([id])).await.unwrap().remove(id)
}

/// Sends a person of a tenant a sign-in notification by push and e-mail, and returns the event's id.
async fn sign_in(cloud: &Cloud, tenant: &str, user: &str) -> String {
    let id = unique("sign-in");
    let data = json!({
        "userId": user, "newDevice": true, "device": "Firefox", "place": "Bremen", "at": now().to_string(),
    });
    let mut event = cloud_event("auth.signin.succeeded", &id, &data);
    let mut detail: Value = serde_json::from_str(&event.detail).unwrap();
    detail["tenant"] = tenant.into();
    event.detail = detail.to_string();
    cloud.put(&[event]).await;
    id
}

/// Outcome of an event on one channel.
async fn outcome(cloud: &Cloud, event: &str, channel: &str) -> LedgerRow {
    let is_wanted = |row: &LedgerRow| row.channel.is_some_and(|found| found.name() == channel);
    until("an outcome", async || cloud.outcomes(event).await.into_iter().find(is_wanted)).await
}
