//! A client that disconnects and resumes.

use std::collections::BTreeSet;

use domain::event::key::Key;
use serde_json::{Value, json};
use testkit::cloud::Cloud;
use testkit::ws_client::Client;
use workspace::unique;

use crate::realtime::inbox::{counts, deliver, fill, mark, sent};

#[tokio::test]
async fn resumed_client_gets_the_messages_it_missed() {
    let cloud = Cloud::connect();
    let user = unique("user");
    let mut client = Client::of(&cloud, &user, None, &[]).await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let job = deliver(&cloud, &user, None, false).await;
        assert_eq!(client.next_message().await["id"], job.key.as_str());
        sent(&cloud, &job.key).await;
        client.ask(&mark("seen", &[&job.key])).await;
        keys.push(job.key);
    }
    client.close().await;
    for _ in 0..3 {
        let job = deliver(&cloud, &user, None, false).await;
        sent(&cloud, &job.key).await;
        keys.push(job.key);
    }
    let mut client = Client::of(&cloud, &user, None, &[]).await;
    let resume = |after: &Key| json!({ "action": "resume", "after": after }).to_string();
    let ids = |output: &Value| -> Vec<String> {
        output["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let missed = client.ask(&resume(&keys[1])).await;
    let expected: Vec<&str> = keys[2..].iter().map(Key::as_str).collect();
    assert_eq!(
        (ids(&missed), &missed["more"]),
        (expected.iter().map(|item| (*item).to_owned()).collect(), &json!(false))
    );
    assert_eq!(missed["counts"], counts(3, 5, 5));
    // Messages may arrive out of order, so unseen messages from shortly before the last one are sent again.
    let missed = client.ask(&resume(&keys[4])).await;
    assert_eq!(ids(&missed), expected[..2]);
    assert_eq!(client.ask(&resume(&Key::parse(&"0".repeat(43)).unwrap())).await["reason"], "unknown_id");

    // A page is bounded, and the client requests the next.
    fill(&cloud, &user, 120, "news").await;
    let (mut after, mut all) = (keys[4].clone(), BTreeSet::new());
    loop {
        let missed = client.ask(&resume(&after)).await;
        let found = ids(&missed);
        assert!(found.len() <= 100);
        after = Key::parse(found.last().unwrap()).unwrap();
        all.extend(found);
        if missed["more"] == false {
            break;
        }
    }
    assert_eq!(all.len(), 120 + 2, "and the two that nobody has seen");
}
