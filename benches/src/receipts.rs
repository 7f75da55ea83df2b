//! Receipts of providers for delivered messages, and the ledger rows that they refer to.

use serde_json::{Value, json};

use crate::samples::{self, BATCH};

/// Receipts of e-mail and SMS contain the notification's key. A WhatsApp receipt contains only the provider's message
/// id.
const SAMPLES: [&str; 3] = [
    include_str!("../../shared/domain/src/feedback/receipt/samples/ses-delivery.json"),
    include_str!("../../shared/domain/src/feedback/receipt/samples/sms-delivered.json"),
    include_str!("../../shared/domain/src/feedback/receipt/samples/whatsapp-delivered.json"),
];

/// Partition of the ledger with all rows that receipts refer to, and no other rows.
const PARTITION: &str = "ReceiptsAreHeard";

/// `count` batches of receipts, each for a message of its own, of three providers in turn.
pub(crate) fn batches(count: usize) -> Vec<String> {
    let bodies: Vec<String> = SAMPLES.iter().cycle().take(count * BATCH).enumerate().map(receipt).collect();
    samples::batches(&bodies, count)
}

/// Ledger row under a key if a receipt refers to it: the row of a sent message.
pub(crate) fn row(pk: &str) -> Option<Value> {
    let text = |item: &str| json!({ "S": item });
    (pk == PARTITION).then(|| {
        json!({
            "pk": text(pk), "status": text("sent"), "recipient": text("booker-priya"), "channel": text("email"),
            "address": text("a-hash-of-an-address"), "attempts": { "N": "1" }, "awaits": text("2026-11-21T12"),
        })
    })
}

/// Key of the message with this provider id.
pub(crate) fn key_of(provider_id: &str) -> Value {
    let own = provider_id.get(provider_id.len().saturating_sub(27)..).unwrap_or_default();
    json!({ "pk": { "S": PARTITION }, "sk": { "S": own } })
}

fn receipt((at, sample): (usize, &&str)) -> String {
    let mut event: Value = serde_json::from_str(sample).unwrap_or_default();
    let (key, id) = (format!("{PARTITION}{at:A<27}"), format!("4bee7d29-70f5-4a49-b84e-{at:012}"));
    let detail = &mut event["detail"];
    if let Some(mail) = detail.get_mut("mail") {
        mail["messageId"] = id.into();
        mail["tags"]["carillon-key"] = json!([key]);
        return event.to_string();
    }
    detail["messageId"] = id.into();
    if let Some(context) = detail.get_mut("context") {
        context["carillon-key"] = key.into();
    }
    event.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::event::key::Key;
    use domain::feedback::receipt::{ProviderEvent, StatusUpdate, read};

    use super::*;

    #[test]
    fn every_receipt_refers_to_a_different_message_in_the_ledger() {
        let bodies = SAMPLES.iter().cycle().take(2 * BATCH).enumerate().map(receipt);
        let mut keys = BTreeSet::new();
        for body in bodies {
            let Ok(ProviderEvent::Receipt(receipt)) = read(&body) else { panic!("{body}") };
            assert_eq!(receipt.news, StatusUpdate::Delivered);
            let indexed = key_of(receipt.provider_id.as_deref().unwrap());
            let indexed = format!("{PARTITION}{}", indexed["sk"]["S"].as_str().unwrap());
            let key = receipt.key.or_else(|| Key::parse(&indexed)).unwrap();
            assert!(row(key.parts().0).is_some(), "{key:?}");
            keys.insert(key);
        }
        assert_eq!(keys.len(), 2 * BATCH);
        assert_eq!(row("another"), None);
    }
}
