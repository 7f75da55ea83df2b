//! What was sent, kept in memory for whoever asks and in a file for whoever looks later.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::Error;

use super::play::Endpoints;

/// The memory keeps so many; the file keeps all.
const MAX_RECORDS: usize = 10_000;

/// Everything that was sent since the server was started.
pub(super) struct Records {
    recent: RefCell<VecDeque<Value>>,
    file: RefCell<Option<File>>,
    /// Addresses that contain one of these are answered with this status.
    trouble: RefCell<BTreeMap<String, u16>>,
    /// What devices were registered as.
    pub(super) endpoints: RefCell<Endpoints>,
}

impl Records {
    /// Begins a new file.
    pub(super) fn open(path: &Path) -> Result<Records, Error> {
        let file = File::create(path).map_err(|error| Error::write(path, error))?;
        Ok(Records { file: RefCell::new(Some(file)), ..Records::in_memory() })
    }

    pub(super) fn in_memory() -> Records {
        Records {
            recent: RefCell::default(),
            file: RefCell::new(None),
            trouble: RefCell::default(),
            endpoints: RefCell::default(),
        }
    }

    /// Keeps what was sent, and says under which id. `what` is one JSON object.
    pub(super) fn keep(&self, channel: &str, to: &str, what: &Value) -> String {
        let id = id();
        let mut record = json!({ "channel": channel, "id": id, "at": runtime::now().to_string(), "to": to });
        if let (Some(record), Some(what)) = (record.as_object_mut(), what.as_object()) {
            record.extend(what.clone());
        }
        if let Some(file) = self.file.borrow_mut().as_mut() {
            // A full disk must not make a provider of ours unreliable.
            let _ = writeln!(file, "{record}");
        }
        let mut recent = self.recent.borrow_mut();
        if recent.len() == MAX_RECORDS {
            recent.pop_front();
        }
        recent.push_back(record);
        id
    }

    /// From now on whatever goes to an address with these words in it gets this status; without one all is well again.
    pub(super) fn trouble(&self, words: &str, status: Option<u16>) {
        let mut trouble = self.trouble.borrow_mut();
        match status {
            Some(status) => drop(trouble.insert(words.to_owned(), status)),
            None => drop(trouble.remove(words)),
        }
    }

    /// The status that an address gets, where it is not to be well.
    pub(super) fn troubled(&self, to: &str) -> Option<u16> {
        let trouble = self.trouble.borrow();
        trouble.iter().find(|(words, _)| to.contains(words.as_str())).map(|(_, status)| *status)
    }

    /// What was sent, the oldest first; of one channel, or to one address, where that is asked.
    pub(super) fn find(&self, channel: Option<&str>, to: Option<&str>) -> Vec<Value> {
        let fits = |value: &&Value| {
            channel.is_none_or(|wanted| value["channel"] == wanted)
                && to.is_none_or(|wanted| value["to"] == wanted)
        };
        self.recent.borrow().iter().filter(fits).cloned().collect()
    }
}

/// As services give them.
fn id() -> String {
    let mut bits = [0_u8; 16];
    // Without chance all ids are zero, and somebody will notice.
    let _ = getrandom::fill(&mut bits);
    bits.iter().map(|bit| format!("{bit:02x}")).collect()
}
