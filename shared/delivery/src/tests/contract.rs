//! The contract between the delivery worker and a channel, for every channel: a job of each is claimed, sent and settled
//! in the same way. A new channel is covered without a change here.

use std::io::Write;
use std::sync::{Arc, Mutex};

use domain::base::channel::{AddressForm, Channel, Destination, OnUnknown};

use super::standings::found;
use super::*;

/// The address and the text of every job. Neither may be logged.
const TEXT: &str = "confidential-7f3a";
const EMAIL: &str = "private-7f3a@example.com";
const PHONE: &str = "+447911123456";

#[tokio::test]
async fn job_whose_claim_is_lost_is_not_sent_and_comes_back() {
    for channel in Channel::ALL {
        let cloud = Cloud::start(|call| found(call, "claimed", 60));
        let (report, sends) = answered(&cloud, channel, &json!({}), 30, || panic!("not sent")).await;
        assert_eq!((report.returned(), sends), (1, 0), "{channel:?}");
        assert!(cloud.settled().is_empty(), "{channel:?}");
    }
}

#[tokio::test]
async fn throttled_job_is_released_without_an_attempt_and_comes_back_after_the_pause() {
    for channel in Channel::ALL {
        let cloud = Cloud::start(put_back_takes);
        let delay = std::time::Duration::from_secs(120);
        let throttled = || Err(Failure::Throttled { delay, source: "429".into() });
        let (_, sends) = answered(&cloud, channel, &json!({}), 30, throttled).await;
        assert_eq!((sends, last_outcome(&cloud)), (1, ("released".to_owned(), None)), "{channel:?}");
        let hidden = cloud.calls("ChangeMessageVisibility").into_iter();
        let hidden = hidden.filter_map(|call| call.body["VisibilityTimeout"].as_i64());
        let copies = cloud.calls("SendMessageBatch").into_iter();
        let copies = copies.filter_map(|call| call.body["Entries"][0]["DelaySeconds"].as_i64());
        let pause = hidden.chain(copies).max().unwrap_or_default();
        assert!(pause >= 119, "{channel:?} pauses {pause} s");
    }
}

#[tokio::test]
async fn send_without_an_answer_is_unknown_where_it_is_held_and_tried_again_where_the_receiver_deduplicates()
{
    for channel in Channel::ALL {
        let cloud = Cloud::start(put_back_takes);
        let (_, sends) = answered(&cloud, channel, &json!({}), 30, || Ok(Sent::Unknown)).await;
        let expected = match channel.on_unknown() {
            OnUnknown::Hold => "unknown",
            OnUnknown::Resend => "released",
        };
        assert_eq!((sends, last_outcome(&cloud).0.as_str()), (1, expected), "{channel:?}");
    }
}

#[tokio::test]
async fn expired_job_is_suppressed_and_not_sent() {
    for channel in Channel::ALL {
        let cloud = Cloud::start(Call::fine);
        let own = json!({ "expires_at": "2020-01-01T00:00:00Z" });
        let (report, sends) = answered(&cloud, channel, &own, 30, || panic!("not sent")).await;
        let outcome = last_outcome(&cloud);
        assert_eq!((report.returned(), sends), (0, 0), "{channel:?}");
        assert_eq!(outcome, ("suppressed".to_owned(), Some("expired".to_owned())), "{channel:?}");
    }
}

#[tokio::test]
async fn job_without_time_before_the_deadline_is_not_sent_and_comes_back() {
    for channel in Channel::ALL {
        let cloud = Cloud::start(put_back_takes);
        let (report, sends) = deliver_until(&cloud, channel, &json!({}), 0, || panic!("not sent")).await;
        assert_eq!(sends, 0, "{channel:?}");
        assert!(report.is_none_or(|report| report.returned() == 1), "{channel:?}");
        let settled = cloud.settled();
        assert!(settled.iter().all(|outcome| outcome.status == "released"), "{channel:?}");
    }
}

#[tokio::test]
async fn permanent_refusal_is_recorded_with_its_reason_and_consumed() {
    for channel in Channel::ALL {
        let cloud = Cloud::start(Call::fine);
        let refused = || Err(Failure::Permanent { reason: Reason::Rejected, source: "no".into() });
        let (report, sends) = answered(&cloud, channel, &json!({}), 30, refused).await;
        assert_eq!((report.returned(), sends), (0, 1), "{channel:?}");
        assert_eq!(last_outcome(&cloud), ("failed".to_owned(), Some("rejected".to_owned())), "{channel:?}");
    }
}

#[tokio::test]
async fn no_address_and_no_text_is_logged_or_written_to_the_ledger() {
    // With a single subscriber, tracing asks only the thread that reaches a call first. Another test may be that thread.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    for channel in Channel::ALL {
        let logged = Logged::default();
        let subscriber = tracing_subscriber::fmt().with_writer(logged.clone()).json().finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let cloud = Cloud::start(put_back_takes);
        let address = address(channel);
        let source = format!("provider says no to {address}");
        for answer in [
            Err(Failure::Transient("503".into())),
            Err(Failure::Permanent { reason: Reason::Rejected, source: "no".into() }),
            Ok(Sent::Unknown),
        ] {
            let answer = RefCell::new(Some(answer));
            answered(&cloud, channel, &json!({}), 30, || answer.take().unwrap()).await;
        }
        if source.contains(['@', '+']) {
            // Services quote what they were sent: words that may be an e-mail address or a number are removed.
            answered(&cloud, channel, &json!({}), 30, || Err(Failure::Transient(source.clone().into())))
                .await;
        }
        drop(guard);
        let text = logged.text();
        assert!(text.contains("channel") && !text.contains(TEXT) && !text.contains(&address), "{text}");
        for call in cloud.calls("BatchExecuteStatement") {
            let written = call.body.to_string();
            assert!(!written.contains(TEXT) && !written.contains(&address), "{channel:?}: {written}");
        }
    }
}

/// Delivers one job of the channel whose provider answers this; the report, and how often the provider was called.
async fn answered(
    cloud: &Cloud,
    channel: Channel,
    own: &Value,
    seconds: u64,
    answer: impl Fn() -> Result<Sent, Failure>,
) -> (Report, usize) {
    let (report, sends) = deliver_until(cloud, channel, own, seconds, answer).await;
    (report.expect("the ledger was asked"), sends)
}

/// The same with a deadline in so many seconds. No report: the whole batch comes back.
async fn deliver_until(
    cloud: &Cloud,
    channel: Channel,
    own: &Value,
    seconds: u64,
    answer: impl Fn() -> Result<Sent, Failure>,
) -> (Option<Report>, usize) {
    let mut members = json!({ "key": "one", "version": 2, "on_unknown": channel.on_unknown() });
    members["content"] = content(channel);
    members.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let job = body(&members);
    assert_eq!(Job::read(&job).ok().map(|job| job.channel()), Some(channel), "a job of the channel");
    let sends = RefCell::new(0);
    let send = async |_: &Job| {
        *sends.borrow_mut() += 1;
        answer()
    };
    let report = worker(cloud).deliver(batch(&[job], seconds), send).await;
    (report.ok(), sends.take())
}

/// The content of a job, by the kind of place that the channel sends to.
fn content(channel: Channel) -> Value {
    let to = address(channel);
    match &channel.spec().destination {
        Destination::Address(spec) => match spec.form {
            AddressForm::Email => {
                json!({ "email": { "to": to, "subject": TEXT, "html": TEXT, "text": TEXT, "locale": "en" } })
            }
            AddressForm::Phone => json!({ channel.name(): { "to": to, "text": TEXT, "locale": "en" } }),
            AddressForm::Id(_) => {
                json!({ "message": { "channel": channel.name(), "to": to, "text": TEXT, "locale": "en" } })
            }
        },
        Destination::Devices => {
            let device = json!({ "id": "phone", "platform": "fcm", "endpoint": to });
            json!({ "push": { "to": device, "title": TEXT, "body": TEXT, "data": {}, "locale": "en" } })
        }
        Destination::Sockets => {
            json!({ "socket": { "to": { "user": to }, "title": TEXT, "body": TEXT, "data": {} } })
        }
        Destination::Endpoints => json!({ "webhook": { "to": { "id": to }, "body": TEXT } }),
    }
}

fn address(channel: Channel) -> String {
    match &channel.spec().destination {
        Destination::Address(spec) => match spec.form {
            AddressForm::Email => EMAIL.to_owned(),
            AddressForm::Phone => PHONE.to_owned(),
            AddressForm::Id(parse) => parse(spec.example).expect("the example of the spec is an address"),
        },
        Destination::Devices => "arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/app/7f3a".to_owned(),
        Destination::Sockets | Destination::Endpoints => "target-7f3a".to_owned(),
    }
}

fn put_back_takes(call: &Call) -> (u16, Value) {
    match call.operation.as_str() {
        "SendMessageBatch" => {
            let taken = json!({ "Id": "0", "MessageId": "m", "MD5OfMessageBody": "x" });
            (200, json!({ "Successful": [taken], "Failed": [] }))
        }
        _ => call.fine(),
    }
}

fn last_outcome(cloud: &Cloud) -> (String, Option<String>) {
    let last = cloud.settled().pop().expect("an outcome");
    (last.status, last.reason)
}

/// Log lines in memory.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Logged {
    type Writer = Logged;

    fn make_writer(&'a self) -> Logged {
        self.clone()
    }
}
