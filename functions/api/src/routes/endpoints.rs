//! `/v1/endpoints`: the webhook endpoints of a tenant. With a token or `?tenant=` they are that
//! tenant's, otherwise those without a tenant.
//!
//! A signing secret appears only in the answer that created it. A public key is not secret.

use domain::webhook::endpoint::headers::CustomHeaders;
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::secret::{Scheme, Secret};
use domain::webhook::endpoint::{DisabledBecause, Endpoint, EndpointId, MAX_PER_TENANT};
use serde_json::{Map, Value, json};
use store::{NewHeaders, Registered};

use crate::changes::Changed;
use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::recipients::same_id;
use crate::routes::tickets::random;
use crate::tenancy::Relation;
use crate::{Api, ApiCall};

/// The members of a body. Read-only members of a record about its state are accepted and ignored.
const MEMBERS: [&str; 12] = [
    "url",
    "description",
    "when",
    "version",
    "format",
    "headers",
    "scheme",
    "id",
    "tenant",
    "disabled",
    "unverified",
    "header_names",
];

/// The length of a new secret, in bytes.
const SECRET_BYTES: usize = 32;

impl Api {
    pub(crate) async fn list_endpoints(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let page = Page::of(call.request, call.scope, &["endpoints"])?;
        let found = self.endpoints.page(call.scope.tenant(), page.after.as_deref(), page.limit).await?;
        Ok(Response::json(200, &json!({ "endpoints": found.endpoints, "next": page.next(found.next) })))
    }

    pub(crate) async fn get_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&call.endpoint()?).await?;
        Ok(Response::json(200, &self.body(&endpoint, call).await?))
    }

    /// Creates or replaces an endpoint. Its disabled state remains, and so do headers that the body
    /// omits. A new endpoint gets a secret. A new endpoint, or one whose URL has a new origin, gets a
    /// challenge, unless the operator vouches for the origin.
    pub(crate) async fn put_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let (id, mut members) = (call.parameter(0), call.request.object()?);
        if let Some(problem) = Problem::stranger(&members, &MEMBERS) {
            return Err(problem);
        }
        same_id(&mut members, id)?;
        of_tenant(&mut members, call)?;
        let scheme = scheme(&mut members)?.unwrap_or(Scheme::Hmac);
        let headers = members.remove("headers").map(|value| CustomHeaders::read(&value)).transpose()?;
        let endpoint = Endpoint::read(&Value::Object(members).to_string(), &self.allow)?;
        let vetted = runtime::vet(&endpoint.url, &self.allow).await;
        vetted.map_err(|error| Problem::refused("url", error.found(), error.wanted()))?;
        let secret = secret(scheme)?;
        let vouched = self.allow.names(&endpoint.url) || self.vouched.names(&endpoint.url);
        let encrypted = self.cipher().encrypt(&secret, &endpoint.id, call.now).await?;
        let stored = StoredSecrets::of(StoredSecret::Encrypted(encrypted));
        let headers = match headers {
            None => NewHeaders::Keep,
            Some(none) if none.is_empty() => NewHeaders::Replace(None),
            Some(new) => {
                let encrypted = self.cipher().encrypt_headers(&new, &endpoint.id, call.now).await?;
                NewHeaders::Replace(Some(encrypted))
            }
        };
        let done = self.endpoints.register_with(&endpoint, &stored, &headers, vouched, call.now).await?;
        if done == Registered::Full {
            let detail = format!("the tenant has {MAX_PER_TENANT} endpoints; delete one first");
            return Err(Problem::new(409, "too_many_endpoints", detail));
        }
        let members = ["url", "description", "when", "version", "format", "headers"];
        self.announce(call, Changed::Endpoint, &members).await;
        let is_moved = matches!(done, Registered::New | Registered::Changed { moved: true });
        let is_challenged = !vouched && is_moved && self.challenge_unasked(&endpoint.id, call).await;
        let mut body = self.body(&self.endpoint(&endpoint.id).await?, call).await?;
        if !vouched && is_moved {
            body["challenge_sent"] = is_challenged.into();
        }
        if done != Registered::New {
            return Ok(Response::json(200, &body));
        }
        body["verification_key"] = verifies(&secret).into();
        Ok(unkept(201, &body))
    }

    pub(crate) async fn delete_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        // An invalid id names no endpoint, which is the desired state.
        if let Ok(id) = call.endpoint() {
            self.endpoints.remove(&id).await?;
            self.announce(call, Changed::EndpointDeleted, &[]).await;
        }
        Ok(Response::empty(204))
    }

    /// Adds a new signing secret. Its kind is that of the current one unless the body names another.
    pub(crate) async fn rotate_secret(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.endpoint()?;
        let mut members = call.object_or_none()?;
        if let Some(problem) = Problem::stranger(&members, &["scheme"]) {
            return Err(problem);
        }
        let wanted = scheme(&mut members)?;
        let current = self.endpoints.secrets(&id).await?.ok_or_else(Problem::no_endpoint)?;
        let secret = secret(wanted.or(current.current().map(StoredSecret::scheme)).unwrap_or(Scheme::Hmac))?;
        let (cipher, now) = (self.cipher(), call.now);
        let encrypted = cipher.encrypt(&secret, &id, now).await?;
        let rotate = async |stored: StoredSecrets| cipher.rotated(&stored, &encrypted, &id, now).await;
        let rotated = self.endpoints.rotate(&id, rotate).await?;
        let secrets = rotated.ok_or_else(Problem::no_endpoint)?;
        self.announce(call, Changed::Endpoint, &["secret"]).await;
        let signing = secrets.signing(call.now).count();
        Ok(unkept(200, &json!({ "id": id.id, "verification_key": verifies(&secret), "signing": signing })))
    }

    pub(crate) async fn enable_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.endpoint()?;
        match self.endpoints.enable(&id).await? {
            true => {
                self.announce(call, Changed::Endpoint, &["disabled"]).await;
                self.get_endpoint(call).await
            }
            false => Err(Problem::no_endpoint()),
        }
    }

    /// Disables an endpoint. A disabled endpoint keeps its first reason.
    pub(crate) async fn disable_endpoint(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.endpoint()?;
        if self.endpoints.disable(&id, DisabledBecause::Operator, call.now).await? {
            self.announce(call, Changed::Endpoint, &["disabled"]).await;
        }
        self.get_endpoint(call).await
    }

    /// The endpoint with this id, if it exists.
    pub(crate) async fn endpoint(&self, id: &EndpointId) -> Result<Endpoint, Problem> {
        let found = self.endpoints.find(std::slice::from_ref(id)).await?.pop();
        found.ok_or_else(Problem::no_endpoint)
    }

    /// An endpoint with its health and its signature method.
    pub(crate) async fn body(&self, endpoint: &Endpoint, call: &ApiCall<'_>) -> Result<Value, Problem> {
        let (health, _) = self.endpoints.health(&endpoint.id).await?;
        let secrets = self.endpoints.secrets(&endpoint.id).await?.unwrap_or_default();
        let mut body = json!(endpoint);
        body["health"] = json!({ "failures": health.failures });
        for (name, at) in [("since", health.since), ("last", health.last)] {
            if let Some(at) = at {
                body["health"][name] = at.to_string().into();
            }
        }
        body["signing"] = secrets.signing(call.now).count().into();
        if let Some(key) = secrets.current().and_then(signing::stored_public_key) {
            body["verification_key"] = key.into();
        }
        Ok(body)
    }
}

impl ApiCall<'_> {
    /// The endpoint in the path.
    ///
    /// # Errors
    /// 404: no endpoint has this name.
    pub(crate) fn endpoint(&self) -> Result<EndpointId, Problem> {
        let tenant = self.scope.tenant();
        let id = EndpointId { tenant: tenant.map(str::to_owned), id: self.parameter(0).to_owned() };
        match EndpointId::parse(&id.name()) {
            Some(named) if named == id => Ok(id),
            Some(_) | None => Err(Problem::no_endpoint()),
        }
    }

    /// The JSON object of the body, empty if there is no body.
    pub(crate) fn object_or_none(&self) -> Result<Map<String, Value>, Problem> {
        match self.request.body()?.trim() {
            "" => Ok(Map::new()),
            _ => self.request.object(),
        }
    }
}

/// Removes the tenant from the body. A tenant other than the caller's is refused.
fn of_tenant(members: &mut Map<String, Value>, call: &ApiCall<'_>) -> Result<(), Problem> {
    match (call.scope.tenant(), members.remove("tenant")) {
        (Some(own), None | Some(Value::Null)) => drop(members.insert("tenant".to_owned(), own.into())),
        (Some(own), Some(named)) if named == *own => drop(members.insert("tenant".to_owned(), named)),
        (Some(_), Some(_)) => {
            call.authorize(Relation::OtherTenant)?;
        }
        (None, None | Some(Value::Null)) => {}
        (None, Some(_)) => {
            return Err(Problem::refused(
                "tenant",
                "a tenant in the body",
                "its name in the query: ?tenant=",
            ));
        }
    }
    Ok(())
}

fn scheme(members: &mut Map<String, Value>) -> Result<Option<Scheme>, Problem> {
    match members.remove("scheme") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name == "hmac" => Ok(Some(Scheme::Hmac)),
        Some(Value::String(name)) if name == "ed25519" => Ok(Some(Scheme::Ed25519)),
        Some(_) => Err(Problem::refused("scheme", "another value", "hmac or ed25519")),
    }
}

fn secret(scheme: Scheme) -> Result<Secret, Problem> {
    let bytes = random::<SECRET_BYTES>()?.to_vec();
    Ok(Secret::new(scheme, bytes).expect("32 bytes fit both schemes"))
}

/// The verification key for the receiver: the shared secret or the public key.
fn verifies(secret: &Secret) -> String {
    signing::public_key(secret).unwrap_or_else(|| secret.reveal())
}

/// An answer that caches must not store.
fn unkept(status: u16, value: &Value) -> Response {
    Response::json(status, value).with("cache-control", "no-store".to_owned())
}
