//! Forgetting an endpoint: all that was kept of it.

use aws::Refused;
use domain::endpoint::EndpointId;

use super::{Endpoints, attempts, messages, one};
use crate::item::Item;
use crate::{lookup, writes};

/// Items whose keys are read in one call.
const AT_ONCE: u32 = 500;

const DOING: &str = "forget an endpoint";

impl Endpoints {
    /// Forgets an endpoint, its secrets, how it has been doing, what it was asked and what it has not got. Nothing is
    /// sent to it from then on. That there is none is fine.
    ///
    /// # Errors
    /// Something of it may be left. Doing it again is harmless, and goes on where it stopped.
    pub async fn remove(&self, id: &EndpointId) -> Result<(), Refused> {
        // First of all nothing is sent any more.
        for what in ["endpoints", "secrets", "health"] {
            let delete = self.client.delete_item().table_name(&self.table);
            let sent = delete.set_key(Some(one(what, id).into_map())).send().await;
            sent.map_err(|error| Refused::new(DOING, error))?;
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
