//! The ledger by recipient, for people who look: everything that somebody got, and was refused.

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::rule::Unless;

use super::{Ledger, LedgerRow, number, text};
use crate::item::Item;
use crate::lookup;

/// The index: the keys of rows by recipient and by the time at which they were begun. It has no more than the keys, so
/// it is written once for each row, when that is begun, and not again when it is settled.
const INDEX: &str = "by_recipient";

/// Rows of one page.
const PAGE: i32 = 100;

/// Where the next page begins.
#[derive(Clone)]
pub struct ReceivedPlace(std::collections::HashMap<String, AttributeValue>);

/// A notification to somebody, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When it was claimed, or decided that it is not sent.
    pub at: Timestamp,
    /// What they did with it.
    pub noticed: Option<Unless>,
    pub row: LedgerRow,
}

/// Some notifications, newest first, and where the rest begins.
pub struct ReceivedPage {
    pub received: Vec<Received>,
    pub next: Option<ReceivedPlace>,
}

impl Ledger {
    /// What somebody was told, or was not told, since then, newest first. The index may be a moment behind.
    ///
    /// `recipient` is the name that keys and rows have for them, `domain::plan::Audience::name`.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn received(
        &self,
        recipient: &str,
        since: Timestamp,
        start: Option<ReceivedPlace>,
    ) -> Result<ReceivedPage, Refused> {
        const DOING: &str = "read the ledger by recipient";
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("whose = :whose AND begun_at >= :since")
            .expression_attribute_values(":whose", text(recipient))
            .expression_attribute_values(":since", number(since.as_millisecond()))
            .scan_index_forward(false)
            .limit(PAGE)
            .set_exclusive_start_key(start.map(|it| it.0))
            .send()
            .await
            .map_err(|error| Refused::new(DOING, error))?;
        let found = answer.items.unwrap_or_default().into_iter().map(Item::from);
        let keys =
            found.filter_map(|it| Some(Item::default().text("pk", it.get("pk")?).text("sk", it.get("sk")?)));
        let rows = lookup::several(&self.client, &self.table, DOING, keys.collect()).await?;
        let mut received: Vec<Received> = rows.iter().filter_map(read).collect();
        received.sort_by(|one, other| (other.at, &other.row.key).cmp(&(one.at, &one.row.key)));
        Ok(ReceivedPage { received, next: answer.last_evaluated_key.map(ReceivedPlace) })
    }
}

fn read(item: &Item) -> Option<Received> {
    let noticed = match (item.get("acknowledged_at"), item.get("seen_at")) {
        (Some(_), _) => Some(Unless::Acknowledged),
        (None, Some(_)) => Some(Unless::Seen),
        (None, None) => None,
    };
    let at = Timestamp::from_millisecond(item.get_number("begun_at")?).ok()?;
    Some(Received { at, noticed, row: LedgerRow::read(item)? })
}
