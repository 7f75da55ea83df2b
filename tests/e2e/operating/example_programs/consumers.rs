//! Consumers of Carillon's own events.

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::{BUS, command, item, lines, new_table, python, run};
use testkit::cloud::{Cloud, cloud_event};
use testkit::until::until;
use workspace::{root, unique};

#[tokio::test]
async fn consumers_handle_an_event_that_arrives_twice_once() {
    let cloud = Cloud::connect();
    let queue = Subscription::to_communications(&cloud).await;
    let ann = cloud.new_recipient().await;
    let data = json!({ "to": [ann.id], "message": "Hello." });
    cloud.put(&[cloud_event("core.hello", &queue.event_id, &data)]).await;
    let body = queue.first_message(&cloud).await;
    let message: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(message["detail-type"], "communication.sent");

    let table = new_table(&cloud).await;
    for _ in 0..2 {
        cloud.sqs.send_message().queue_url(&queue.url).message_body(&body).send().await.unwrap();
    }
    let mut rust = command(&root().join("target/local/example-consumer-rust"));
    rust.arg("--until-empty").env("TABLE", &table).env("QUEUE_URL", &queue.url);
    let output = lines(&run(&mut rust, ""));
    assert_eq!(output.iter().map(|line| &line["new"]).collect::<Vec<_>>(), [true, false], "{output:?}");
    assert!(output.iter().all(|line| line["about"] == queue.event_id), "{output:?}");
    assert_eq!(item(&cloud, &table, "total#core.hello").await["succeeded"], "1");

    // Lambda hands the same messages to the Python function, and one that it cannot read.
    let record = |id: &str, body: &str| json!({ "messageId": id, "body": body });
    let batch = json!({ "Records": [record("m-1", &body), record("m-2", "no JSON"), record("m-3", &body)] });
    let table = new_table(&cloud).await;
    let mut lambda = command(&python());
    let code = "import json, sys, consumer; print(json.dumps(consumer.handler(json.load(sys.stdin), None)))";
    lambda.args(["-c", code]).env("TABLE", &table).current_dir(root().join("examples/consumer-python"));
    let output = lines(&run(lambda.env("PYTHONDONTWRITEBYTECODE", "1"), &batch.to_string()));
    assert_eq!(output.last().unwrap(), &json!({ "batchItemFailures": [{ "itemIdentifier": "m-2" }] }));
    assert_eq!(item(&cloud, &table, "total#core.hello").await["succeeded"], "1");
    queue.remove(&cloud).await;
}

/// A queue that gets the `communication.sent` of one event.
struct Subscription {
    name: String,
    url: String,
    event_id: String,
}

impl Subscription {
    async fn to_communications(cloud: &Cloud) -> Subscription {
        let (name, event_id) = (unique("example"), unique("event"));
        let url = cloud.sqs.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
        let attributes =
            cloud.sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
        let arn = attributes.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
        let pattern =
            json!({ "detail-type": ["communication.sent"], "detail": { "data": { "eventId": [event_id] } } });
        let bus = aws_sdk_eventbridge::Client::new(&cloud.config);
        let rule = bus.put_rule().event_bus_name(BUS).name(&name).event_pattern(pattern.to_string());
        rule.send().await.unwrap();
        let target = Target::builder().id("queue").arn(arn).build().unwrap();
        bus.put_targets().event_bus_name(BUS).rule(&name).targets(target).send().await.unwrap();
        Subscription { name, url, event_id }
    }

    /// Takes the message from the queue.
    async fn first_message(&self, cloud: &Cloud) -> String {
        let message = until("the communication is in the queue", async || {
            let receive = cloud.sqs.receive_message().queue_url(&self.url).wait_time_seconds(1);
            receive.send().await.unwrap().messages.unwrap_or_default().pop()
        })
        .await;
        let delete = cloud.sqs.delete_message().queue_url(&self.url);
        delete.receipt_handle(message.receipt_handle.unwrap()).send().await.unwrap();
        message.body.unwrap()
    }

    async fn remove(self, cloud: &Cloud) {
        let bus = aws_sdk_eventbridge::Client::new(&cloud.config);
        bus.remove_targets().event_bus_name(BUS).rule(&self.name).ids("queue").send().await.unwrap();
        bus.delete_rule().event_bus_name(BUS).name(&self.name).send().await.unwrap();
        cloud.sqs.delete_queue().queue_url(&self.url).send().await.unwrap();
    }
}
