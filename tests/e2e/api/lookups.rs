//! Lookup of people by address, limited to the caller's tenant.

use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::Cloud;
use workspace::programs::{carillon, json_lines};
use workspace::unique;

/// Ids that a caller finds by an e-mail address.
fn found(admin: &ApiClient, email: &str) -> Vec<Value> {
    let response = admin.ask("POST", "/v1/lookups", Some(&json!({ "email": email })));
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["recipients"].as_array().unwrap().iter().map(|person| person["id"].clone()).collect()
}

#[tokio::test]
async fn tenant_finds_its_people_by_address_and_no_shared_person() {
    let cloud = Cloud::connect();
    let (ours, theirs, ann, ben) = (unique("ours"), unique("theirs"), unique("ann"), unique("ben"));
    let email = |id: &str| format!("{id}@example.com");
    let own = json!({ "id": ann, "email": email(&ann), "phone": "+44 20 7946 0102", "tenants": [ours] });
    cloud.new_recipient_with(own).await;
    // A tenant sees no address of a person who belongs to other tenants too, and cannot find them by one.
    cloud.new_recipient_with(json!({ "id": ben, "email": email(&ben), "tenants": [ours, theirs] })).await;
    let admin = ApiClient::of(&unique("admin"), &ours, "admin");
    assert_eq!(found(&admin, &email(&ann).to_uppercase()), [json!(ann)]);
    assert!(found(&admin, &email(&ben)).is_empty());
    let stranger = ApiClient::of(&unique("admin"), &theirs, "admin");
    assert!(found(&stranger, &email(&ann)).is_empty());
    let by_phone = admin.ask("POST", "/v1/lookups", Some(&json!({ "phone": "+442079460102" })));
    let people = by_phone.body["recipients"].as_array().unwrap();
    assert!(people.iter().any(|person| person["id"] == ann.as_str()), "{}", by_phone.text);
    let member = ApiClient::of(&ann, &ours, "member");
    assert_eq!(member.ask("POST", "/v1/lookups", Some(&json!({ "email": email(&ann) }))).status, 403);
    for wrong in
        [json!({}), json!({ "email": "s3cret" }), json!({ "email": email(&ann), "phone": "+442079460102" })]
    {
        let response = admin.ask("POST", "/v1/lookups", Some(&wrong));
        assert!(response.status == 422 && !response.text.contains("s3cret"), "{}", response.text);
    }

    // After a change of address only the new address finds the person.
    let moved = json!({ "email": email(&format!("{ann}-new")) });
    assert_eq!(admin.ask("PATCH", &format!("/v1/recipients/{ann}"), Some(&moved)).status, 200);
    assert!(found(&admin, &email(&ann)).is_empty());
    assert_eq!(found(&admin, &email(&format!("{ann}-new"))), [json!(ann)]);
    let operator = carillon(&["--json", "people", "find", "--email", &email(&ben)], "");
    assert_eq!(json_lines(&operator)[0]["id"], ben.as_str());
    assert!(!String::from_utf8_lossy(&operator.stdout).contains("@example.com"));
}
