//! End of socket sessions: by token expiry, by changes of the person or a tenant, and on request.

use std::time::Duration;

use serde_json::json;
use testkit::api_client::{ApiClient, claims, forged};
use testkit::cloud::{Cloud, entry, now, now_text};
use testkit::ws_client::{Client, ticket};
use workspace::unique;

use crate::api::check;
use crate::realtime::inbox::deliver;

#[tokio::test]
async fn socket_ends_with_the_token_that_opened_it() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let honest = ApiClient::of(&ann, &clinic, "member");
    let exp = now().as_second() + 30;
    let short = forged(&claims(&honest.token, &json!({ "exp": exp })), "rs256");
    let short = ApiClient::with(honest.url.clone(), short);
    let output = short.ask("POST", "/v1/tickets", None);
    check(&output, 201, "");
    assert_eq!(output.body["session_ends_at"], domain::Timestamp::from_second(exp).unwrap().to_string());
    let mut client = Client::connect(&cloud, output.body["ticket"].as_str().unwrap()).await.unwrap();
    assert_eq!(client.ask(r#"{"action":"ping"}"#).await["type"], "pong");
    while now().as_second() <= exp {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(short.ask("POST", "/v1/tickets", None).status, 401, "no further ticket");
    deliver(&cloud, &ann, Some(&clinic), false).await;
    assert!(client.receives_nothing().await, "nothing is sent to it");
    client.say(r#"{"action":"inbox"}"#).await;
    for received in client.until_close().await {
        assert_eq!(received["reason"], "not_connected", "nothing is done for it: {received}");
    }
}

#[tokio::test]
async fn deleting_a_person_closes_all_their_sockets() {
    let cloud = Cloud::connect();
    let (clinic, ann, ben) = (unique("clinic"), unique("ann"), unique("ben"));
    for id in [&ann, &ben] {
        cloud.new_recipient_with(json!({ "id": id, "tenants": [clinic] })).await;
    }
    let (anns, bens) =
        (Client::of(&cloud, &ann, Some(&clinic), &[]).await, Client::of(&cloud, &ben, None, &[]).await);
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    let unused = ticket(&cloud, &ann, Some(&clinic), &[], 30).await;
    check(&admin.ask("DELETE", &format!("/v1/recipients/{ann}"), None), 204, "");
    assert!(anns.until_close().await.is_empty(), "by the API");
    assert!(Client::connect(&cloud, &unused).await.is_err(), "a ticket from before");
    let output = ApiClient::of(&ann, &clinic, "member").ask("POST", "/v1/tickets", None);
    check(&output, 403, "forbidden");

    let deleted = json!({
        "specversion": "1.0", "id": unique("event"), "source": "tests", "type": "carillon.recipient.deleted",
        "time": now_text(), "tenant": clinic, "data": { "id": ben },
    });
    cloud.put(&[entry("tests", "carillon.recipient.deleted", &deleted)]).await;
    assert!(bens.until_close().await.is_empty(), "by the bus");
}

#[tokio::test]
async fn removing_a_tenant_closes_its_sockets_and_no_others() {
    let cloud = Cloud::connect();
    let (left, kept, ann) = (unique("left"), unique("kept"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [left, kept] })).await;
    let lost = Client::of(&cloud, &ann, Some(&left), &[]).await;
    let mut open = Client::of(&cloud, &ann, Some(&kept), &[]).await;
    let updated = json!({
        "specversion": "1.0", "id": unique("event"), "source": "tests", "type": "carillon.recipient.updated",
        "time": now_text(), "data": { "id": ann, "tenants": [kept] },
    });
    cloud.put(&[entry("tests", "carillon.recipient.updated", &updated)]).await;
    assert!(lost.until_close().await.is_empty());
    assert_eq!(open.ask(r#"{"action":"ping"}"#).await["type"], "pong");
    open.close().await;
}

#[tokio::test]
async fn person_is_signed_out_by_themselves_or_by_an_admin() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("ann"));
    cloud.new_recipient_with(json!({ "id": ann, "tenants": [clinic] })).await;
    let path = format!("/v1/recipients/{ann}/sockets");
    let me = ApiClient::of(&ann, &clinic, "member");
    let admin = ApiClient::of(&unique("admin"), &clinic, "admin");
    for who in [&me, &admin] {
        let client = Client::of(&cloud, &ann, Some(&clinic), &[]).await;
        let mut elsewhere = Client::of(&cloud, &ann, Some("elsewhere"), &[]).await;
        let unused = ticket(&cloud, &ann, Some(&clinic), &[], 30).await;
        check(&who.ask("DELETE", &path, None), 204, "");
        assert!(client.until_close().await.is_empty());
        assert!(Client::connect(&cloud, &unused).await.is_err(), "a ticket from before");
        assert_eq!(elsewhere.ask(r#"{"action":"ping"}"#).await["type"], "pong", "of another tenant");
        elsewhere.close().await;
        let again = me.ask("POST", "/v1/tickets", None);
        let again = Client::connect(&cloud, again.body["ticket"].as_str().unwrap()).await.unwrap();
        again.close().await;
    }
    let other = ApiClient::of(&unique("ben"), &clinic, "member");
    check(&other.ask("DELETE", &path, None), 403, "forbidden");
}
