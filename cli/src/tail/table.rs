//! Repeated scans of a small table. Changes are the differences between two scans.

use std::collections::HashMap;

use aws_types::SdkConfig;
use store::Item;

use crate::error::Error;

/// A table with the items of the last scan.
pub(super) struct Table {
    config: SdkConfig,
    name: String,
    /// The text of every item by its key.
    known: HashMap<String, String>,
}

impl Table {
    pub(super) async fn open(config: &SdkConfig, name: &str, all: bool) -> Result<Table, Error> {
        let mut table = Table { config: config.clone(), name: name.to_owned(), known: HashMap::new() };
        if !all {
            table.read().await?;
        }
        Ok(table)
    }

    /// The changes since the last scan, sorted by time.
    pub(super) async fn read(&mut self) -> Result<Vec<Item>, Error> {
        let mut changed = Vec::new();
        for item in store::scan(&self.config, &self.name).await? {
            let key =
                format!("{} {}", item.get("pk").unwrap_or_default(), item.get("sk").unwrap_or_default());
            let text: String = item.iter_text().flat_map(|(name, value)| [name, "=", value, ";"]).collect();
            if self.known.insert(key, text.clone()).as_ref() != Some(&text) {
                changed.push(item);
            }
        }
        let time = |item: &Item| {
            let times = ["settled_at", "claimed_at", "recorded_at"];
            times.iter().find_map(|name| item.get(name)).unwrap_or_default().to_owned()
        };
        changed.sort_by_key(time);
        Ok(changed)
    }
}
