//! `carillon-dev token`: a token of the local issuer.

use std::time::Duration;

use serde_json::json;

use cli::error::{Done, Error};
use cli::local_cloud::State;
use cli::terminal::Terminal;

use crate::args::Token;
use crate::local::issuer;

pub(crate) fn run(args: &Token, terminal: &Terminal) -> Done {
    let state = State::load()?.filter(|state| state.capture.is_some());
    let state =
        state.ok_or_else(|| Error::usage("the local cloud is not running", "start it with `make up`"))?;
    let now = runtime::now();
    let expires_at = now + Duration::from_secs(args.seconds);
    let mut claims = json!({
        "iss": state.capture_endpoint(), "aud": issuer::AUDIENCE, "sub": args.user, "tenant": args.tenant,
        "roles": args.roles, "iat": now.as_second(), "exp": expires_at.as_second(),
    });
    if !args.rooms.is_empty() {
        claims["rooms"] = json!(args.rooms);
    }
    let token = issuer::sign(&claims)?;
    if terminal.json {
        let url = state.token_url;
        terminal.say_json(&json!({ "token": token, "url": url, "expires_at": expires_at.to_string() }));
    } else {
        terminal.say(&token);
    }
    Ok(true)
}
