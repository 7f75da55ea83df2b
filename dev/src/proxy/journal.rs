//! The journal of calls, in the order of their arrival.

use std::cell::RefCell;
use std::collections::VecDeque;

use domain::Timestamp;
use serde::Serialize;

use super::call::Call;
use super::fault::Deed;

/// The most entries. Newer entries replace the oldest.
const MAX_ENTRIES: usize = 200_000;

/// A call with its answer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) call: Call,
    /// The tables, queues and other resources that the body names, without `carillon-local-`.
    pub(super) things: Vec<String>,
    /// The number of entries: messages, statements, items.
    pub(super) parts: usize,
    /// The attempt number of the caller's SDK client.
    pub(super) attempt: u32,
    /// The size of the request in bytes.
    pub(super) asked: usize,
    /// The size of the answer in bytes.
    pub(super) answered: usize,
    /// The status of the service's answer; `None` without an answer.
    pub(super) status: Option<u16>,
    pub(super) fault: Option<Deed>,
}

#[derive(Default)]
pub(super) struct Journal(RefCell<VecDeque<Entry>>, RefCell<u64>);

impl Journal {
    /// Adds an entry under the next number.
    pub(super) fn add(&self, mut entry: Entry) {
        let mut number = self.1.borrow_mut();
        *number += 1;
        entry.number = *number;
        let mut entries = self.0.borrow_mut();
        if entries.len() == MAX_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The number of calls so far.
    pub(super) fn count(&self) -> u64 {
        *self.1.borrow()
    }

    /// The entries after this number.
    pub(super) fn after(&self, number: u64) -> Vec<Entry> {
        self.0.borrow().iter().filter(|entry| entry.number > number).cloned().collect()
    }
}

/// The resources that a body names, sorted, each once.
pub(super) fn resources(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let is_of_name = |c: char| c.is_ascii_lowercase() || c == '-';
    let names = text.split("carillon-local-").skip(1).map(|part| part.split(|c| !is_of_name(c)).next());
    let mut names: Vec<String> = names.flatten().filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_a_body_are_listed_once() {
        let body = br#"{"Statements":[{"Statement":"INSERT INTO \"carillon-local-ledger\""},{"Statement":"UPDATE \"carillon-local-ledger\""}],"QueueUrl":"http://x/carillon-local-email-critical"}"#;
        assert_eq!(resources(body), ["email-critical", "ledger"]);
        assert!(resources(b"{}").is_empty());
    }
}
