//! `/v1/tenants/{tenant}`: a tenant's zone and the default preferences of its members.

use std::collections::BTreeSet;

use domain::recipient::recipient_changes::check_preferences;

use crate::caller::check_tenant;
use crate::changes::{Changed, names};
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::preferences::read;
use crate::tenancy::Relation;
use crate::{Api, ApiCall};

impl Api {
    pub(crate) async fn get_tenant(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let tenant = tenant(call)?;
        let found = self.people.look_up(&BTreeSet::new(), &BTreeSet::from([tenant])).await?;
        Ok(Response::json(200, &found.tenant(Some(tenant)).cloned().unwrap_or_default()))
    }

    pub(crate) async fn put_tenant(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let tenant = tenant(call)?;
        let members = call.request.object()?;
        let settings = read(&members)?;
        check_preferences(&members)?;
        if !self.people.put_tenant(tenant, &settings, &call.stamp()).await? {
            return Err(Problem::new(409, "newer", "the tenant has a newer update; read the settings again"));
        }
        self.announce(call, Changed::Tenant, &names(&members)).await;
        self.get_tenant(call).await
    }
}

/// The tenant in the path, if it is the caller's.
fn tenant<'a>(call: &'a ApiCall<'_>) -> Result<&'a str, Problem> {
    let named = call.parameter(0);
    check_tenant(named)
        .map_err(|found| Problem::refused("tenant", found, "a tenant's name of 1 to 256 bytes"))?;
    call.authorize(Relation::of_tenant(Some(named), call.scope))?;
    Ok(named)
}
