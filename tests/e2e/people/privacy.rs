//! Single-use unsubscribe links, hashes keyed with the stack's secret, and notices of changed addresses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::base::channel::Channel;
use domain::base::outcome::Status;
use domain::recipient::keyed_hash::former;
use domain::recipient::recipient_changes::Stamp;
use serde_json::{Value, json};
use testkit::api_client::ApiClient;
use testkit::cloud::{Cloud, cloud_event, entry, now, now_text};
use testkit::until::until;
use workspace::programs::carillon;
use workspace::unique;

use crate::channels::email::{ask, follower, link_in, offer};

#[tokio::test]
async fn used_link_has_no_effect_after_the_person_resubscribed() {
    let cloud = Cloud::connect();
    let (market, reader) = (unique("market"), unique("reader"));
    let advertising = json!({ "commercial_subscribed": true });
    let email = follower(&cloud, &reader, &format!("offers:{market}"), advertising).await;
    let old = link_in(&offer(&cloud, &market, &email).await);
    assert!(ask("GET", &old, None).body.contains("<form"));
    for _ in 0..2 {
        let page = ask("POST", &old, None);
        assert_eq!((page.status, page.body.contains("You are unsubscribed")), (200, true), "{}", page.body);
    }
    let page = ask("GET", &old, None);
    assert!(page.body.contains("You are unsubscribed") && !page.body.contains("<form"), "{}", page.body);
    assert!(is_unsubscribed(&cloud, &reader).await);

    resubscribe(&cloud, &reader).await;
    for method in ["POST", "GET", "POST"] {
        let page = ask(method, &old, None);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("This link was used before"), "{}", page.body);
        assert!(!is_unsubscribed(&cloud, &reader).await, "the word of the person stands");
    }

    let newer = link_in(&offer(&cloud, &market, &email).await);
    assert!(ask("POST", &newer, None).body.contains("You are unsubscribed"));
    assert!(is_unsubscribed(&cloud, &reader).await, "the link of a newer message works");
}

#[tokio::test]
async fn link_is_opaque_and_its_page_names_the_sender() {
    let cloud = Cloud::connect();
    let (market, reader) = (unique("market"), unique("reader"));
    let advertising = json!({ "commercial_subscribed": true });
    let email = follower(&cloud, &reader, &format!("offers:{market}"), advertising).await;
    let link = link_in(&offer(&cloud, &market, &email).await);
    let token = link.rsplit('/').next().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    for part in [reader.as_str(), "commercial", "reader", "k1"] {
        let is_in_bytes = bytes.windows(part.len()).any(|window| window == part.as_bytes());
        assert!(!is_in_bytes && !token.contains(part), "{part}");
    }
    let page = ask("GET", &link, None);
    assert!(page.body.contains("<p class=\"sender\">Carillon</p>"), "{}", page.body);
    let head = ask("HEAD", &link, None);
    assert_eq!((head.status, head.kind, head.body.as_str()), (200, page.kind, ""));
}

#[tokio::test]
async fn stored_hash_of_a_phone_number_needs_the_stacks_secret() {
    let cloud = Cloud::connect();
    let number = format!("+44{:010}", now().as_microsecond().rem_euclid(10_000_000_000));
    let event = unique("event");
    cloud.put(&[address_changed(&event, "phone", &number)]).await;
    let row = until("an outcome", async || cloud.outcomes(&event).await.into_iter().next()).await;
    assert_eq!(row.status, Status::Sent, "{:?}", row.reason);
    let hashes = cloud.hashes().await;
    let keyed = hashes.address(Channel::Sms, &number);
    assert_eq!(row.recipient, format!("address:sms:{keyed}"));
    assert_ne!(row.recipient, former::recipient(Channel::Sms, &number));
    let items = store::scan(&cloud.config, "carillon-local-ledger").await.unwrap();
    let own = items.iter().find(|item| item.get("event_id") == Some(&event)).unwrap();
    assert_eq!(own.get("address"), Some(keyed.as_str()));
    for (name, text) in own.iter_text() {
        let plain = [former::address(Channel::Sms, &number), former::recipient(Channel::Sms, &number)];
        assert!(!plain.iter().any(|hash| text.contains(hash)), "{name}");
        assert!(!text.contains(&number[1..]), "{name}");
    }
}

#[tokio::test]
async fn old_address_is_notified_of_its_change_by_bus_and_api() {
    let cloud = Cloud::connect();
    let clinic = unique("clinic");
    for by_api in [false, true] {
        let id = unique("person");
        let [old, new] = ["old", "new"].map(|age| format!("{age}-{id}@example.com"));
        cloud.new_recipient_with(json!({ "id": id, "email": old, "tenants": [clinic] })).await;
        if by_api {
            let me = ApiClient::of(&id, &clinic, "member");
            let output = me.ask("PATCH", &format!("/v1/recipients/{id}"), Some(&json!({ "email": new })));
            assert_eq!(output.status, 200, "{}", output.body);
        } else {
            let update = json!({ "id": id, "email": new });
            let kind = "carillon.recipient.updated";
            cloud.put(&[cloud_event(kind, &unique("update"), &update)]).await;
        }
        let notified =
            until("the announcement", async || cloud.captured("email", &old).into_iter().next()).await;
        assert!(notified["subject"].as_str().unwrap().contains("e-mail address was changed"), "{notified}");
        assert!(!notified.to_string().contains(&new), "the new address is not told");
        assert!(cloud.captured("email", &new).is_empty());
        let of_person = |record: &store::Record| {
            record.get("type") == Some("recipient.address_changed") && record.get("subject") == Some(&id)
        };
        let events = until("the record", async || {
            let records: Vec<store::Record> =
                cloud.all_records().await.into_iter().filter(of_person).collect();
            Some(records).filter(|records| !records.is_empty())
        })
        .await;
        assert_eq!(events.len(), 1, "announced once");
        assert_eq!(events[0].get("source"), Some(if by_api { "carillon/api" } else { "carillon/people" }));
        assert!(!events[0].get("event").unwrap().contains(&new));
    }
}

#[tokio::test]
async fn changed_whatsapp_number_and_an_import_are_announced_to_the_old_address() {
    let cloud = Cloud::connect();
    let id = unique("person");
    let digits: String = id.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    let number = |last: char| format!("+1555{:0>6}{last}", &digits[digits.len() - 6..]);
    let (old_email, new_email) = (format!("old-{id}@example.com"), format!("new-{id}@example.com"));
    let person = |email: &str, whatsapp: &str| json!({ "id": id, "email": email, "whatsapp": whatsapp, "tenants": ["*"] });
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{id}.json"));
    let import = |person: &Value| {
        std::fs::write(&file, person.to_string()).unwrap();
        let output = carillon(&["people", "import", file.to_str().unwrap()], "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    import(&person(&old_email, &number('1')));
    import(&person(&new_email, &number('2')));
    let email = until("the e-mail", async || cloud.captured("email", &old_email).into_iter().next()).await;
    assert!(email["subject"].as_str().unwrap().contains("e-mail address was changed"), "{email}");
    let message =
        until("the message", async || cloud.captured("whatsapp", &number('1')).into_iter().next()).await;
    assert!(!message.to_string().contains(&number('2')[1..]), "the new number is not told: {message}");
    let of_person = |record: &store::Record| {
        record.get("type") == Some("recipient.address_changed") && record.get("subject") == Some(&id)
    };
    let records: Vec<_> = cloud.all_records().await.into_iter().filter(of_person).collect();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.get("source") == Some("carillon/cli")));
}

/// The address-change event as the people function publishes it.
fn address_changed(id: &str, member: &str, old: &str) -> publish::Entry {
    let (source, kind) = ("carillon/people", "recipient.address_changed");
    let data = json!({
        "recipient": unique("person"), "member": member, "old_address": old, "changed_at": now_text(),
    });
    let detail: Value = json!({
        "specversion": "1.0", "id": id, "source": source, "type": kind, "time": now_text(), "data": data,
    });
    entry(source, kind, &detail)
}

async fn is_unsubscribed(cloud: &Cloud, id: &str) -> bool {
    let people = cloud.people.find(&[id].into()).await.unwrap();
    !people[id].unsubscribed.is_empty()
}

async fn resubscribe(cloud: &Cloud, id: &str) {
    let patch = json!({ "unsubscribed": { "commercial": null } });
    let stamp = Stamp { at: now(), by: "an admin".to_owned() };
    assert!(cloud.people.merge(id, patch.as_object().unwrap().clone(), stamp).await.unwrap());
    assert!(!is_unsubscribed(cloud, id).await);
}
