//! The order of an inbox: by the time of the event. Of two entries with one time the later arrival is newer.
//!
//! Entries are stored under their arrival numbers, for a client that resumes. Beside each entry lies a small row
//! under the entry's time. Entries of a release without such rows get theirs when the inbox is listed for the first
//! time.

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

use super::{DIGITS, Inbox, entry_sk, head_key, number, read_entry, read_head, under, user_pk, whole};
use crate::item::Item;
use crate::{lookup, pause, transactions};

const DOING: &str = "order inbox entries by time";

/// The prefix of the sort keys of these rows.
const PREFIX: &str = "order#";

/// The lower and upper bound of all rows.
pub(super) const FIRST: &str = "order#";
pub(super) const BEHIND_ALL: &str = "order#~";

/// The number of rows per transaction. DynamoDB accepts a hundred.
const AT_ONCE: usize = 90;

/// The number of entries per read.
const READS: i32 = 200;

/// The offset that makes seconds since 1970 positive for the earliest time that can be written.
const SHIFT_S: i64 = 400_000_000_000;

/// The sort key of an entry's row.
pub(super) fn sk(time: Timestamp, seq: u64) -> String {
    let seconds = time.as_second() + SHIFT_S;
    // Before 1970 the fraction counts back from the second.
    let (seconds, nanoseconds) = match time.subsec_nanosecond() {
        part if part < 0 => (seconds - 1, part + 1_000_000_000),
        part => (seconds, part),
    };
    format!("{PREFIX}{seconds:012}{nanoseconds:09}#{seq:0>DIGITS$}")
}

/// The number of the entry that a row refers to.
pub(super) fn seq_of(sk: &str) -> Option<u64> {
    sk.strip_prefix(PREFIX)?.rsplit_once('#')?.1.parse().ok()
}

/// The highest key below this row's key.
pub(super) fn just_below(sk: &str) -> Option<String> {
    let (time, seq) = sk.rsplit_once('#')?;
    let seq: u64 = seq.parse().ok()?;
    Some(format!("{time}#{:0>DIGITS$}", seq.checked_sub(1)?))
}

/// The row of an entry, with the attributes that the listing filters on. `None` for an item that is not an entry,
/// or that this release cannot parse.
pub(super) fn row(user: &str, item: &Item) -> Option<Item> {
    let entry = read_entry(item)?;
    Some(
        under(user, sk(entry.kept.time(), entry.seq))
            .number("seq", number(entry.seq))
            .text("key", entry.kept.id.as_str())
            .maybe("tenant", item.get("tenant"))
            .text("category", item.get("category").unwrap_or_default())
            .number("ttl", item.get_number("ttl").unwrap_or_default()),
    )
}

impl Inbox {
    /// Adds the missing rows if the head says that there are any. This happens once per inbox, and again if a
    /// function of the last release has added an entry meanwhile. A repetition is harmless.
    ///
    /// Returns the number of the newest entry.
    ///
    /// # Errors
    /// The table did not answer, or other writers were first in every round.
    pub(super) async fn file(&self, user: &str) -> Result<u64, CallError> {
        for round in 0..super::ROUNDS {
            pause::before(round).await;
            let found = lookup::get(&self.client, &self.table, head_key(user)).await?;
            let read = read_head(found.as_slice());
            if read.head.is_ordered() {
                return Ok(read.head.last);
            }
            self.file_entries(user, read.head.ordered + 1, read.head.last).await?;
            let head = whole(self.put_head(user, &read.head.filed(), read.version));
            if transactions::write(&self.client, DOING, vec![head]).await? {
                return Ok(read.head.last);
            }
        }
        Err(transactions::crowded(DOING))
    }

    async fn file_entries(&self, user: &str, from: u64, to: u64) -> Result<(), CallError> {
        let mut start: Option<Item> = None;
        loop {
            let text = |text: String| AttributeValue::S(text);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
                .expression_attribute_values(":pk", text(user_pk(user)))
                .expression_attribute_values(":low", text(entry_sk(from)))
                .expression_attribute_values(":high", text(entry_sk(to)))
                .consistent_read(true)
                .limit(READS)
                .set_exclusive_start_key(start.map(Item::into_map))
                .send()
                .await
                .map_err(|error| CallError::new(DOING, error))?;
            let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
            let rows: Vec<Item> = items.filter_map(|item| row(user, &item)).collect();
            for some in rows.chunks(AT_ONCE) {
                let writes = some.iter().map(|row| whole(self.put(row.clone()))).collect();
                if !transactions::write(&self.client, DOING, writes).await? {
                    return Err(transactions::crowded(DOING));
                }
            }
            start = answer.last_evaluated_key.map(Item::from);
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// The highest sort key of the page after the entry with this number. If that entry is gone, the page begins
    /// with the entry before it. `None` if there is none.
    pub(super) async fn behind(&self, user: &str, seq: u64) -> Result<Option<String>, CallError> {
        let text = |text: String| AttributeValue::S(text);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", text(user_pk(user)))
            .expression_attribute_values(":low", text(entry_sk(0)))
            .expression_attribute_values(":high", text(entry_sk(seq.min(super::MAX_SEQ))))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await
            .map_err(|error| CallError::new("read an inbox", error))?;
        let item = answer.items.unwrap_or_default().into_iter().map(Item::from).next();
        let Some(entry) = item.as_ref().and_then(read_entry) else { return Ok(None) };
        let own = sk(entry.kept.time(), entry.seq);
        Ok(if entry.seq == seq { just_below(&own) } else { Some(own) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sort_by_time_and_then_by_number() {
        let keys: Vec<String> = [
            ("0001-01-01T00:00:00Z", 9),
            ("1969-12-31T23:59:59.9Z", 8),
            ("1970-01-01T00:00:00Z", 7),
            ("2026-11-20T12:00:00Z", 5),
            ("2026-11-20T12:00:00Z", 6),
            ("2026-11-20T12:00:00.000000001Z", 1),
            ("2026-11-20T12:00:01Z", 2),
            ("9999-12-30T00:00:00Z", 3),
        ]
        .map(|(time, seq)| sk(time.parse().unwrap(), seq))
        .into();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys.iter().all(|key| key.as_str() > FIRST && key.as_str() < BEHIND_ALL));
        assert!(just_below(&keys[3]).is_some_and(|below| below > keys[2] && below < keys[3]));
        assert_eq!(
            keys.iter().map(|key| seq_of(key)).collect::<Vec<_>>(),
            [9, 8, 7, 5, 6, 1, 2, 3].map(Some)
        );
    }
}
