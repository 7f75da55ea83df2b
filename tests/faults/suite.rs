//! Set-up of a scenario: exclusive use of the local cloud, short visibility timeouts, and empty queues at the end.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::event::key::Key;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use publish::Stream;
use serde_json::Value;
use testkit::cloud::{Cloud, now};
use tokio::sync::Mutex;
use workspace::root;

use crate::proxy::Proxy;

/// Runs one scenario at a time because faults affect the whole local cloud. Holds the start time of the run, reset
/// after a failure.
static SCENARIO_LOCK: Mutex<Option<Timestamp>> = Mutex::const_new(None);

/// Visibility timeout of unsettled messages in seconds, during a scenario and as deployed.
const VISIBILITY: &str = "4";
pub(crate) const DEPLOYED_VISIBILITY: &str = "180";

/// Number of receives before SQS moves a message to the dead-letter queue.
pub(crate) const MAX_RECEIVES: u64 = 10;

/// Time from the last fault until all queues are empty. `docs/contract/invariants.md` G6 asks for one minute on an idle machine; a loaded
/// one needs longer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(240);

pub(crate) struct Suite {
    pub(crate) cloud: Cloud,
    pub(crate) proxy: Proxy,
    /// Seed of all random choices. A failing run prints it.
    pub(crate) seed: u64,
    /// Start of the first scenario.
    pub(crate) since: Timestamp,
    queues: Vec<String>,
}

/// Runs a scenario. Afterwards the plan of faults is empty and the queues have their deployed settings, even if it
/// failed.
pub(crate) async fn run_scenario(scenario: impl AsyncFnOnce(&Suite)) {
    let mut begun = SCENARIO_LOCK.lock().await;
    let suite = Suite::open(&mut begun).await;
    let output = log().len();
    let played = AssertUnwindSafe(scenario(&suite)).catch_unwind().await;
    suite.proxy.clear();
    suite.set_visibility_timeout(DEPLOYED_VISIBILITY).await;
    suite.set_max_receives(MAX_RECEIVES).await;
    if let Err(panic) = played {
        eprintln!(
            "to repeat it: CARILLON_SEED={} cargo test -p carillon-faults --test faults --profile local",
            suite.seed
        );
        // The next scenario begins with empty queues.
        *begun = None;
        resume_unwind(panic);
    }
    check_no_addresses(log().get(output..).unwrap_or_default());
}

/// `docs/contract/invariants.md` G5: function logs contain no recipient address. All addresses in these tests share one domain. Lines of
/// the local mail service are ignored: it logs recipients and is not ours.
fn check_no_addresses(output: &str) {
    let notified: Vec<&str> =
        output.lines().filter(|line| line.contains("@example.com") && !line.contains("[ses-v2]")).collect();
    assert!(notified.is_empty(), "an address is in the log: {notified:?}");
}

/// Log of the local cloud, which includes the logs of all functions.
pub(crate) fn log() -> String {
    let log = std::fs::read(root().join(".local/ministack.log")).unwrap();
    String::from_utf8_lossy(&log).into_owned()
}

impl Suite {
    async fn open(begun: &mut Option<Timestamp>) -> Suite {
        let cloud = Cloud::connect();
        let listed = cloud.sqs.list_queues().queue_name_prefix("carillon-local-").send().await.unwrap();
        let mut queues = listed.queue_urls.unwrap_or_default();
        queues.retain(|queue| !queue.ends_with("-dead-letters"));
        let seed = runtime::Env::process().number("CARILLON_SEED", 20_261_121).unwrap();
        let since = begun.unwrap_or_else(now);
        let suite = Suite { cloud, proxy: Proxy::connect(), seed: seed.into(), since, queues };
        suite.proxy.clear();
        if begun.is_none() {
            // Messages of other tests do not concern the scenarios.
            for url in &suite.queues {
                suite.cloud.sqs.purge_queue().queue_url(url).send().await.unwrap();
            }
            *begun = Some(since);
        }
        suite.set_visibility_timeout(VISIBILITY).await;
        suite
    }

    pub(crate) async fn set_visibility_timeout(&self, seconds: &str) {
        let calls = self.queues.iter().map(|url| {
            let call = self.cloud.sqs.set_queue_attributes().queue_url(url);
            call.attributes(QueueAttributeName::VisibilityTimeout, seconds).send()
        });
        for set in join_all(calls).await {
            set.unwrap();
        }
    }

    /// Sets `maxReceiveCount` of all queues. A killed function returns its whole batch, so when every message kills
    /// once, each receive counts for the neighbours too.
    pub(crate) async fn set_max_receives(&self, tries: u64) {
        let name = QueueAttributeName::RedrivePolicy;
        for url in &self.queues {
            let call = self.cloud.sqs.get_queue_attributes().queue_url(url);
            let found =
                call.attribute_names(name.clone()).send().await.unwrap().attributes.unwrap_or_default();
            let mut policy: Value = serde_json::from_str(&found[&name]).unwrap();
            policy["maxReceiveCount"] = tries.into();
            let call = self.cloud.sqs.set_queue_attributes().queue_url(url);
            call.attributes(name.clone(), policy.to_string()).send().await.unwrap();
        }
    }

    /// SDK configuration of a client that uses the proxy, as the functions do.
    pub(crate) fn through_proxy(&self) -> SdkConfig {
        self.cloud.config.to_builder().endpoint_url(&self.proxy.url).build()
    }

    /// Waits until no queue has messages, including invisible and delayed ones. Checks twice, because an event between
    /// the bus and a queue is counted by neither.
    pub(crate) async fn wait_until_idle(&self) {
        let (began, mut empty) = (now(), 0);
        loop {
            let left = self.left().await;
            empty = if left.is_empty() { empty + 1 } else { 0 };
            if empty == 2 {
                return;
            }
            let waited = now().duration_since(began).unsigned_abs();
            assert!(
                waited < IDLE_TIMEOUT,
                "{} s after the last fault there are still messages: {left:?}",
                IDLE_TIMEOUT.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Sends messages to a queue with one call. They become visible after `delay_s` seconds.
    pub(crate) async fn send_all(&self, queue: &str, bodies: &[&str], delay_s: i32) {
        let url = self.cloud.queue_url(queue).await;
        let mut call = self.cloud.sqs.send_message_batch().queue_url(url);
        for (at, body) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(*body);
            call = call.entries(entry.delay_seconds(delay_s).build().unwrap());
        }
        assert!(call.send().await.unwrap().failed.is_empty());
    }

    /// Number of events in a stream that are not yet acknowledged.
    pub(crate) async fn pending(&self, stream: &Stream) -> usize {
        let tables = store::client(&self.cloud.config);
        let call = tables.query().table_name("carillon-local-events").key_condition_expression("pk = :pk");
        let pk = AttributeValue::S(format!("stream#-#{}", stream.subject));
        let call = call.expression_attribute_values(":pk", pk).filter_expression("attribute_exists(pending)");
        call.consistent_read(true).send().await.unwrap().items.unwrap_or_default().len()
    }

    /// Ends the lease of a killed sender early.
    pub(crate) async fn end_lease(&self, key: &Key) {
        let (event, own) = key.parts();
        let call = store::client(&self.cloud.config).update_item().table_name("carillon-local-ledger");
        let call =
            call.key("pk", AttributeValue::S(event.to_owned())).key("sk", AttributeValue::S(own.to_owned()));
        let call = call.update_expression("SET lease_until = :then").condition_expression("#s = :claimed");
        let call = call.expression_attribute_names("#s", "status");
        let call = call.expression_attribute_values(":claimed", AttributeValue::S("claimed".to_owned()));
        // The condition fails if the row is settled or claimed by another sender. No lease needs to end then.
        let _ = call.expression_attribute_values(":then", AttributeValue::N("1".to_owned())).send().await;
    }

    async fn left(&self) -> Vec<(String, u64)> {
        let kinds = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.queues.iter().map(|url| {
            let call = self.cloud.sqs.get_queue_attributes().queue_url(url);
            call.set_attribute_names(Some(kinds.to_vec())).send()
        });
        let answers = join_all(asked).await.into_iter().zip(&self.queues);
        let counts = answers.map(|(answer, url)| {
            let found = answer.unwrap().attributes.unwrap_or_default();
            let count = kinds.iter().filter_map(|kind| found.get(kind)?.parse::<u64>().ok()).sum();
            (url.rsplit('/').next().unwrap_or_default().to_owned(), count)
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }
}
