//! The routes of the API, with their permissions and operations.
//!
//! A route consists of a row here, a variant of [`Operation`] with its arm in `lib.rs`, a file in
//! `routes/`, and an entry in `openapi.yaml`. Tests keep the four consistent.

use crate::caller::Caller;
use crate::unsubscribe::OPEN;

/// The prefix of the paths about one person.
const ABOUT_A_PERSON: &str = "/v1/recipients/{id}";

/// A route.
#[derive(Debug)]
pub struct Route {
    pub method: &'static str,
    /// The path with parameters in braces, such as `/v1/recipients/{id}`.
    pub path: &'static str,
    pub who: Who,
    /// Whether the route supports `Idempotency-Key`. Other routes are safe to repeat.
    pub once: bool,
    pub operation: Operation,
}

/// The callers of a route, in addition to programs of the account, which may call all routes. The value
/// is documentation. `tenancy` decides, and a test keeps both consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The admins of the object's tenant.
    Admins,
    /// The person in the path, and the admins.
    Own,
    /// All members of the tenant.
    Members,
}

/// The operation of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    ListRecipients,
    LookUpRecipients,
    GetRecipient,
    PutRecipient,
    PatchRecipient,
    DeleteRecipient,
    ListDevices,
    PutDevice,
    DeleteDevice,
    CloseSockets,
    ListInbox,
    CountInbox,
    MarkInbox,
    ListReceived,
    GetPreferences,
    PutPreferences,
    PatchPreferences,
    GetTenant,
    PutTenant,
    IssueTicket,
    Publish,
    ListDeliveries,
    Retry,
    ListEndpoints,
    GetEndpoint,
    PutEndpoint,
    DeleteEndpoint,
    RotateSecret,
    EnableEndpoint,
    DisableEndpoint,
    PingEndpoint,
    VerifyEndpoint,
    ListAttempts,
    RetryMessage,
    RecoverMessages,
}

/// All routes.
pub const ROUTES: [Route; 35] = [
    route("GET", "/v1/recipients", Who::Admins, Operation::ListRecipients),
    route("POST", "/v1/lookups", Who::Admins, Operation::LookUpRecipients),
    route("GET", "/v1/recipients/{id}", Who::Own, Operation::GetRecipient),
    route("PUT", "/v1/recipients/{id}", Who::Admins, Operation::PutRecipient),
    route("PATCH", "/v1/recipients/{id}", Who::Own, Operation::PatchRecipient),
    route("DELETE", "/v1/recipients/{id}", Who::Admins, Operation::DeleteRecipient),
    route("GET", "/v1/recipients/{id}/devices", Who::Own, Operation::ListDevices),
    route("PUT", "/v1/recipients/{id}/devices/{device}", Who::Own, Operation::PutDevice),
    route("DELETE", "/v1/recipients/{id}/devices/{device}", Who::Own, Operation::DeleteDevice),
    route("DELETE", "/v1/recipients/{id}/sockets", Who::Own, Operation::CloseSockets),
    route("GET", "/v1/recipients/{id}/inbox", Who::Own, Operation::ListInbox),
    route("GET", "/v1/recipients/{id}/inbox/counts", Who::Own, Operation::CountInbox),
    route("POST", "/v1/recipients/{id}/inbox/marks", Who::Own, Operation::MarkInbox),
    route("GET", "/v1/recipients/{id}/deliveries", Who::Own, Operation::ListReceived),
    route("GET", "/v1/recipients/{id}/preferences", Who::Own, Operation::GetPreferences),
    route("PUT", "/v1/recipients/{id}/preferences", Who::Own, Operation::PutPreferences),
    route("PATCH", "/v1/recipients/{id}/preferences", Who::Own, Operation::PatchPreferences),
    route("GET", "/v1/tenants/{tenant}", Who::Members, Operation::GetTenant),
    route("PUT", "/v1/tenants/{tenant}", Who::Admins, Operation::PutTenant),
    route("POST", "/v1/tickets", Who::Members, Operation::IssueTicket),
    once("POST", "/v1/events", Who::Admins, Operation::Publish),
    route("GET", "/v1/events/{id}/deliveries", Who::Admins, Operation::ListDeliveries),
    once("POST", "/v1/deliveries/{key}/retry", Who::Admins, Operation::Retry),
    route("GET", "/v1/endpoints", Who::Admins, Operation::ListEndpoints),
    route("GET", "/v1/endpoints/{id}", Who::Admins, Operation::GetEndpoint),
    route("PUT", "/v1/endpoints/{id}", Who::Admins, Operation::PutEndpoint),
    route("DELETE", "/v1/endpoints/{id}", Who::Admins, Operation::DeleteEndpoint),
    // The answer contains a secret and must not be stored. A repeated request creates another secret.
    route("POST", "/v1/endpoints/{id}/rotate", Who::Admins, Operation::RotateSecret),
    route("POST", "/v1/endpoints/{id}/enable", Who::Admins, Operation::EnableEndpoint),
    route("POST", "/v1/endpoints/{id}/disable", Who::Admins, Operation::DisableEndpoint),
    once("POST", "/v1/endpoints/{id}/ping", Who::Admins, Operation::PingEndpoint),
    route("POST", "/v1/endpoints/{id}/verify", Who::Admins, Operation::VerifyEndpoint),
    route("GET", "/v1/endpoints/{id}/attempts", Who::Admins, Operation::ListAttempts),
    once("POST", "/v1/endpoints/{id}/messages/{message}/retry", Who::Admins, Operation::RetryMessage),
    once("POST", "/v1/endpoints/{id}/recover", Who::Admins, Operation::RecoverMessages),
];

const fn route(method: &'static str, path: &'static str, who: Who, operation: Operation) -> Route {
    Route { method, path, who, once: false, operation }
}

const fn once(method: &'static str, path: &'static str, who: Who, operation: Operation) -> Route {
    Route { method, path, who, once: true, operation }
}

impl Route {
    /// Whether a request is about its caller: the path names the caller, or the operation has no other
    /// object.
    pub(crate) fn names_self(&self, caller: &Caller, parameters: &[String]) -> bool {
        let Caller::Person(person) = caller else { return false };
        if self.operation == Operation::IssueTicket {
            return !person.is_admin;
        }
        self.path.starts_with(ABOUT_A_PERSON) && parameters.first() == Some(&person.user)
    }
}

/// The result of routing.
#[derive(Debug)]
pub(crate) enum Found {
    /// A route with the parameters of its path, in order.
    Route(&'static Route, Vec<String>),
    /// The path exists with these other methods.
    OtherMethods(Vec<&'static str>),
    Nothing,
}

/// Finds a route by its method and the parts of its path. Parameters are never empty.
pub(crate) fn find(method: &str, path: &[String]) -> Found {
    let mut others = Vec::new();
    for route in &ROUTES {
        let Some(parameters) = parameters(route.path, path) else { continue };
        if route.method == method {
            return Found::Route(route, parameters);
        }
        others.push(route.method);
    }
    if parameters(OPEN.1, path).is_some() {
        others.extend(OPEN.0);
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
}

fn parameters(pattern: &str, path: &[String]) -> Option<Vec<String>> {
    let parts: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
    if parts.len() != path.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (part, found) in parts.iter().zip(path) {
        if part.starts_with('{') {
            if found.is_empty() {
                return None;
            }
            parameters.push(found.clone());
        } else if part != found {
            return None;
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_is_found_by_method_and_path() {
        check("GET", "v1/recipients/ann", Some((Operation::GetRecipient, &["ann"])));
        check("PUT", "v1/recipients/ann/devices/d 1", Some((Operation::PutDevice, &["ann", "d 1"])));
        check("GET", "v1/recipients", Some((Operation::ListRecipients, &[])));
        check("GET", "v1/recipients/", None);
        check("GET", "v1/recipients/ann/", None);
        check("GET", "v2/recipients/ann", None);
        let Found::OtherMethods(others) = find("POST", &parts("v1/recipients/ann")) else { panic!() };
        assert_eq!(others, ["GET", "PUT", "PATCH", "DELETE"]);
        let Found::OtherMethods(others) = find("PUT", &parts("v1/unsubscribe/x")) else { panic!() };
        assert_eq!(others, ["GET", "HEAD", "POST"]);
    }

    #[track_caller]
    fn check(method: &str, path: &str, expected: Option<(Operation, &[&str])>) {
        match (find(method, &parts(path)), expected) {
            (Found::Route(route, parameters), Some((operation, expected))) => {
                assert_eq!((route.operation, parameters), (operation, parts_of(expected)));
            }
            (Found::Nothing, None) => {}
            (found, _) => panic!("{method} {path}: {found:?}"),
        }
    }

    fn parts(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    fn parts_of(all: &[&str]) -> Vec<String> {
        all.iter().map(|value| (*value).to_owned()).collect()
    }
}
