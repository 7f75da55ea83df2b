//! Address entries: people by a keyed hash of an address.
//!
//! The key of the hash is a random text in the table itself. Without read access to the table no hash can be
//! computed, and no item's key reveals an address. An entry can be stale, so each person found is compared with the
//! address.
//!
//! A profile that was written by a release without entries gets them with its next write.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use aws::{CallError, Verdict};
use domain::base::channel::Channel;
use domain::base::sensitive::Sensitive;
use domain::base::stack_secret::StackSecret;
use domain::recipient::Recipient;
use domain::recipient::keyed_hash::KeyedHashes;

use super::People;
use crate::item::{Item, key};
use crate::{lookup, writes};

const DOING: &str = "read the key of addresses";

/// The length of the key in bytes.
const KEY_BYTES: usize = 32;

/// The number of people per address that a look-up returns at most. An address with more people is not a personal
/// one.
pub const MAX_PER_ADDRESS: u32 = 100;

/// The hash key, once read.
pub(super) type AddressKey = Arc<OnceLock<KeyedHashes>>;

impl People {
    /// The same table with writes that maintain address entries.
    #[must_use]
    pub fn with_addresses(self) -> People {
        People { addresses: Some(AddressKey::default()), ..self }
    }

    /// The current profiles of the people with an address of a channel, in any spelling.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn by_address(&self, channel: Channel, address: &str) -> Result<Vec<Recipient>, CallError> {
        let hashes = self.read_key().await?;
        let pk = partition(&hashes, channel, address);
        let doing = "read the people with an address";
        let (ids, _) =
            lookup::page(&self.client, &self.table, doing, (pk, "id"), None, MAX_PER_ADDRESS).await?;
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let wanted = hashes.address(channel, address);
        let found = self.find(&ids).await?.into_values();
        let has = |person: &Recipient| {
            person.address(channel).is_some_and(|own| hashes.address(channel, own.expose()) == wanted)
        };
        Ok(found.filter(has).collect())
    }

    /// All people, for inspection. Reads the whole table.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn everybody(&self) -> Result<Vec<Recipient>, CallError> {
        let items = lookup::scan(&self.client, &self.table).await?;
        Ok(items.iter().filter_map(|item| super::filed::person(item).ok().flatten()).collect())
    }

    /// The partitions of a person's address entries. Empty if the table has no entries.
    pub(super) async fn address_partitions(
        &self,
        person: Option<&Recipient>,
    ) -> Result<BTreeSet<String>, CallError> {
        let Some(person) = person.filter(|_| self.addresses.is_some()) else { return Ok(BTreeSet::new()) };
        let own: Vec<(Channel, Sensitive<&str>)> =
            person.addresses().filter_map(|(channel, address)| Some((channel, address?))).collect();
        if own.is_empty() {
            return Ok(BTreeSet::new());
        }
        let hashes = self.read_key().await?;
        Ok(own.into_iter().map(|(channel, address)| partition(&hashes, channel, address.expose())).collect())
    }

    async fn read_key(&self) -> Result<KeyedHashes, CallError> {
        if let Some(hashes) = self.addresses.as_ref().and_then(|cached| cached.get()) {
            return Ok(hashes.clone());
        }
        let found = lookup::get(&self.client, &self.table, key_item()).await?;
        let text = match found.as_ref().and_then(|item| item.get("key")) {
            Some(text) => text.to_owned(),
            None => self.make_key().await?,
        };
        let secret = StackSecret::read(&text).map_err(permanent)?;
        let hashes = KeyedHashes::of(&secret);
        if let Some(cached) = &self.addresses {
            return Ok(cached.get_or_init(|| hashes).clone());
        }
        Ok(hashes)
    }

    /// Creates the key. If another writer was first, the key in the table counts.
    async fn make_key(&self) -> Result<String, CallError> {
        let mut bytes = [0_u8; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| permanent(error.to_string()))?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(key_item().text("key", &text).into_map()));
        let sent = put.condition_expression("attribute_not_exists(pk)").send().await;
        writes::stood("create the key of addresses", sent)?;
        let found = lookup::get(&self.client, &self.table, key_item()).await?;
        let found = found.and_then(|item| item.get("key").map(str::to_owned));
        found.ok_or_else(|| permanent("the key of addresses is not in the table"))
    }
}

fn partition(hashes: &KeyedHashes, channel: Channel, address: &str) -> String {
    key(&["address", channel.name(), &hashes.address(channel, address)])
}

fn key_item() -> Item {
    Item::default().text("pk", "address-key").text("sk", "-")
}

fn permanent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CallError {
    CallError { doing: DOING, verdict: Verdict::Permanent, source: source.into() }
}
