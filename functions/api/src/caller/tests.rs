use super::*;
use crate::request::tests::read as request;
use serde_json::json;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn token_gives_user_tenant_and_admin_role() {
    let ann = |is_admin| Person { user: "ann".into(), tenant: "clinic-7".into(), is_admin, rooms: vec![] };
    assert_eq!(ask(&claims()).unwrap(), Caller::Person(ann(false)));
    let mut admin = claims();
    admin["roles"] = json!(["billing", "admin"]);
    assert_eq!(ask(&admin).unwrap(), Caller::Person(ann(true)));
    admin["roles"] = json!("billing admin");
    assert_eq!(ask(&admin).unwrap(), Caller::Person(ann(true)));
    admin["roles"] = json!(["clinic admin", "administrator", 7]);
    assert_eq!(ask(&admin).unwrap(), Caller::Person(ann(false)), "no role is a part of another");
}

#[test]
fn malformed_token_is_refused() {
    for (member, value, status) in [
        ("exp", json!(1_795_000_000), 401),
        ("exp", Value::Null, 401),
        ("exp", json!(1e300), 401),
        ("exp", json!(1_795_000_000 + 86_401), 401),
        ("iat", json!(1_795_000_000 - 86_400), 401),
        ("nbf", json!(1_795_000_001), 401),
        ("iss", json!("https://evil"), 401),
        ("aud", json!("other"), 401),
        ("aud", Value::Null, 401),
        ("tenant", Value::Null, 403),
        ("tenant", json!("-"), 403),
        ("tenant", json!(["clinic-7"]), 401),
        ("sub", json!(""), 403),
    ] {
        let mut claims = claims();
        claims[member] = value.clone();
        assert_eq!(ask(&claims).unwrap_err().status, status, "{member} {value}");
    }
}

#[test]
fn token_without_the_required_claim_is_refused() {
    let required = Some("token_use=access".parse().unwrap());
    let issuer = Issuer { rules: TokenRules { required, ..TokenRules::default() }, ..issuer() };
    let ask = |use_: &str| {
        let mut claims = claims();
        claims["token_use"] = use_.into();
        let token = token(&json!({ "alg": "RS256" }), &claims);
        Caller::of(&call(Some(&token), Some(texts(&claims).into())), Some(&issuer), NOW)
    };
    assert!(ask("access").is_ok());
    assert_eq!(ask("id").unwrap_err().status, 401);
}

#[test]
fn unverified_claims_are_ignored() {
    let token = token(&json!({ "alg": "RS256" }), &claims());
    let mut checked = texts(&claims());
    checked.insert("tenant".into(), json!("clinic-8"));
    check(Some(&token), Some(checked.into()), 401);
    check(Some(&format!("{token},{token}")), Some(texts(&claims()).into()), 401);
    check(None, Some(texts(&claims()).into()), 401);
    check(Some(&token), None, 401);
    for alg in ["none", "HS256", "ES256"] {
        let token = self::token(&json!({ "alg": alg }), &claims());
        check(Some(&token), Some(texts(&claims()).into()), 401);
    }
}

#[test]
fn program_is_identified_by_its_signature() {
    let of = |query: Value| {
        request(&json!({
            "queryStringParameters": query,
            "requestContext": { "requestId": "r", "http": { "method": "GET" },
                "authorizer": { "iam": { "userArn": "arn:aws:iam::1:user/shop" } } },
        }))
    };
    let program = Caller::Program("arn:aws:iam::1:user/shop".to_owned());
    assert_eq!(Caller::of(&of(Value::Null), None, NOW), Ok(program), "the ARN is kept for the access record");
    let scope = |query: Value| {
        let request = of(query);
        Caller::of(&request, None, NOW).unwrap().scope(&request)
    };
    assert_eq!(scope(Value::Null), Ok(Scope::All));
    assert_eq!(scope(json!({ "tenant": "clinic-7" })), Ok(Scope::Tenant("clinic-7".into())));
    assert_eq!(scope(json!({ "tenant": "-" })).unwrap_err().status, 422);
    let unsigned =
        request(&json!({ "requestContext": { "http": { "method": "GET" }, "authorizer": { "iam": {} } } }));
    assert_eq!(Caller::of(&unsigned, None, NOW).unwrap_err().status, 401);
}

#[test]
fn session_ends_when_the_token_expires() {
    let expiry = |exp: Value| {
        let mut claims = claims();
        claims["exp"] = exp;
        token_expiry(&call(Some(&token(&json!({ "alg": "RS256" }), &claims)), None))
    };
    let at = |second| Some(Timestamp::from_second(second).unwrap());
    assert_eq!(expiry(json!(1_795_000_001)), at(1_795_000_001));
    assert_eq!(expiry(json!(1_795_000_001.9)), at(1_795_000_001));
    for exp in [json!(1e300), Value::Null, json!("tomorrow")] {
        assert_eq!(expiry(exp.clone()), None, "{exp}");
    }
    assert_eq!(token_expiry(&call(None, None)), None);
}

fn ask(claims: &Value) -> Result<Caller, Problem> {
    let token = token(&json!({ "alg": "RS256", "kid": "1" }), claims);
    Caller::of(&call(Some(&token), Some(texts(claims).into())), Some(&issuer()), NOW)
}

#[track_caller]
fn check(token: Option<&str>, checked: Option<Value>, status: u16) {
    let problem = Caller::of(&call(token, checked), Some(&issuer()), NOW).unwrap_err();
    assert_eq!(problem.status, status);
}

fn call(token: Option<&str>, checked: Option<Value>) -> Request {
    let headers =
        token.map(|token| json!({ "authorization": format!("Bearer {token}") })).unwrap_or(json!({}));
    request(&json!({
        "headers": headers,
        "requestContext": { "requestId": "r", "http": { "method": "GET" },
            "authorizer": checked.map(|checked| json!({ "jwt": { "claims": checked } })) },
    }))
}

fn claims() -> Value {
    json!({ "iss": "https://issuer", "aud": ["carillon", "x"], "exp": 1_795_000_001, "sub": "ann", "tenant": "clinic-7" })
}

/// The claims in the form of API Gateway.
fn texts(claims: &Value) -> Map<String, Value> {
    let all = claims.as_object().unwrap().iter().filter(|(_, claim)| !claim.is_null());
    all.map(|(name, value)| {
        (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned).into())
    })
    .collect()
}

fn token(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims))
}

fn issuer() -> Issuer {
    Issuer {
        name: "https://issuer".into(),
        audience: "carillon".into(),
        user_claim: "sub".into(),
        tenant_claim: "tenant".into(),
        roles_claim: "roles".into(),
        rules: TokenRules::default(),
    }
}
