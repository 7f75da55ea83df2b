//! A tenant's endpoints, page by page.

use aws::CallError;
use domain::webhook::endpoint::Endpoint;

use super::{Endpoints, parse_endpoint, partition};
use crate::lookup::{self, Order};

/// A page of a tenant's endpoints, in the order of their ids.
pub struct EndpointPage {
    pub endpoints: Vec<Endpoint>,
    /// The position of the next page: after the endpoint with this id. `None` on the last page.
    pub next: Option<String>,
}

impl Endpoints {
    /// A tenant's endpoints: at most `most`, after the id `after`.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn page(
        &self,
        tenant: Option<&str>,
        after: Option<&str>,
        most: u32,
    ) -> Result<EndpointPage, CallError> {
        let pk = partition("endpoints", tenant);
        let (doing, from) = ("read a tenant's endpoints", (pk.as_str(), after));
        let found = lookup::stretch(&self.client, &self.table, doing, from, most, Order::Forward).await?;
        let (items, next) = found;
        Ok(EndpointPage { endpoints: items.iter().filter_map(parse_endpoint).collect(), next })
    }
}
