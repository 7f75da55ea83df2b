//! Tenant isolation: no route gives access to the data of another tenant.

use std::collections::BTreeSet;

use ::api::{Operation, ROUTES};
use domain::inbox::{View, Viewer};
use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use workspace::unique;

use super::endpoints::Erp;
use crate::realtime::inbox::{deliver, sent};

#[tokio::test]
async fn no_route_leads_from_one_tenant_to_another() {
    let cloud = Cloud::connect();
    let (ours, theirs, ann, mark) = (unique("ours"), unique("theirs"), unique("ann"), unique("mark"));
    let device = json!({ "id": "d", "platform": "fcm", "endpoint": mark });
    let before = json!({
        "id": ann, "name": mark, "email": format!("{ann}@example.com"), "tenants": [theirs], "devices": [device], "topics": ["x:1"],
        "in_tenants": { &theirs: { "zone": "Asia/Tokyo" } },
    });
    let before = cloud.new_recipient_with(before).await;
    let endpoint = Erp::of(&theirs, &format!("/hooks/disable/{mark}"));
    endpoint.register(&cloud).await;
    let all = OtherTenant::of(&cloud, &theirs, &ann, endpoint.lose(&cloud).await).await;
    let off = endpoint.find(&cloud).await;

    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    for route in &ROUTES {
        let (path, body, expected) = all.aim(route.operation);
        let response = admin.ask(route.method, &path, body.as_ref());
        assert_eq!(response.status, expected, "{} {path}: {}", route.method, response.text);
        for word in [&mark, &theirs, &all.key, &all.live, &all.lost] {
            assert!(!response.text.contains(word), "{} {path}: {}", route.method, response.text);
        }
        let glue = if path.contains('?') { '&' } else { '?' };
        let named = admin.ask(route.method, &format!("{path}{glue}tenant={theirs}"), body.as_ref());
        assert_eq!(named.status, 403, "{} {path}: {}", route.method, named.text);
    }
    let after = cloud.people.find(&BTreeSet::from([ann.as_str()])).await.unwrap().remove(&ann);
    assert!(after == Some(before), "and nothing of theirs has changed");
    assert!(endpoint.find(&cloud).await == off);
    assert_eq!(endpoint.arrived(&cloud), 1, "nothing was sent again");
    let viewer = Viewer { user: ann, view: View::All };
    assert_eq!(cloud.inbox.counts(&viewer, now()).await.unwrap().unseen, 1);
}

/// Resources of another tenant.
struct OtherTenant {
    tenant: String,
    person: String,
    event: String,
    /// Ledger keys of an outcome of the event and of an in-app message in the person's inbox.
    key: String,
    live: String,
    /// Key of a webhook message that failed to reach their endpoint.
    lost: String,
    capture: String,
}

impl OtherTenant {
    async fn of(cloud: &Cloud, tenant: &str, person: &str, lost: String) -> OtherTenant {
        let live = deliver(cloud, person, Some(tenant), false).await;
        sent(cloud, &live.key).await;
        let event = unique("event");
        let mut entry = cloud_event("nobody.cares", &event, &json!({}));
        entry.detail = entry.detail.replacen('{', &format!("{{\"tenant\":\"{tenant}\","), 1);
        cloud.put(&[entry]).await;
        let rows = until("a row", async || Some(cloud.outcomes(&event).await).filter(|all| !all.is_empty()));
        OtherTenant {
            key: rows.await[0].key.as_str().to_owned(),
            tenant: tenant.to_owned(),
            person: person.to_owned(),
            live: live.key.as_str().to_owned(),
            capture: cloud.capture.clone(),
            event,
            lost,
        }
    }

    /// Request of an operation against these resources, and the expected status.
    fn aim(&self, operation: Operation) -> (String, Option<Value>, u16) {
        let OtherTenant { tenant: theirs, person: ann, event, key, live, lost, capture } = self;
        let person = format!("/v1/recipients/{ann}");
        match operation {
            Operation::ListRecipients => ("/v1/recipients?topic=x:1".to_owned(), None, 200),
            Operation::LookUpRecipients => {
                let body = json!({ "email": format!("{ann}@example.com") });
                ("/v1/lookups".to_owned(), Some(body), 200)
            }
            Operation::GetRecipient => (person, None, 404),
            Operation::PutRecipient => (person, Some(json!({ "name": "Eve" })), 409),
            Operation::PatchRecipient => (person, Some(json!({ "name": "Eve" })), 404),
            // The tenant has no person of this id, so the expected response is that of an unknown person.
            Operation::DeleteRecipient => (person, None, 204),
            Operation::ListDevices => (format!("{person}/devices"), None, 404),
            Operation::PutDevice => {
                (format!("{person}/devices/d"), Some(json!({ "platform": "fcm", "endpoint": "eve" })), 404)
            }
            Operation::DeleteDevice => (format!("{person}/devices/d"), None, 404),
            Operation::CloseSockets => (format!("{person}/sockets"), None, 404),
            Operation::GetPreferences => (format!("{person}/preferences"), None, 404),
            Operation::PutPreferences | Operation::PatchPreferences => {
                (format!("{person}/preferences"), Some(json!({ "zone": "Etc/UTC" })), 404)
            }
            Operation::GetTenant => (format!("/v1/tenants/{theirs}"), None, 403),
            Operation::PutTenant => {
                (format!("/v1/tenants/{theirs}"), Some(json!({ "zone": "Etc/UTC" })), 403)
            }
            Operation::IssueTicket => ("/v1/tickets".to_owned(), Some(json!({ "user": ann })), 404),
            Operation::Publish => {
                ("/v1/events".to_owned(), Some(json!({ "type": "nobody.cares", "tenant": theirs })), 403)
            }
            Operation::ListDeliveries => (format!("/v1/events/{event}/deliveries?source=tests"), None, 200),
            Operation::Retry => (format!("/v1/deliveries/{key}/retry"), None, 404),
            Operation::ListInbox => (format!("{person}/inbox"), None, 404),
            Operation::CountInbox => (format!("{person}/inbox/counts"), None, 404),
            Operation::MarkInbox => {
                (format!("{person}/inbox/marks"), Some(json!({ "as": "read", "ids": [live] })), 403)
            }
            Operation::ListReceived => (format!("{person}/deliveries"), None, 404),
            Operation::ListEndpoints => ("/v1/endpoints".to_owned(), None, 200),
            Operation::GetEndpoint => ("/v1/endpoints/erp".to_owned(), None, 404),
            // Ids are scoped to a tenant, so this creates a separate resource with the same id.
            Operation::PutEndpoint => {
                let url = format!("{capture}/hooks/ours");
                ("/v1/endpoints/erp".to_owned(), Some(json!({ "url": url })), 201)
            }
            Operation::DeleteEndpoint => ("/v1/endpoints/erp".to_owned(), None, 204),
            Operation::RotateSecret => ("/v1/endpoints/erp/rotate".to_owned(), None, 404),
            Operation::EnableEndpoint => ("/v1/endpoints/erp/enable".to_owned(), None, 404),
            Operation::DisableEndpoint => ("/v1/endpoints/erp/disable".to_owned(), None, 404),
            Operation::PingEndpoint => ("/v1/endpoints/erp/ping".to_owned(), None, 404),
            Operation::VerifyEndpoint => ("/v1/endpoints/erp/verify".to_owned(), None, 404),
            Operation::ListAttempts => ("/v1/endpoints/erp/attempts".to_owned(), None, 404),
            Operation::RetryMessage => (format!("/v1/endpoints/erp/messages/{lost}/retry"), None, 404),
            Operation::RecoverMessages => {
                ("/v1/endpoints/erp/recover".to_owned(), Some(json!({ "since": now().to_string() })), 404)
            }
        }
    }
}
