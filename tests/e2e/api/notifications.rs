//! Notifications of a person, as the person and the admins of their tenant see them.

use serde_json::json;
use testkit::api_client::ApiClient;
use testkit::cloud::Cloud;
use testkit::until::until;
use workspace::unique;

use super::check;
use crate::realtime::inbox::{deliver, sent};

#[tokio::test]
async fn person_sees_own_notifications_and_admin_sees_those_of_its_tenant() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic, "elsewhere"] })).await;
    let mut keys = Vec::new();
    for tenant in [Some(clinic.as_str()), Some("elsewhere"), None, Some(&clinic)] {
        let job = deliver(&cloud, &ann, tenant, false).await;
        sent(&cloud, &job.key).await;
        keys.push(job.key.as_str().to_owned());
    }
    let (me, admin) =
        (ApiClient::of(&ann, &clinic, "member"), ApiClient::of(&unique("admin"), &clinic, "admin"));
    let path = format!("/v1/recipients/{ann}/deliveries");
    let list = |who: &ApiClient, query: &str| who.ask("GET", &format!("{path}?{query}"), None);
    let keys_of = |body: &serde_json::Value| -> Vec<String> {
        let rows = body["deliveries"].as_array().unwrap().iter();
        rows.map(|row| row["key"].as_str().unwrap().to_owned()).collect()
    };
    let own = [&keys[3], &keys[2], &keys[0]].map(String::clone);
    until("the index has them", async || (keys_of(&list(&me, "").body) == own).then_some(())).await;
    assert_eq!(keys_of(&list(&admin, "").body), [keys[3].clone(), keys[0].clone()]);
    assert_eq!(list(&me, "").body["deliveries"][0]["status"], "sent");
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = list(&me, &format!("limit=1{next}")).body;
        seen.extend(keys_of(&page));
        let Some(position) = page["next"].as_str() else { break };
        next = format!("&next={position}");
    }
    assert_eq!(seen, own);
    assert_eq!(list(&me, "since=2999-01-01T00:00:00Z").body["deliveries"], json!([]));
    check(&list(&me, "since=yesterday"), 400, "bad_query");
    check(&list(&me, &format!("since=2999-01-01T00:00:00Z{next}")), 400, "bad_cursor");
    let ben = ApiClient::of(&unique("ben"), &clinic, "member");
    check(&list(&ben, ""), 403, "forbidden");
}
