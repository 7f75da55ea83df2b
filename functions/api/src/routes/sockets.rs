//! `/v1/recipients/{id}/sockets`: signs a person out.

use store::SignOut;

use crate::caller::Scope;
use crate::problem::Problem;
use crate::response::Response;
use crate::{Api, ApiCall};

impl Api {
    /// Closes the open sockets of a person and invalidates earlier tickets. With a token or `?tenant=`
    /// this covers the sockets of that tenant, otherwise all. Tokens stay valid and must be revoked at
    /// their issuer.
    pub(crate) async fn close_sockets(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.parameter(0);
        if !call.is_own() && call.scope.tenant().is_some() {
            self.person(id, call).await?;
        }
        let sign_out = match call.scope {
            Scope::All => SignOut::Everywhere,
            Scope::Tenant(tenant) => SignOut::Tenant(tenant.clone()),
        };
        let closed = self.sessions.end(id, &sign_out, call.now).await?;
        tracing::info!(
            code = "SIGNED_OUT",
            closed,
            request.id = call.request.id(),
            "sockets closed: the user was signed out"
        );
        Ok(Response::empty(204))
    }
}
