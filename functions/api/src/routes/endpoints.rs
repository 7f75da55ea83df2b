//! `/v1/endpoints`: the systems that a tenant wants to be told by webhook. With a token, or with `?tenant=`, they are that
//! tenant's; otherwise those that belong to none.
//!
//! What signatures are verified with is said once, by the answer that made it; a public key is no secret.

use domain::endpoint::headers::CustomHeaders;
use domain::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::endpoint::secret::{Scheme, Secret};
use domain::endpoint::{DisabledBecause, Endpoint, EndpointId, MAX_PER_TENANT};
use serde_json::{Map, Value, json};
use store::{NewHeaders, Registered};

use crate::changes::Changed;
use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::recipients::same_id;
use crate::routes::tickets::random;
use crate::tenancy::Relation;
use crate::{Api, Asked};

/// What a body may hold. What a record shows of the switch is no word about it.
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

/// The bytes of a new secret.
const SECRET_BYTES: usize = 32;

impl Api {
    pub(crate) async fn list_endpoints(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let page = Page::of(asked.request, asked.scope, &["endpoints"])?;
        let found = self.endpoints.page(asked.scope.tenant(), page.after.as_deref(), page.limit).await?;
        Ok(Response::json(200, &json!({ "endpoints": found.endpoints, "next": page.next(found.next) })))
    }

    pub(crate) async fn get_endpoint(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let endpoint = self.endpoint(&asked.endpoint()?).await?;
        Ok(Response::json(200, &self.told(&endpoint, asked).await?))
    }

    /// Makes an endpoint exactly this; what is switched off stays so, and headers stay that the body says nothing of. A
    /// new one gets a secret. A new one, and one whose URL
    /// has a new origin, is sent a challenge, unless the operator vouches for the origin.
    pub(crate) async fn put_endpoint(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let (id, mut members) = (asked.parameter(0), asked.request.object()?);
        if let Some(problem) = Problem::stranger(&members, &MEMBERS) {
            return Err(problem);
        }
        same_id(&mut members, id)?;
        of_tenant(&mut members, asked)?;
        let scheme = scheme(&mut members)?.unwrap_or(Scheme::Hmac);
        let headers = members.remove("headers").map(|value| CustomHeaders::read(&value)).transpose()?;
        let endpoint = Endpoint::read(&Value::Object(members).to_string(), &self.allow)?;
        let vetted = runtime::vet(&endpoint.url, &self.allow).await;
        vetted.map_err(|error| Problem::refused("url", error.found(), error.wanted()))?;
        let secret = secret(scheme)?;
        let vouched = self.allow.names(&endpoint.url) || self.vouched.names(&endpoint.url);
        let encrypted = self.cipher().encrypt(&secret, &endpoint.id, asked.now).await?;
        let stored = StoredSecrets::of(StoredSecret::Encrypted(encrypted));
        let headers = match headers {
            None => NewHeaders::Keep,
            Some(none) if none.is_empty() => NewHeaders::Replace(None),
            Some(new) => {
                let encrypted = self.cipher().encrypt_headers(&new, &endpoint.id, asked.now).await?;
                NewHeaders::Replace(Some(encrypted))
            }
        };
        let done = self.endpoints.register_with(&endpoint, &stored, &headers, vouched, asked.now).await?;
        if done == Registered::Full {
            let detail = format!("the tenant has {MAX_PER_TENANT} endpoints; delete one first");
            return Err(Problem::new(409, "too_many_endpoints", detail));
        }
        let members = ["url", "description", "when", "version", "format", "headers"];
        self.announce(asked, Changed::Endpoint, &members).await;
        let is_moved = matches!(done, Registered::New | Registered::Changed { moved: true });
        let is_challenged = !vouched && is_moved && self.challenge_unasked(&endpoint.id, asked).await;
        let mut told = self.told(&self.endpoint(&endpoint.id).await?, asked).await?;
        if !vouched && is_moved {
            told["challenge_sent"] = is_challenged.into();
        }
        if done != Registered::New {
            return Ok(Response::json(200, &told));
        }
        told["verify_with"] = verifies(&secret).into();
        Ok(unkept(201, &told))
    }

    pub(crate) async fn delete_endpoint(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        // What can name no endpoint names none, and that was asked for.
        if let Ok(id) = asked.endpoint() {
            self.endpoints.remove(&id).await?;
            self.announce(asked, Changed::EndpointDeleted, &[]).await;
        }
        Ok(Response::empty(204))
    }

    /// Signs with a new secret, of the kind that it had where the body says nothing of that.
    pub(crate) async fn rotate_secret(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let id = asked.endpoint()?;
        let mut members = asked.object_or_none()?;
        if let Some(problem) = Problem::stranger(&members, &["scheme"]) {
            return Err(problem);
        }
        let wanted = scheme(&mut members)?;
        let current = self.endpoints.secrets(&id).await?.ok_or_else(Problem::no_endpoint)?;
        let secret = secret(wanted.or(current.current().map(StoredSecret::scheme)).unwrap_or(Scheme::Hmac))?;
        let (cipher, now) = (self.cipher(), asked.now);
        let encrypted = cipher.encrypt(&secret, &id, now).await?;
        let rotate = async |stored: StoredSecrets| cipher.rotated(&stored, &encrypted, &id, now).await;
        let rotated = self.endpoints.rotate(&id, rotate).await?;
        let secrets = rotated.ok_or_else(Problem::no_endpoint)?;
        self.announce(asked, Changed::Endpoint, &["secret"]).await;
        let signing = secrets.signing(asked.now).count();
        Ok(unkept(200, &json!({ "id": id.id, "verify_with": verifies(&secret), "signing": signing })))
    }

    pub(crate) async fn enable_endpoint(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let id = asked.endpoint()?;
        match self.endpoints.enable(&id).await? {
            true => {
                self.announce(asked, Changed::Endpoint, &["disabled"]).await;
                self.get_endpoint(asked).await
            }
            false => Err(Problem::no_endpoint()),
        }
    }

    /// What is off already stays so for its first reason.
    pub(crate) async fn disable_endpoint(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let id = asked.endpoint()?;
        if self.endpoints.disable(&id, DisabledBecause::Operator, asked.now).await? {
            self.announce(asked, Changed::Endpoint, &["disabled"]).await;
        }
        self.get_endpoint(asked).await
    }

    /// The endpoint of this id, if there is one.
    pub(crate) async fn endpoint(&self, id: &EndpointId) -> Result<Endpoint, Problem> {
        let found = self.endpoints.find(std::slice::from_ref(id)).await?.pop();
        found.ok_or_else(Problem::no_endpoint)
    }

    /// An endpoint with how it has been doing, and how its requests are signed.
    pub(crate) async fn told(&self, endpoint: &Endpoint, asked: &Asked<'_>) -> Result<Value, Problem> {
        let (health, _) = self.endpoints.health(&endpoint.id).await?;
        let secrets = self.endpoints.secrets(&endpoint.id).await?.unwrap_or_default();
        let mut told = json!(endpoint);
        told["health"] = json!({ "failures": health.failures });
        for (name, at) in [("since", health.since), ("last", health.last)] {
            if let Some(at) = at {
                told["health"][name] = at.to_string().into();
            }
        }
        told["signing"] = secrets.signing(asked.now).count().into();
        if let Some(key) = secrets.current().and_then(signing::stored_public_key) {
            told["verify_with"] = key.into();
        }
        Ok(told)
    }
}

impl Asked<'_> {
    /// The endpoint that the path names.
    ///
    /// # Errors
    /// 404: nothing is called so.
    pub(crate) fn endpoint(&self) -> Result<EndpointId, Problem> {
        let tenant = self.scope.tenant();
        let id = EndpointId { tenant: tenant.map(str::to_owned), id: self.parameter(0).to_owned() };
        match EndpointId::parse(&id.name()) {
            Some(it) if it == id => Ok(id),
            Some(_) | None => Err(Problem::no_endpoint()),
        }
    }

    /// The JSON object of the body; an empty one where there is no body.
    pub(crate) fn object_or_none(&self) -> Result<Map<String, Value>, Problem> {
        match self.request.body()?.trim() {
            "" => Ok(Map::new()),
            _ => self.request.object(),
        }
    }
}

/// The tenant may be left out in the body; another one than the caller means is refused.
fn of_tenant(members: &mut Map<String, Value>, asked: &Asked<'_>) -> Result<(), Problem> {
    match (asked.scope.tenant(), members.remove("tenant")) {
        (Some(own), None | Some(Value::Null)) => drop(members.insert("tenant".to_owned(), own.into())),
        (Some(own), Some(named)) if named == *own => drop(members.insert("tenant".to_owned(), named)),
        (Some(_), Some(_)) => {
            asked.authorize(Relation::OtherTenant)?;
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
        Some(Value::String(it)) if it == "hmac" => Ok(Some(Scheme::Hmac)),
        Some(Value::String(it)) if it == "ed25519" => Ok(Some(Scheme::Ed25519)),
        Some(_) => Err(Problem::refused("scheme", "something else", "hmac or ed25519")),
    }
}

fn secret(scheme: Scheme) -> Result<Secret, Problem> {
    let bytes = random::<SECRET_BYTES>()?.to_vec();
    Ok(Secret::new(scheme, bytes).expect("32 bytes fit both schemes"))
}

/// What a receiver needs: the secret itself where both sides have it, the public half otherwise.
fn verifies(secret: &Secret) -> String {
    signing::public_key(secret).unwrap_or_else(|| secret.reveal())
}

/// An answer that nobody between us is to keep.
fn unkept(status: u16, value: &Value) -> Response {
    Response::json(status, value).with("cache-control", "no-store".to_owned())
}
