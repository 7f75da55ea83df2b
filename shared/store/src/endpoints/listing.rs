//! A tenant's endpoints, page by page.

use aws::Refused;
use domain::endpoint::Endpoint;

use super::{Endpoints, endpoint, partition};
use crate::lookup::{self, Order};

/// Some endpoints of a tenant, in the order of their ids.
pub struct EndpointPage {
    pub endpoints: Vec<Endpoint>,
    /// Where the next page begins: after the endpoint of this id. None: there are no more.
    pub next: Option<String>,
}

impl Endpoints {
    /// A tenant's endpoints, at most `most` of them, after the one that `after` names.
    ///
    /// # Errors
    /// The table could not be asked.
    pub async fn page(
        &self,
        tenant: Option<&str>,
        after: Option<&str>,
        most: u32,
    ) -> Result<EndpointPage, Refused> {
        let pk = partition("endpoints", tenant);
        let (doing, from) = ("read a tenant's endpoints", (pk.as_str(), after));
        let found = lookup::stretch(&self.client, &self.table, doing, from, most, Order::Forward).await?;
        let (items, next) = found;
        Ok(EndpointPage { endpoints: items.iter().filter_map(endpoint).collect(), next })
    }
}
