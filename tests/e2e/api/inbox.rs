//! An inbox that is read and updated over HTTP, and deleted with its owner.

use domain::catalog::rule::Unless;
use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::{Cloud, cloud_event, now};
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::unique;

use super::check;
use crate::realtime::inbox::{counts, deliver, fill, sent};

#[tokio::test]
async fn in_app_message_is_listed_counted_and_marked() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let first = deliver(&cloud, &ann, Some(&clinic), false).await;
    sent(&cloud, &first.key).await;
    let elsewhere = deliver(&cloud, &ann, Some("elsewhere"), false).await;
    sent(&cloud, &elsewhere.key).await;
    let me = ApiClient::of(&ann, &clinic, "member");
    let inbox = format!("/v1/recipients/{ann}/inbox");
    let response = me.ask("GET", &inbox, None);
    assert_eq!(response.status, 200, "{}", response.text);
    let entries = response.body["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "another tenant's word is not there: {}", response.text);
    assert_eq!((&entries[0]["id"], &entries[0]["state"]), (&json!(first.key), &json!("unseen")));
    assert_eq!((&response.body["counts"], &response.body["next"]), (&counts(1, 1, 1), &Value::Null));
    assert_eq!(me.ask("GET", &format!("{inbox}/counts"), None).body, counts(1, 1, 1));

    // A message without a tenant belongs to the person, and no admin sees it.
    fill(&cloud, &ann, 1, "news").await;
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let looked = admin.ask("GET", &inbox, None).body;
    assert_eq!((&looked["counts"], looked["entries"].as_array().unwrap().len()), (&counts(1, 1, 1), 1));
    assert_eq!(looked["entries"][0]["tenant"], clinic.as_str());
    assert_eq!(admin.ask("GET", &format!("{inbox}/counts"), None).body, counts(1, 1, 1));
    assert_eq!(me.ask("GET", &inbox, None).body["counts"], counts(2, 2, 2));
    let all = json!({ "as": "seen", "all": true });
    check(&admin.ask("POST", &format!("{inbox}/marks"), Some(&all)), 403, "forbidden");

    let mark = |body: Value| me.ask("POST", &format!("{inbox}/marks"), Some(&body));
    let mut open = Client::of(&cloud, &ann, Some(&clinic), &[]).await;
    let response = mark(json!({ "as": "read", "ids": [first.key, elsewhere.key] })).body;
    assert_eq!(response["entries"], json!([{ "id": first.key, "state": "read" }]));
    assert_eq!(response["refused"], json!([{ "id": elsewhere.key, "reason": "not_yours" }]));
    assert_eq!(response["counts"], counts(1, 1, 2));
    let received = open.next_message().await;
    assert_eq!(
        received,
        json!({ "type": "counts", "unseen": 1, "unread": 1, "total": 2 }),
        "an open socket knows"
    );
    open.close().await;
    let noticed = cloud.ledger.noticed(std::slice::from_ref(&first.key)).await.unwrap();
    assert_eq!(noticed, Some(Unless::Seen), "escalations heed it");
    assert_eq!(mark(json!({ "as": "archived", "all": true })).body["count"], 2);
    assert_eq!(me.ask("GET", &inbox, None).body["entries"], json!([]));
    let archived = me.ask("GET", &format!("{inbox}?filter=archived"), None).body;
    assert!(archived["entries"].as_array().unwrap().iter().any(|items| items["id"] == json!(first.key)));
}

#[tokio::test]
async fn read_only_socket_of_an_admin_receives_its_own_tenant_and_cannot_mark() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let response = admin.ask("POST", "/v1/tickets", Some(&json!({ "user": ann })));
    let mut admins = Client::connect(&cloud, response.body["ticket"].as_str().unwrap()).await.unwrap();
    let response = ApiClient::of(&ann, &clinic, "member").ask("POST", "/v1/tickets", None);
    let mut anns = Client::connect(&cloud, response.body["ticket"].as_str().unwrap()).await.unwrap();

    // Example: a one-time login code.
    let of_none = deliver(&cloud, &ann, None, false).await;
    assert_eq!(anns.next_message().await["id"], json!(of_none.key));
    let of_clinic = deliver(&cloud, &ann, Some(&clinic), false).await;
    let received = admins.next_message().await;
    assert_eq!(received["id"], json!(of_clinic.key), "the first thing they hear");
    assert_eq!(received["inbox"]["total"], 1);
    assert_eq!(anns.next_message().await["inbox"]["total"], 2);

    let listed = admins.ask(r#"{"action":"inbox"}"#).await;
    let ids: Vec<&Value> = listed["entries"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!((ids, &listed["counts"]), (vec![&json!(of_clinic.key)], &counts(1, 1, 1)));
    let ids = json!([of_clinic.key, of_none.key]);
    let response = admins.ask(&json!({ "action": "acknowledge", "ids": ids }).to_string()).await;
    assert!(
        response["refused"].as_array().unwrap().iter().all(|items| items["reason"] == "not_yours"),
        "{response}"
    );
    assert_eq!(admins.ask(r#"{"action":"mark","as":"seen","all":true}"#).await["reason"], "not_yours");
    assert_eq!(cloud.ledger.noticed(std::slice::from_ref(&of_clinic.key)).await.unwrap(), None);

    let marked = anns.ask(r#"{"action":"mark","as":"seen","all":true}"#).await;
    assert_eq!(marked["counts"], counts(0, 2, 2));
    let received = admins.next_message().await;
    assert_eq!(
        (&received["type"], &received["total"], &received["unseen"]),
        (&json!("counts"), &json!(1), &json!(0))
    );
    admins.close().await;
    anns.close().await;
}

#[tokio::test]
async fn inbox_is_listed_in_pages_and_by_category() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    fill(&cloud, &ann, 5, "news").await;
    fill(&cloud, &ann, 2, "billing").await;
    let me = ApiClient::of(&ann, &clinic, "member");
    let list = |query: &str| me.ask("GET", &format!("/v1/recipients/{ann}/inbox?{query}"), None);
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("category=news&limit=2{next}")).body;
        let numbers = page["entries"].as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap());
        seen.extend(numbers);
        let Some(position) = page["next"].as_str() else { break };
        next = format!("&next={position}");
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let next = list("limit=1").body["next"].as_str().unwrap().to_owned();
    check(&list(&format!("limit=1&filter=unread&next={next}")), 400, "bad_cursor");
    check(&list("filter=attic"), 400, "bad_query");
    check(&list(&format!("category={}", "x".repeat(257))), 400, "bad_query");
    let mark = |body: &str| me.ask_with("POST", &format!("/v1/recipients/{ann}/inbox/marks"), body, &[]);
    for body in [
        r#"{"as":"read"}"#,
        r#"{"as":"read","ids":[]}"#,
        r#"{"as":"read","ids":["x"]}"#,
        r#"{"as":"eaten","all":true}"#,
        r#"{"as":"read","all":true,"ids":[]}"#,
        r#"{"as":"read","all":true,"categroy":"news"}"#,
    ] {
        check(&mark(body), 422, "refused");
    }
    check(&mark("{"), 400, "unreadable");
    check(&mark(&json!({ "as": "read", "ids": ["x".repeat(1 << 20)] }).to_string()), 413, "too_large");
    assert_eq!(mark(r#"{"as":"seen","all":true,"category":"news"}"#).body["counts"], counts(2, 7, 7));
}

#[tokio::test]
async fn deleted_person_has_no_inbox_however_they_were_deleted() {
    let cloud = Cloud::connect();
    let clinic = unique("clinic");
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    for by_bus in [false, true] {
        let ann = unique("ann");
        let viewer = domain::inbox::Viewer { user: ann.clone(), view: domain::inbox::View::All };
        cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
        fill(&cloud, &ann, 30, "news").await;
        match by_bus {
            true => {
                let gone = cloud_event("carillon.recipient.deleted", &unique("gone"), &json!({ "id": ann }));
                cloud.put(&[gone]).await;
            }
            false => check(&admin.ask("DELETE", &format!("/v1/recipients/{ann}"), None), 204, ""),
        }
        until("nothing is left", async || {
            let counts = cloud.inbox.counts(&viewer, now()).await.unwrap();
            let page = cloud.inbox.page(&viewer, &Default::default(), None, 100, now()).await.unwrap();
            (counts.total == 0 && page.entries.is_empty()).then_some(())
        })
        .await;
        // A new person with the same id starts with an empty inbox.
        fill(&cloud, &ann, 2, "news").await;
        assert_eq!(cloud.inbox.counts(&viewer, now()).await.unwrap().total, 2);
        check(&admin.ask("DELETE", &format!("/v1/recipients/{ann}"), None), 204, "");
    }
}
