//! Jobs as dispatch sends them, each to an address of its own, and the messages that arrived there.

use std::sync::LazyLock;
use std::time::Duration;

use domain::base::channel::{AddressForm, Channel};
use domain::delivery::job::Job;
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use serde_json::{Value, json};
use store::Endpoints;
use testkit::cloud::{now, now_text};
use testkit::ws_client::Client;
use workspace::unique;

use crate::suite::Suite;

/// A job and its receiver.
pub(crate) struct TestJob {
    pub(crate) job: Job,
    /// Body of the queue message.
    pub(crate) text: String,
    receiver: Receiver,
}

enum Receiver {
    /// A provider played by the capture server: channel and address.
    Played(&'static str, String),
    Socket(Box<Client>),
}

/// Channels that a test job can use: all channels except those whose addresses are ids of a provider.
pub(crate) static CHANNELS: LazyLock<Vec<Channel>> = LazyLock::new(|| {
    let has_provider_ids = |channel: &Channel| {
        channel.address().is_some_and(|address| matches!(address.form, AddressForm::Id(_)))
    };
    Channel::ALL.into_iter().filter(|channel| !has_provider_ids(channel)).collect()
});

impl TestJob {
    pub(crate) async fn by(suite: &Suite, channel: Channel) -> TestJob {
        let recipient = unique("user");
        let key = unique("key");
        let (receiver, content) = match channel {
            Channel::Push => note(&recipient),
            Channel::Webhook => request(suite, &recipient, &key).await,
            Channel::Socket => frame(suite, &recipient).await,
            Channel::Sms => text("sms"),
            Channel::Whatsapp => text("whatsapp"),
            Channel::Email => email(&recipient),
            Channel::Slack | Channel::Teams => panic!("no test job uses {}", channel.name()),
        };
        let on_unknown = if matches!(channel, Channel::Email | Channel::Sms | Channel::Whatsapp) {
            "hold"
        } else {
            "resend"
        };
        let text = json!({
            "version": 1, "key": key, "rule": "tests", "catalog": "tests", "recipient": recipient,
            "event": { "id": unique("event"), "source": "tests", "type": "t", "time": now_text() },
            "priority": "normal", "on_unknown": on_unknown, "content": content,
        });
        let job = serde_json::from_value(text.clone()).unwrap();
        TestJob { job, text: text.to_string(), receiver }
    }

    pub(crate) async fn send(&self, suite: &Suite) {
        suite.cloud.send(self.job.channel().name(), &self.text).await;
    }

    /// Ids by which the receiver knows the messages that arrived, one per message.
    pub(crate) async fn arrived(&mut self, suite: &Suite) -> Vec<String> {
        match &mut self.receiver {
            Receiver::Played(channel, to) => {
                let found = suite.cloud.captured(channel, to);
                let id =
                    |value: &Value| value["headers"]["webhook-id"].as_str().unwrap_or(to.as_str()).to_owned();
                found.iter().map(id).collect()
            }
            Receiver::Socket(client) => {
                let mut received = Vec::new();
                while let Ok(timeout) =
                    tokio::time::timeout(Duration::from_millis(300), client.next_message()).await
                {
                    received.push(timeout["id"].as_str().unwrap_or_default().to_owned());
                }
                received
            }
        }
    }
}

fn email(recipient: &str) -> (Receiver, Value) {
    let to = format!("{recipient}@example.com");
    let email = json!({ "to": to, "subject": "S", "html": "<p>H</p>", "text": "H", "locale": "en" });
    (Receiver::Played("email", to), json!({ "email": email }))
}

/// A job to a phone number that no other test uses, out of the range reserved for fiction.
fn text(channel: &'static str) -> (Receiver, Value) {
    let digits: u64 =
        unique("").bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let to = format!("+1555{:07}", digits % 10_000_000);
    let content = json!({ "to": to, "text": "Your turn.", "locale": "en" });
    (Receiver::Played(channel, to), json!({ channel: content }))
}

fn note(recipient: &str) -> (Receiver, Value) {
    let endpoint = format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/faults/{recipient}");
    let push = json!({
        "to": { "id": "phone-1", "platform": "fcm", "endpoint": endpoint },
        "title": "Your turn", "body": "Room 7.", "data": {}, "locale": "en",
    });
    (Receiver::Played("push", endpoint), json!({ "push": push }))
}

async fn request(suite: &Suite, recipient: &str, key: &str) -> (Receiver, Value) {
    let path = format!("/hooks/{recipient}");
    let id = EndpointId { tenant: Some(recipient.to_owned()), id: "erp".to_owned() };
    // The endpoint is behind the proxy, so the journal contains its requests.
    let url = format!("{}{path}", suite.proxy.providers);
    let endpoint: Endpoint =
        serde_json::from_value(json!({ "id": "erp", "tenant": recipient, "url": url })).unwrap();
    let secrets = Secrets::of(Secret::new(Scheme::Hmac, vec![7; 32]).unwrap());
    let endpoints =
        Endpoints::new(&store::client(&suite.cloud.config), "carillon-local-endpoints".to_owned());
    endpoints.put(&endpoint, &secrets.into(), now()).await.unwrap();
    let webhook = json!({ "to": id, "body": json!({ "type": "t", "data": { "key": key } }).to_string() });
    (Receiver::Played("webhook", path), json!({ "webhook": webhook }))
}

async fn frame(suite: &Suite, recipient: &str) -> (Receiver, Value) {
    let client = Client::of(&suite.cloud, recipient, None, &[]).await;
    let socket = json!({ "to": { "user": recipient }, "title": "T", "body": "B", "data": {} });
    (Receiver::Socket(Box::new(client)), json!({ "socket": socket }))
}
