//! Records of the captured messages, in memory and in a file.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use cli::error::Error;

use super::emulators::Endpoints;

/// The most records in memory. The file has all.
const MAX_RECORDS: usize = 10_000;

/// The captured messages since the start of the server.
pub(super) struct Records {
    recent: RefCell<VecDeque<Value>>,
    file: RefCell<Option<File>>,
    /// The statuses of failing addresses, by a part of the address.
    failures: RefCell<BTreeMap<String, u16>>,
    /// The registered devices.
    pub(super) endpoints: RefCell<Endpoints>,
}

impl Records {
    /// Begins a new file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn open(path: &Path) -> Result<Records, Error> {
        let file = File::create(path).map_err(|error| Error::write(path, error))?;
        Ok(Records { file: RefCell::new(Some(file)), ..Records::in_memory() })
    }

    pub(super) fn in_memory() -> Records {
        Records {
            recent: RefCell::default(),
            file: RefCell::new(None),
            failures: RefCell::default(),
            endpoints: RefCell::default(),
        }
    }

    /// Records a message, which is a JSON object, and returns its new id.
    pub(super) fn add(&self, channel: &str, to: &str, message: &Value) -> String {
        let id = id();
        let mut record = json!({ "channel": channel, "id": id, "at": runtime::now().to_string(), "to": to });
        if let (Some(record), Some(message)) = (record.as_object_mut(), message.as_object()) {
            record.extend(message.clone());
        }
        if let Some(file) = self.file.borrow_mut().as_mut() {
            // A full disk does not fail the request.
            let _ = writeln!(file, "{record}");
        }
        let mut recent = self.recent.borrow_mut();
        if recent.len() == MAX_RECORDS {
            recent.pop_front();
        }
        recent.push_back(record);
        id
    }

    /// Sets the status for all addresses that contain this part. `None` ends the failure.
    pub(super) fn set_failure(&self, part: &str, status: Option<u16>) {
        let mut failures = self.failures.borrow_mut();
        match status {
            Some(status) => drop(failures.insert(part.to_owned(), status)),
            None => drop(failures.remove(part)),
        }
    }

    /// The failure status of an address.
    pub(super) fn failure(&self, to: &str) -> Option<u16> {
        let failures = self.failures.borrow();
        failures.iter().find(|(part, _)| to.contains(part.as_str())).map(|(_, status)| *status)
    }

    /// The records of a channel and an address, oldest first. `None` stands for all.
    pub(super) fn find(&self, channel: Option<&str>, to: Option<&str>) -> Vec<Value> {
        let matches = |value: &&Value| {
            channel.is_none_or(|wanted| value["channel"] == wanted)
                && to.is_none_or(|wanted| value["to"] == wanted)
        };
        self.recent.borrow().iter().filter(matches).cloned().collect()
    }
}

/// A random message id.
fn id() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness all ids are zero.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
