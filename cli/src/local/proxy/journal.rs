//! What was called, in the order in which it came.

use std::cell::RefCell;
use std::collections::VecDeque;

use domain::Timestamp;
use serde::Serialize;

use super::call::Call;
use super::fault::Deed;

/// Older entries make room for newer ones.
const MOST: usize = 200_000;

/// One call.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) call: Call,
    /// The tables, queues and the like that the body names: what stands behind `carillon-local-`.
    pub(super) things: Vec<String>,
    /// How many things it carries: messages, statements, items.
    pub(super) parts: usize,
    /// Which try of the caller's client it is.
    pub(super) attempt: u32,
    /// Bytes of the request, and of the answer.
    pub(super) asked: usize,
    pub(super) answered: usize,
    /// What the service said; none where it was not asked, or did not answer.
    pub(super) status: Option<u16>,
    pub(super) fault: Option<Deed>,
}

#[derive(Default)]
pub(super) struct Journal(RefCell<VecDeque<Entry>>, RefCell<u64>);

impl Journal {
    pub(super) fn write(&self, mut entry: Entry) {
        let mut number = self.1.borrow_mut();
        *number += 1;
        entry.number = *number;
        let mut entries = self.0.borrow_mut();
        if entries.len() == MOST {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        *self.1.borrow()
    }

    /// Those that came after this number.
    pub(super) fn after(&self, number: u64) -> Vec<Entry> {
        self.0.borrow().iter().filter(|it| it.number > number).cloned().collect()
    }
}

/// Each thing once, in the order of their names.
pub(super) fn things(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let is_of_name = |it: char| it.is_ascii_lowercase() || it == '-';
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
    fn the_things_that_a_body_names_are_told_once() {
        let body = br#"{"Statements":[{"Statement":"INSERT INTO \"carillon-local-ledger\""},{"Statement":"UPDATE \"carillon-local-ledger\""}],"QueueUrl":"http://x/carillon-local-email-critical"}"#;
        assert_eq!(things(body), ["email-critical", "ledger"]);
        assert!(things(b"{}").is_empty());
    }
}
