//! Identifies the caller and the tenant of a request.
//!
//! API Gateway has already verified the request: the signature of a program (IAM), or the signature,
//! issuer, audience and times of a token (JWT). Its result is in a part of the request that clients
//! cannot write. The claims are read from the token itself, because API Gateway passes claims as text,
//! in which lists lose their separators. They must equal the verified claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::recipient::{ALL_TENANTS, NO_TENANT};
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::request::{Jwt, Request};
use crate::token_rules::TokenRules;

/// The longest user and tenant of a token, in bytes. Events have the same limit.
const MAX_NAME_BYTES: usize = 256;

/// The issuer of accepted tokens, with the names of its claims.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The token's `iss`.
    pub name: String,
    /// An entry of the token's `aud`, or its `client_id` if it has no `aud`.
    pub audience: String,
    pub user_claim: String,
    pub tenant_claim: String,
    pub roles_claim: String,
    /// The allowed lifetime and use of tokens.
    pub rules: TokenRules,
}

/// The role with all rights within its tenant.
const ADMIN: &str = "admin";

/// The claim that lists the rooms that a person's sockets may join.
const ROOMS: &str = "rooms";

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A program of the account, allowed by IAM. The value is the ARN of its user or role session.
    Program(String),
    Person(Person),
}

/// A person, identified by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user: String,
    pub(crate) tenant: String,
    pub(crate) is_admin: bool,
    /// The rooms that the person's sockets may join.
    pub(crate) rooms: Vec<String>,
}

/// The rows that a request may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All rows, for a program that names no tenant.
    All,
    /// The rows of one tenant.
    Tenant(String),
}

impl Scope {
    pub(crate) fn tenant(&self) -> Option<&str> {
        match self {
            Scope::All => None,
            Scope::Tenant(tenant) => Some(tenant),
        }
    }
}

impl Caller {
    /// Identifies the caller of a request.
    ///
    /// # Errors
    /// 401: no known caller, or a token of another issuer. 403: a token without a tenant.
    pub(crate) fn of(request: &Request, issuer: Option<&Issuer>, now: Timestamp) -> Result<Caller, Problem> {
        let authorizer = request.authorizer();
        if let Some(jwt) = authorizer.and_then(|authorizer| authorizer.jwt.as_ref()) {
            let issuer = issuer.ok_or_else(|| unauthorized("no issuer of tokens is configured"))?;
            return person(request, jwt, issuer, now).map(Caller::Person);
        }
        let iam = authorizer.and_then(|authorizer| authorizer.iam.as_ref());
        match iam.and_then(|iam| iam.user_arn.as_deref()) {
            Some(arn) => Ok(Caller::Program(arn.to_owned())),
            None => Err(unauthorized("the request has no known signer")),
        }
    }

    /// The rows that the request may reach. A program names a tenant with `?tenant=`. A person's tenant
    /// is in the token.
    ///
    /// # Errors
    /// 403: a person names another tenant. 422: the parameter is present and is not a tenant's name.
    pub(crate) fn scope(&self, request: &Request) -> Result<Scope, Problem> {
        let named = request.tenant()?;
        match self {
            Caller::Program(_) => Ok(named.map_or(Scope::All, |name| Scope::Tenant(name.to_owned()))),
            Caller::Person(person) if named.is_some_and(|named| named != person.tenant) => {
                Err(Problem::forbidden("the token is for another tenant"))
            }
            Caller::Person(person) => Ok(Scope::Tenant(person.tenant.clone())),
        }
    }

    /// The person, if the caller is one without the role `admin`.
    pub(crate) fn member(&self) -> Option<&Person> {
        match self {
            Caller::Person(person) if !person.is_admin => Some(person),
            Caller::Person(_) | Caller::Program(_) => None,
        }
    }
}

/// When the token of a request expires: its claim `exp` in whole seconds. `None` for a request without a
/// token, and for a time beyond the calendar. Call this only for requests that [`Caller::of`] accepted.
///
/// Source: RFC 7519, section 4.1.4.
pub(crate) fn token_expiry(request: &Request) -> Option<Timestamp> {
    let (_, claims) = read(request.header("authorization")?)?;
    let exp = claims.get("exp").and_then(Value::as_f64)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and what no calendar holds is none"
    )]
    Timestamp::from_second(exp.floor() as i64).ok()
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(401, "unauthorized", detail)
}

fn person(request: &Request, jwt: &Jwt, issuer: &Issuer, now: Timestamp) -> Result<Person, Problem> {
    let not_ours = || unauthorized("the token is not one that was checked");
    let text = request.header("authorization").ok_or_else(not_ours)?;
    let (header, claims) = read(text).ok_or_else(not_ours)?;
    // API Gateway accepts only these. The check guards against a change there.
    if !header.get("alg").and_then(Value::as_str).is_some_and(|claim| ALGORITHMS.contains(&claim)) {
        return Err(not_ours());
    }
    let text_of = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_checked = |name: &str| jwt.claims.get(name).map(String::as_str) == text_of(name);
    if ![issuer.user_claim.as_str(), issuer.tenant_claim.as_str(), "iss"].into_iter().all(is_checked) {
        return Err(not_ours());
    }
    if text_of("iss") != Some(&issuer.name) || !is_for(&claims, &issuer.audience) {
        return Err(unauthorized("the token is of another issuer, or for another audience"));
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 fit a float until the year 285 million"
    )]
    let now = now.as_second() as f64;
    issuer.rules.check(&claims, now).map_err(|detail| unauthorized(&detail))?;
    let user = text_of(&issuer.user_claim).unwrap_or_default();
    let tenant = text_of(&issuer.tenant_claim).unwrap_or_default();
    if user.is_empty() || user.len() > MAX_NAME_BYTES || user.chars().any(char::is_control) {
        return Err(Problem::forbidden(format!(
            "the token names no user in its claim {}",
            issuer.user_claim
        )));
    }
    if check_tenant(tenant).is_err() {
        return Err(Problem::forbidden(format!(
            "the token names no tenant in its claim {}",
            issuer.tenant_claim
        )));
    }
    let is_admin = list(claims.get(&issuer.roles_claim)).iter().any(|claim| claim == ADMIN);
    Ok(Person { user: user.to_owned(), tenant: tenant.to_owned(), is_admin, rooms: list(claims.get(ROOMS)) })
}

/// The accepted signature algorithms.
///
/// Source: API Gateway developer guide, "Controlling access to HTTP APIs with JWT authorizers":
/// RSA-based algorithms only.
const ALGORITHMS: [&str; 3] = ["RS256", "RS384", "RS512"];

/// Checks a tenant's name. The error says why the name is refused.
pub(crate) fn check_tenant(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("an empty string"),
        NO_TENANT => Err("the name that stands for no tenant"),
        ALL_TENANTS => Err("the name that stands for all tenants"),
        name if name.len() > MAX_NAME_BYTES => Err("more than 256 bytes"),
        name if name.chars().any(char::is_control) => Err("a control character"),
        _ => Ok(()),
    }
}

/// The unverified header and claims of a token.
fn read(authorization: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let token = authorization.trim();
    let token = match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => return None,
        None => token,
    };
    let mut parts = token.split('.');
    let mut object = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    };
    let found = (object()?, object()?);
    (parts.next().is_some() && parts.next().is_none()).then_some(found)
}

fn is_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud").or_else(|| claims.get("client_id")) {
        Some(Value::String(text)) => text == audience,
        Some(Value::Array(all)) => all.iter().any(|claim| claim == audience),
        Some(_) | None => false,
    }
}

/// The entries of a claim: a list of texts, or a text separated by spaces, as in OAuth.
fn list(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(all)) => all.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        Some(Value::String(text)) => {
            text.split(' ').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
