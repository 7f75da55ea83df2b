//! The proxy between the functions and the local cloud, as `carillon-dev proxy` serves it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloud::root;

/// Its two doors: one leads to the local cloud, the other to the providers that are played.
pub(crate) struct Proxy {
    pub(crate) url: String,
    /// Where an endpoint must be for the proxy to see what a webhook is asked.
    pub(crate) providers: String,
}

/// One call, as the journal tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Call {
    pub(crate) number: u64,
    pub(crate) service: String,
    pub(crate) action: String,
    pub(crate) function: Option<String>,
    /// Which try of the caller's client it was.
    pub(crate) attempt: u32,
    /// How many things it carries.
    pub(crate) parts: usize,
    pub(crate) fault: Option<String>,
}

#[derive(Deserialize)]
struct State {
    proxy: Port,
    providers: u16,
}

#[derive(Deserialize)]
struct Port {
    port: u16,
}

impl Proxy {
    pub(crate) fn connect() -> Proxy {
        let text = std::fs::read(root().join(".local/cloud.json")).expect("`make up` starts the local cloud");
        let state: State = serde_json::from_slice(&text).unwrap();
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        Proxy { url: at(state.proxy.port), providers: at(state.providers) }
    }

    /// From now on this is done, and nothing else.
    pub(crate) fn plan(&self, seed: u64, faults: &[Value]) {
        let plan = json!({ "seed": seed, "faults": faults }).to_string();
        ureq::put(format!("{}/_faults", self.url)).send(plan).unwrap();
    }

    pub(crate) fn clear(&self) {
        ureq::delete(format!("{}/_faults", self.url)).call().unwrap();
    }

    /// How often each fault of the plan was done.
    pub(crate) fn done(&self) -> Vec<u64> {
        let text = ureq::get(format!("{}/_faults", self.url)).call().unwrap().body_mut().read_to_string();
        let plan: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let faults = plan["faults"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|fault| fault["done"].as_u64().unwrap()).collect()
    }

    /// The calls after this number.
    pub(crate) fn journal(&self, after: u64) -> Vec<Call> {
        let asked = ureq::get(format!("{}/_journal", self.url)).query("after", after.to_string());
        let text = asked.call().unwrap().body_mut().with_config().limit(1 << 30).read_to_string();
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    /// The number of the last call.
    pub(crate) fn now(&self) -> u64 {
        let text = ureq::get(format!("{}/_proxy", self.url)).call().unwrap().body_mut().read_to_string();
        serde_json::from_str::<Value>(&text.unwrap()).unwrap()["calls"].as_u64().unwrap()
    }
}

impl Call {
    /// Whether a provider is asked to send something.
    pub(crate) fn is_send(&self) -> bool {
        match self.service.as_str() {
            "ses" | "sns" | "social-messaging" | "execute-api" => true,
            // A webhook is asked by whoever signs by itself.
            _ => self.action.contains("/hooks/"),
        }
    }
}
