//! Client of the fault proxy between the functions and the local cloud, which `carillon-dev proxy` serves.

use serde::Deserialize;
use serde_json::{Value, json};
use workspace::root;

/// The proxy's two listeners: one forwards to the local cloud, the other to the capture server's providers.
pub(crate) struct Proxy {
    pub(crate) url: String,
    /// URL under which an endpoint must be registered for the proxy to see its webhook requests.
    pub(crate) providers: String,
}

/// One call in the proxy's journal.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Call {
    pub(crate) number: u64,
    pub(crate) service: String,
    pub(crate) action: String,
    pub(crate) function: Option<String>,
    /// Attempt number within the caller's SDK client.
    pub(crate) attempt: u32,
    /// Number of entries in the request.
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

    /// Replaces the plan of faults.
    pub(crate) fn plan(&self, seed: u64, faults: &[Value]) {
        let plan = json!({ "seed": seed, "faults": faults }).to_string();
        ureq::put(format!("{}/_faults", self.url)).send(plan).unwrap();
    }

    pub(crate) fn clear(&self) {
        ureq::delete(format!("{}/_faults", self.url)).call().unwrap();
    }

    /// Number of times that each fault of the plan occurred.
    pub(crate) fn done(&self) -> Vec<u64> {
        let text = ureq::get(format!("{}/_faults", self.url)).call().unwrap().body_mut().read_to_string();
        let plan: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let faults = plan["faults"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|fault| fault["done"].as_u64().unwrap()).collect()
    }

    /// Calls after the call with this number.
    pub(crate) fn journal(&self, after: u64) -> Vec<Call> {
        let asked = ureq::get(format!("{}/_journal", self.url)).query("after", after.to_string());
        let text = asked.call().unwrap().body_mut().with_config().limit(1 << 30).read_to_string();
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    /// Number of the last call.
    pub(crate) fn now(&self) -> u64 {
        let text = ureq::get(format!("{}/_proxy", self.url)).call().unwrap().body_mut().read_to_string();
        serde_json::from_str::<Value>(&text.unwrap()).unwrap()["calls"].as_u64().unwrap()
    }
}

impl Call {
    /// Whether the call asks a provider to send a message.
    pub(crate) fn is_send(&self) -> bool {
        match self.service.as_str() {
            "ses" | "sns" | "social-messaging" | "execute-api" => true,
            // A webhook request is the only call without an AWS signature.
            _ => self.action.contains("/hooks/"),
        }
    }
}
