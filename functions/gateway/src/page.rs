//! Limits a page of entries to the size of one WebSocket frame.

use domain::inbox::Entry;
use serde_json::value::RawValue;

/// The size limit of the entries. API Gateway closes a connection after a frame of more than 32 KiB, and
/// the rest of the frame is small.
///
/// Source: API Gateway developer guide, "Quotas for configuring and running a WebSocket API".
const MAX_BYTES: usize = 31 * 1024;

/// The entries that fit, as JSON, and the number of the last one if some were left out.
pub(crate) fn fitting(entries: Vec<Entry>) -> (Vec<Box<RawValue>>, Option<u64>) {
    let mut taken: Vec<Box<RawValue>> = Vec::with_capacity(entries.len());
    let (mut bytes, mut last) = (0, None);
    for entry in entries {
        let text = serde_json::value::to_raw_value(&entry).expect("an entry is strings and JSON text");
        bytes += text.get().len() + 1;
        // The first entry always fits, because the domain limits its size.
        if bytes > MAX_BYTES && !taken.is_empty() {
            return (taken, last);
        }
        last = Some(entry.seq);
        taken.push(text);
    }
    (taken, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::inbox::{Kept, MAX_ENTRY_BYTES, State};
    use serde_json::json;

    #[test]
    fn a_page_is_cut_where_a_frame_ends_and_the_rest_begins_there() {
        let (all, next) = fitting((1..=20).rev().map(|number| entry(number, 100)).collect());
        assert_eq!((all.len(), next), (20, None));
        let (some, next) = fitting((1..=20).rev().map(|number| entry(number, 5_000)).collect());
        assert_eq!((some.len(), next), (6, Some(15)));
        let bytes: usize = some.iter().map(|json| json.get().len() + 1).sum();
        assert!(bytes <= MAX_BYTES, "{bytes}");
        let (one, _) = fitting(vec![entry(2, MAX_ENTRY_BYTES - 250), entry(1, MAX_ENTRY_BYTES - 250)]);
        assert_eq!(one.len(), 2, "two of the largest fit");
    }

    fn entry(seq: u64, bytes: usize) -> Entry {
        let kept = json!({
            "id": "k", "event": { "id": "e", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" },
            "rule": "r", "category": "c", "priority": "normal", "title": "T", "body": "x".repeat(bytes),
        });
        let kept: Kept = serde_json::from_str(&kept.to_string()).unwrap();
        let created = "2026-11-20T12:00:00Z".parse().unwrap();
        Entry { seq, state: State::Unseen, tenant: None, created, kept }
    }
}
