//! Client of the local cloud that `make test` started.

use aws_request::{Request, Service};
use aws_sdk_sqs::types::Message;
use aws_types::SdkConfig;
use domain::base::stack_secret::StackSecret;
use domain::recipient::Recipient;
use domain::recipient::keyed_hash::KeyedHashes;
use publish::{Entry, EventBridge};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Connections, Counters, Inbox, Ledger, LedgerRow, People, Record};
use workspace::{root, unique};

/// The deployed stack, with an SDK client for each of its services.
pub struct Cloud {
    pub config: SdkConfig,
    pub endpoint: String,
    /// URL of the capture server, which plays the services that the local cloud lacks.
    pub capture: String,
    pub socket_url: String,
    pub bus: EventBridge,
    pub ledger: Ledger,
    pub counters: Counters,
    pub people: People,
    pub connections: Connections,
    pub inbox: Inbox,
    pub sqs: aws_sdk_sqs::Client,
}

#[derive(Deserialize)]
struct State {
    port: u16,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    socket_url: String,
    capture: Running,
}

#[derive(Deserialize)]
struct Running {
    port: u16,
}

/// An e-mail as the local mail service stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct Email {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub raw: Value,
}

impl Cloud {
    pub fn connect() -> Cloud {
        let text = std::fs::read(root().join(".local/cloud.json")).expect("`make up` starts the local cloud");
        let state: State = serde_json::from_slice(&text).unwrap();
        let endpoint = format!("http://127.0.0.1:{}", state.port);
        let capture = format!("http://127.0.0.1:{}", state.capture.port);
        let config = aws::Settings {
            region: state.region,
            access_key_id: state.access_key_id,
            secret_access_key: state.secret_access_key.into(),
            session_token: None,
            endpoint_url: Some(endpoint.clone()),
            service_endpoints: [("SNS".to_owned(), capture.clone())].into(),
            roots: None,
        }
        .config();
        let tables = store::client(&config);
        let table = |item: &str| format!("carillon-local-{item}");
        Cloud {
            bus: EventBridge::new(&config, "carillon-local"),
            ledger: Ledger::new(&tables, table("ledger")),
            counters: Counters::new(&tables, table("counters")),
            people: People::new(&tables, table("people")).with_addresses(),
            connections: Connections::new(&tables, table("connections")),
            inbox: Inbox::new(&tables, table("inbox")),
            sqs: aws_sdk_sqs::Client::new(&config),
            socket_url: state.socket_url,
            capture,
            endpoint,
            config,
        }
    }

    /// Creates a recipient that no other test uses, with an e-mail address of its own.
    pub async fn new_recipient(&self) -> Recipient {
        let id = unique("user");
        let email = format!("{id}@example.com");
        self.new_recipient_with(json!({ "id": id, "name": "Ann", "email": email, "tenants": ["*"] })).await
    }

    pub async fn new_recipient_with(&self, person: Value) -> Recipient {
        let person: Recipient = serde_json::from_value(person).unwrap();
        self.people.put(std::slice::from_ref(&person), now()).await.unwrap();
        person
    }

    /// Keyed hashes with the stack's secret.
    pub async fn hashes(&self) -> KeyedHashes {
        let question = Request {
            doing: "read the stack's secret",
            method: "POST",
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", "secretsmanager.GetSecretValue".to_owned()),
            ],
            body: br#"{"SecretId":"carillon-local-stack"}"#,
        };
        let answer = Service::new(&self.config, "secretsmanager").ask(&question, now()).await.unwrap();
        let value: Value = serde_json::from_slice(answer.body.expose()).unwrap();
        let secret: Value = serde_json::from_str(value["SecretString"].as_str().unwrap()).unwrap();
        KeyedHashes::of(&StackSecret::read(secret["root"].as_str().unwrap()).unwrap())
    }

    /// Puts entries on the bus with one call.
    pub async fn put(&self, entries: &[Entry]) {
        for result in self.bus.put(entries).await {
            result.unwrap();
        }
    }

    /// Final ledger rows of an event.
    pub async fn outcomes(&self, event_id: &str) -> Vec<LedgerRow> {
        let items = store::scan(&self.config, "carillon-local-ledger").await.unwrap();
        let rows = items.iter().filter_map(LedgerRow::read);
        let mut rows: Vec<LedgerRow> =
            rows.filter(|row| row.origin.id == event_id && row.status.is_final()).collect();
        rows.sort_by_key(|row| (row.rule.clone(), row.recipient.clone(), row.channel));
        rows
    }

    pub async fn records(&self, event_id: &str) -> Vec<Record> {
        self.all_records().await.into_iter().filter(|record| record.get("id") == Some(event_id)).collect()
    }

    pub async fn all_records(&self) -> Vec<Record> {
        let items = store::scan(&self.config, "carillon-local-events").await.unwrap();
        items.into_iter().map(Record::from_item).collect()
    }

    /// E-mails sent to an address.
    pub fn emails(&self, to: &str) -> Vec<Email> {
        let body = ask(ureq::get(format!("{}/_ministack/ses/messages", self.endpoint)));
        let accounts = body["messages"].as_object().unwrap().values();
        let emails = accounts.filter_map(Value::as_array).flatten().map(|emails| Email {
            id: emails["MessageId"].as_str().unwrap().to_owned(),
            to: emails["To"][0].as_str().unwrap_or_default().to_owned(),
            subject: emails["Subject"].as_str().unwrap_or_default().to_owned(),
            raw: emails.clone(),
        });
        emails.filter(|email| email.to == to).collect()
    }

    /// SMS sent to a phone number.
    pub fn sms_messages(&self, to: &str) -> Vec<Value> {
        self.captured("sms", to)
    }

    /// Requests that a played provider received for an address.
    pub fn captured(&self, channel: &str, to: &str) -> Vec<Value> {
        let asked = ureq::get(format!("{}/captured", self.capture)).query("channel", channel).query("to", to);
        ask(asked).as_array().cloned().unwrap()
    }

    /// Makes a played provider answer with `status` for all addresses that contain `words`. `None` restores success.
    pub fn set_provider_status(&self, words: &str, status: Option<u16>) {
        let status = status.map(|status| status.to_string()).unwrap_or_default();
        let asked =
            ureq::post(format!("{}/trouble", self.capture)).query("for", words).query("status", status);
        asked.send_empty().unwrap();
    }

    pub async fn queue_url(&self, name: &str) -> String {
        let name = format!("carillon-local-{name}");
        self.sqs.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap()
    }

    pub async fn send(&self, queue: &str, body: &str) {
        let url = self.queue_url(queue).await;
        self.sqs.send_message().queue_url(url).message_body(body).send().await.unwrap();
    }

    /// Messages of a dead-letter queue whose body contains `mark`. They are removed; the others stay.
    /// Other tests read the same queue. Messages that they hold become visible again after a few seconds.
    pub async fn dead_letters(&self, queue: &str, mark: &str) -> Vec<Message> {
        let url = self.queue_url(&format!("{queue}-dead-letters")).await;
        let mut found: Vec<Message> = Vec::new();
        loop {
            let receive = self.sqs.receive_message().queue_url(&url).max_number_of_messages(10);
            let receive = receive.message_attribute_names("All").visibility_timeout(3);
            let messages = receive.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return found;
            }
            for message in
                messages.into_iter().filter(|message| message.body().is_some_and(|body| body.contains(mark)))
            {
                let handle = message.receipt_handle.clone().unwrap();
                self.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
                found.push(message);
            }
        }
    }
}

fn ask(request: ureq::RequestBuilder<ureq::typestate::WithoutBody>) -> Value {
    let text = request.call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A CloudEvent as an entry for the bus.
pub fn cloud_event(kind: &str, id: &str, data: &Value) -> Entry {
    entry(
        "tests",
        kind,
        &json!({
            "specversion": "1.0", "id": id, "source": "tests", "type": kind,
            "time": now_text(), "data": data,
        }),
    )
}

pub fn entry(source: &str, detail_type: &str, detail: &Value) -> Entry {
    let (source, detail_type) = (source.to_owned(), detail_type.to_owned());
    Entry::new(source, detail_type, detail.to_string())
}

#[expect(clippy::disallowed_methods, reason = "a test outside the system reads the clock as a producer does")]
pub fn now() -> domain::Timestamp {
    domain::Timestamp::now()
}

pub fn now_text() -> String {
    now().to_string()
}
