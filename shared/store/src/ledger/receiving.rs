//! The ledger by recipient: all notifications of a recipient, suppressed and failed ones included.

use aws::CallError;
use domain::Timestamp;
use domain::catalog::rule::Unless;
use domain::event::key::Key;

use super::{Ledger, LedgerRow, number, pk, text};
use crate::item::Item;
use crate::lookup::{self, Order};

/// The index by recipient and by begin time. It projects keys only. Each row is therefore written to it once, when
/// the row begins, and not again when it is settled.
const INDEX: &str = "by_recipient";

/// The largest page, in rows.
pub const MAX_RECEIVED: u32 = 100;

/// The position of the next page: after the row with this key and begin time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientCursor {
    begun_at: i64,
    key: Key,
}

impl RecipientCursor {
    /// The position as text, for a cursor.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{} {}", self.begun_at, self.key.as_str())
    }

    /// Parses the text of [`RecipientCursor::to_text`].
    #[must_use]
    pub fn parse(text: &str) -> Option<RecipientCursor> {
        let (begun_at, key) = text.split_once(' ')?;
        Some(RecipientCursor { begun_at: begun_at.parse().ok()?, key: Key::parse(key)? })
    }

    fn read(item: &Item) -> Option<RecipientCursor> {
        let key = format!("{}{}", item.get("pk")?, item.get("sk")?);
        Some(RecipientCursor { begun_at: item.get_number("begun_at")?, key: Key::from(key) })
    }

    fn start(&self, recipient: &str) -> Item {
        pk(&self.key).text("whose", recipient).number("begun_at", self.begun_at)
    }
}

/// A notification of a recipient with its current status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The time of the first claim, or of the decision not to send. Pages are sorted by it.
    pub begun_at: Timestamp,
    /// The time of the current status: the send for a sent notification, `begun_at` for one under way.
    pub at: Timestamp,
    /// The recipient's engagement.
    pub noticed: Option<Unless>,
    pub row: LedgerRow,
}

/// A page of notifications, newest first, and the position of the next page.
pub struct ReceivedPage {
    pub received: Vec<Received>,
    pub next: Option<RecipientCursor>,
}

impl Ledger {
    /// The notifications of a recipient since a time, newest first, 1 to 100 per page. The index may lag behind by
    /// a moment.
    ///
    /// `recipient` is the name in keys and rows, see `domain::decide::plan::Audience::name`.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn received(
        &self,
        recipient: &str,
        since: Timestamp,
        start: Option<&RecipientCursor>,
        most: u32,
    ) -> Result<ReceivedPage, CallError> {
        self.by_recipient(recipient, since, start, most, Order::Backward).await
    }

    /// The same pages, oldest first.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn received_forward(
        &self,
        recipient: &str,
        since: Timestamp,
        start: Option<&RecipientCursor>,
        most: u32,
    ) -> Result<ReceivedPage, CallError> {
        let mut page = self.by_recipient(recipient, since, start, most, Order::Forward).await?;
        page.received.reverse();
        Ok(page)
    }

    async fn by_recipient(
        &self,
        recipient: &str,
        since: Timestamp,
        start: Option<&RecipientCursor>,
        most: u32,
        order: Order,
    ) -> Result<ReceivedPage, CallError> {
        const DOING: &str = "read the ledger by recipient";
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("whose = :whose AND begun_at >= :since")
            .expression_attribute_values(":whose", text(recipient))
            .expression_attribute_values(":since", number(since.as_millisecond()))
            .scan_index_forward(matches!(order, Order::Forward))
            .limit(i32::try_from(most.clamp(1, MAX_RECEIVED)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start.map(|start| start.start(recipient).into_map()))
            .send()
            .await
            .map_err(|error| CallError::new(DOING, error))?;
        let found = answer.items.unwrap_or_default().into_iter().map(Item::from);
        let keys = found
            .filter_map(|item| Some(Item::default().text("pk", item.get("pk")?).text("sk", item.get("sk")?)));
        let rows = lookup::several(&self.client, &self.table, DOING, keys.collect()).await?;
        let mut received: Vec<Received> = rows.iter().filter_map(read).collect();
        received.sort_by(|one, other| (other.begun_at, &other.row.key).cmp(&(one.begun_at, &one.row.key)));
        let last = answer.last_evaluated_key.map(Item::from);
        Ok(ReceivedPage { received, next: last.and_then(|last| RecipientCursor::read(&last)) })
    }
}

fn read(item: &Item) -> Option<Received> {
    let noticed = match (item.get("acknowledged_at"), item.get("seen_at")) {
        (Some(_), _) => Some(Unless::Acknowledged),
        (None, Some(_)) => Some(Unless::Seen),
        (None, None) => None,
    };
    let begun_at = Timestamp::from_millisecond(item.get_number("begun_at")?).ok()?;
    let row = LedgerRow::read(item)?;
    Some(Received { begun_at, at: row.ended_at().unwrap_or(begun_at), noticed, row })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_a_sent_notification_is_the_time_of_the_send() {
        let row = |status: &str| {
            let item = Item::default().text("pk", "k".repeat(22)).text("sk", "k".repeat(21));
            let item = item.text("status", status).text("event_id", "e").text("event_source", "s");
            let item = item.text("event_type", "t").text("event_time", "2026-11-30T03:51:38Z");
            let item = item.text("rule", "r").text("catalog", "c").text("recipient", "ann");
            let item = item.text("settled_at", "2026-11-30T03:53:32Z").number("begun_at", 1_796_010_699_000);
            read(&item).unwrap()
        };
        let sent = row("sent");
        assert_eq!(sent.at.to_string(), "2026-11-30T03:53:32Z");
        assert_eq!(sent.begun_at.to_string(), "2026-11-30T03:51:39Z");
        assert_eq!(sent.row.took().map(|took| took.as_secs()), Some(113));
        for under_way in ["claimed", "released"] {
            let row = row(under_way);
            assert_eq!((row.at, row.row.took()), (row.begun_at, None), "{under_way}: not settled yet");
        }
    }

    #[test]
    fn position_round_trips_through_text_and_other_text_is_rejected() {
        let key = Key::parse(&"k".repeat(43)).unwrap();
        let place = RecipientCursor { begun_at: 1_795_000_000_000, key };
        assert_eq!(RecipientCursor::parse(&place.to_text()), Some(place));
        for text in ["", "1", "1 k", "one kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "1795000000000"] {
            assert_eq!(RecipientCursor::parse(text), None, "{text}");
        }
    }
}
