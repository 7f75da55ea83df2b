//! Who asks, and for which tenant.
//!
//! API Gateway has checked the request before it is here: the signature of a program of the account (IAM), or the
//! signature, issuer, audience and times of a token (JWT). What it found is in the request, where no client can write.
//! The claims are read from the token itself, because API Gateway hands every claim over as text and a list in it has
//! lost where one member ends; they must be the ones that it checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::recipient::{ALL_TENANTS, NO_TENANT};
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::request::{Jwt, Request};
use crate::token_rules::TokenRules;

/// The longest user and tenant of a token, in bytes: as long as an event's.
const MAX_NAME_BYTES: usize = 256;

/// Whose tokens are accepted, and what their claims are called.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The token's `iss`.
    pub name: String,
    /// One of the token's `aud`, or its `client_id` where it has no `aud`.
    pub audience: String,
    pub user_claim: String,
    pub tenant_claim: String,
    pub roles_claim: String,
    /// How long its tokens may live, and what they must be issued for.
    pub rules: TokenRules,
}

/// The role that may do everything with what belongs to its tenant.
const ADMIN: &str = "admin";

/// The claim that lists the rooms a person's sockets may join.
const ROOMS: &str = "rooms";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A program of the account: IAM says that it may. The ARN of its user or role session says which one.
    Program(String),
    Person(Person),
}

/// A person, as their token has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user: String,
    pub(crate) tenant: String,
    pub(crate) is_admin: bool,
    /// The rooms that their sockets may join.
    pub(crate) rooms: Vec<String>,
}

/// What a request may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything: a program that names no tenant.
    All,
    /// One tenant, and nobody else's rows.
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
    /// # Errors
    /// 401: nobody who is known, or a token that is none of ours. 403: a token without a tenant.
    pub(crate) fn of(request: &Request, issuer: Option<&Issuer>, now: Timestamp) -> Result<Caller, Problem> {
        let authorizer = request.authorizer();
        if let Some(jwt) = authorizer.and_then(|authorizer| authorizer.jwt.as_ref()) {
            let issuer = issuer.ok_or_else(|| unauthorized("no issuer of tokens is configured"))?;
            return person(request, jwt, issuer, now).map(Caller::Person);
        }
        let iam = authorizer.and_then(|authorizer| authorizer.iam.as_ref());
        match iam.and_then(|iam| iam.user_arn.as_deref()) {
            Some(arn) => Ok(Caller::Program(arn.to_owned())),
            None => Err(unauthorized("nobody who is known signed this request")),
        }
    }

    /// What the request may reach. A program names a tenant with `?tenant=`; a person's is in their token.
    ///
    /// # Errors
    /// 403: a person names another tenant than their own. 422: the parameter is there and names no tenant.
    pub(crate) fn scope(&self, request: &Request) -> Result<Scope, Problem> {
        let named = request.tenant()?;
        match self {
            Caller::Program(_) => Ok(named.map_or(Scope::All, |it| Scope::Tenant(it.to_owned()))),
            Caller::Person(it) if named.is_some_and(|named| named != it.tenant) => {
                Err(Problem::forbidden("the token is for another tenant"))
            }
            Caller::Person(person) => Ok(Scope::Tenant(person.tenant.clone())),
        }
    }

    /// The person, where it is one without further rights.
    pub(crate) fn member(&self) -> Option<&Person> {
        match self {
            Caller::Person(person) if !person.is_admin => Some(person),
            Caller::Person(_) | Caller::Program(_) => None,
        }
    }
}

/// When the token of a request expires: its claim `exp`, cut to whole seconds. `None` for a request without a token, and
/// for a time that lies beyond the calendar. Of a request that [`Caller::of`] refused the answer means nothing.
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
    // API Gateway accepts nothing else; a change of its mind shall not become ours.
    if !header.get("alg").and_then(Value::as_str).is_some_and(|it| ALGORITHMS.contains(&it)) {
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
    let is_admin = list(claims.get(&issuer.roles_claim)).iter().any(|it| it == ADMIN);
    Ok(Person { user: user.to_owned(), tenant: tenant.to_owned(), is_admin, rooms: list(claims.get(ROOMS)) })
}

/// How a token may be signed.
///
/// Source: API Gateway developer guide, "Controlling access to HTTP APIs with JWT authorizers": RSA-based algorithms only.
const ALGORITHMS: [&str; 3] = ["RS256", "RS384", "RS512"];

/// What is wrong with a tenant's name.
pub(crate) fn check_tenant(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("an empty string"),
        NO_TENANT => Err("the name that stands for no tenant"),
        ALL_TENANTS => Err("the name that stands for all tenants"),
        it if it.len() > MAX_NAME_BYTES => Err("more than 256 bytes"),
        it if it.chars().any(char::is_control) => Err("a control character"),
        _ => Ok(()),
    }
}

/// The header and the claims of a token, unchecked.
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
        Some(Value::Array(all)) => all.iter().any(|it| it == audience),
        Some(_) | None => false,
    }
}

/// The texts of a list; of a text, what is between its spaces, as OAuth writes lists.
fn list(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(all)) => all.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
        Some(Value::String(text)) => {
            text.split(' ').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
