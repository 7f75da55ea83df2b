//! Deletion of an endpoint and all its data.

use aws::CallError;
use domain::webhook::endpoint::EndpointId;

use super::{Endpoints, attempts, messages, one};
use crate::item::Item;
use crate::{lookup, writes};

/// The number of items per call.
const AT_ONCE: u32 = 500;

const DOING: &str = "delete an endpoint";

impl Endpoints {
    /// Deletes an endpoint with its secrets, health, attempts and undelivered messages. No message is sent to it
    /// afterwards. Deleting an endpoint that does not exist succeeds.
    ///
    /// # Errors
    /// Some items may be left. A repetition is harmless and continues where this call stopped.
    pub async fn remove(&self, id: &EndpointId) -> Result<(), CallError> {
        // The endpoint itself goes first, so that sending stops at once.
        for what in ["endpoints", "secrets", "health"] {
            let delete = self.client.delete_item().table_name(&self.table);
            let sent = delete.set_key(Some(one(what, id).into_map())).send().await;
            sent.map_err(|error| CallError::new(DOING, error))?;
        }
        for pk in [messages::partition(id), attempts::partition(id)] {
            let mut more = true;
            while more {
                let all = (pk.clone(), "sk");
                let (keys, is_cut) =
                    lookup::page(&self.client, &self.table, DOING, all, None, AT_ONCE).await?;
                let keys = keys.iter().map(|sk| Item::default().text("pk", &pk).text("sk", sk));
                writes::write(&self.client, &self.table, DOING, keys.map(writes::delete).collect()).await?;
                more = is_cut;
            }
        }
        Ok(())
    }
}
