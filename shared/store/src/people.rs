//! The people table: who can be told something, and how they are reached.

use std::collections::{BTreeSet, HashMap};

use aws::Refused;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::recipient::{Recipient, Recipients};

use crate::item::{Item, key};
use crate::writes::{ROUNDS, left_over, put, write};

/// DynamoDB's limit for one `BatchGetItem`.
const KEYS_PER_READ: usize = 100;

/// The people table.
#[derive(Clone)]
pub struct People {
    client: Client,
    table: String,
}

impl People {
    #[must_use]
    pub fn new(client: &Client, table: String) -> People {
        People { client: client.clone(), table }
    }

    /// Looks people up, 100 to a call. Who is not found is not in the answer.
    ///
    /// # Errors
    /// The table could not be read, or left some of the keys unprocessed several times.
    pub async fn find(&self, ids: &BTreeSet<&str>) -> Result<Recipients, Refused> {
        let ids: Vec<&str> = ids.iter().copied().collect();
        let mut found = Recipients::new();
        for some in ids.chunks(KEYS_PER_READ) {
            let keys = some.iter().map(|id| profile(id).into_map()).collect();
            self.find_page(keys, &mut found).await?;
        }
        Ok(found)
    }

    async fn find_page(
        &self,
        mut keys: Vec<HashMap<String, AttributeValue>>,
        found: &mut Recipients,
    ) -> Result<(), Refused> {
        for _ in 0..ROUNDS {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                // A person who was imported a moment ago must be found: `unknown_recipient` is final.
                .consistent_read(true)
                .build()
                .expect("keys are all that a read needs");
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(|error| Refused::new("look people up", error))?;
            let items = answer.responses.and_then(|mut it| it.remove(&self.table)).unwrap_or_default();
            for item in items {
                if let Some(person) = read(&Item::from(item)) {
                    found.insert(person.id.clone(), person);
                }
            }
            let left = answer.unprocessed_keys.and_then(|mut it| it.remove(&self.table));
            keys = left.map(|it| it.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(());
            }
        }
        Err(left_over("look people up"))
    }

    /// Writes people, over whoever was there under their ids.
    ///
    /// # Errors
    /// The table could not be written, or left some of the items unprocessed several times.
    pub async fn put(&self, people: &[Recipient]) -> Result<(), Refused> {
        let writes = people.iter().map(|it| put(item(it))).collect();
        write(&self.client, &self.table, "write people", writes).await
    }
}

fn profile(id: &str) -> Item {
    Item::default().text("pk", key(&["user", id])).text("sk", "profile")
}

fn item(person: &Recipient) -> Item {
    profile(&person.id)
        .text("id", &person.id)
        .maybe("name", person.name.as_deref())
        .maybe("email", person.email.as_deref())
        .maybe("locale", person.locale.as_deref())
        .maybe("zone", person.zone.as_deref())
        .texts("tenants", person.tenants.iter().cloned())
}

fn read(item: &Item) -> Option<Recipient> {
    let owned = |name: &str| item.get(name).map(str::to_owned);
    Some(Recipient {
        id: owned("id")?,
        name: owned("name"),
        email: owned("email"),
        locale: owned("locale"),
        zone: owned("zone"),
        tenants: item.get_texts("tenants").into_iter().collect(),
        ..Recipient::default()
    })
}
