//! `core.hello` events from the bus to the recipient's mailbox and inbox.

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use publish::Entry;
use serde_json::{Value, json};
use store::{LedgerRow, Record};
use testkit::cloud::{Cloud, entry, now_text};
use testkit::until::until;
use workspace::unique;

use crate::suite::Suite;

/// A `core.hello` event for a known and an unknown recipient. Every call about the event contains its mark.
pub(crate) struct HelloEvent {
    pub(crate) mark: String,
    address: String,
    time: String,
}

/// Number of ledger rows per event: an e-mail, an inbox entry, and two suppressed rows for the unknown recipient.
const ROWS: usize = 4;

impl HelloEvent {
    pub(crate) async fn new(cloud: &Cloud) -> HelloEvent {
        let mark = unique("hello");
        let address = format!("{mark}@example.com");
        cloud
            .new_recipient_with(json!({ "id": format!("{mark}-ann"), "name": "Ann", "email": address }))
            .await;
        HelloEvent { mark, address, time: now_text() }
    }

    /// The CloudEvent as a producer writes it.
    pub(crate) fn event(&self) -> Value {
        json!({
            "specversion": "1.0", "id": self.mark, "source": self.mark, "type": "core.hello", "time": self.time,
            "data": { "to": [format!("{}-ann", self.mark), format!("{}-stranger", self.mark)], "message": "Hello." },
        })
    }

    pub(crate) fn entry(&self) -> Entry {
        entry(&self.mark, "core.hello", &self.event())
    }

    pub(crate) async fn put(&self, cloud: &Cloud) {
        cloud.put(&[self.entry()]).await;
    }

    async fn rows(&self, suite: &Suite) -> Vec<LedgerRow> {
        until(&format!("all that comes of {}", self.mark), async || {
            let rows = suite.cloud.ledger.of_event(&self.mark, &self.mark).await.unwrap();
            Some(rows).filter(|all| all.len() >= ROWS && all.iter().all(|row| row.status.is_final()))
        })
        .await
    }

    /// Checks the event against the reliability contract. `ambiguous`: the number of replies about its e-mail that may
    /// be lost.
    pub(crate) async fn check(&self, suite: &Suite, ambiguous: usize) {
        let rows = self.rows(suite).await;
        // G1
        assert_eq!(rows.len(), ROWS, "{}: {rows:?}", self.mark);
        for row in &rows {
            if row.recipient.ends_with("-stranger") {
                let expected = (Status::Suppressed, Some(Reason::UnknownRecipient));
                assert_eq!((row.status, row.reason), expected, "{row:?}");
                continue;
            }
            match row.channel {
                Some(Channel::Email) => {
                    let emails = suite.cloud.captured("email", &self.address);
                    // G2: an e-mail with an unknown outcome is held, never sent again.
                    assert!(emails.len() <= 1, "{}: {} letters", self.mark, emails.len());
                    let is_known = row.status == Status::Sent && emails.len() == 1;
                    let in_doubt = row.status == Status::Unknown && ambiguous > 0;
                    assert!(is_known || in_doubt, "{}: {row:?}, {} letters", self.mark, emails.len());
                }
                Some(Channel::Socket) => {
                    let is_kept = row
                        .provider_id
                        .as_deref()
                        .is_some_and(|provider_id| provider_id.starts_with("inbox:"));
                    assert!(row.status == Status::Sent && is_kept, "{row:?}");
                }
                _ => panic!("{row:?}"),
            }
        }
    }
}

/// G3 and G4 for all events: the event store has each event once and each delivery event once.
pub(crate) async fn check_records(suite: &Suite, events: &[HelloEvent]) {
    until("the books have everything", async || {
        let records = suite.cloud.all_records().await;
        let all = events.iter().map(|event| event.notified(&records));
        let all: Vec<(usize, usize)> = all.collect();
        for (event, (kept, notified)) in events.iter().zip(&all) {
            assert!(*kept <= 1 && *notified <= ROWS, "{}: kept {kept} times, told {notified}", event.mark);
        }
        all.iter().all(|item| *item == (1, ROWS)).then_some(())
    })
    .await;
}

impl HelloEvent {
    /// Number of stored copies of the event, and number of its outcomes.
    fn notified(&self, records: &[Record]) -> (usize, usize) {
        let kept = records.iter().filter(|record| record.get("id") == Some(&self.mark)).count();
        let notified = records.iter().filter(|record| {
            record.get("causation_id") == Some(&self.mark)
                && record.get("type").is_some_and(|kind| kind.starts_with("carillon.delivery."))
        });
        (kept, notified.count())
    }
}
