//! A tenant's endpoints, page by page.

use aws::Refused;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::endpoint::Endpoint;

use super::{Endpoints, endpoint, partition};
use crate::item::Item;

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
        let start = after.map(|id| Item::default().text("pk", &pk).text("sk", id).into_map());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .consistent_read(true)
            .limit(i32::try_from(most.max(1)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Refused::new("read a tenant's endpoints", error))?;
        let next = answer.last_evaluated_key.map(Item::from);
        let items = answer.items.unwrap_or_default().into_iter().map(Item::from);
        Ok(EndpointPage {
            endpoints: items.filter_map(|it| endpoint(&it)).collect(),
            next: next.and_then(|it| it.get("sk").map(str::to_owned)),
        })
    }
}
