//! Endpoints of a tenant: their rows in the table, jobs for them, and a server at their addresses.

use std::io;

use domain::delivery::job::JOB_VERSION;
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use serde_json::{Value, json};

use crate::http::{Response, serve};
use crate::samples::{BATCH, TIME};

const TENANT: &str = "clinic-westend";

/// Partition key prefix of the endpoint items that every attempt reads. The endpoints have no health item: all are
/// healthy.
const ENDPOINT: &str = "endpoints";
const SECRETS: &str = "secrets";

/// Ten endpoints on this machine, without TLS. Each accepts all requests.
pub(crate) struct Hooks {
    origin: String,
    secrets: String,
}

impl Hooks {
    /// # Errors
    /// No port is free.
    pub(crate) fn open() -> io::Result<Hooks> {
        let taken = |_: &_| Some(Response { status: 200, headers: Vec::new(), body: "{}".to_owned() });
        let origin = format!("http://{}", serve(taken)?);
        let secret = Secret::new(Scheme::Hmac, vec![7; 32]).map_err(io::Error::other)?;
        Ok(Hooks { origin, secrets: serde_json::to_string(&Secrets::of(secret))? })
    }

    /// Base URL of all endpoints, which differ by path.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Item under a key of the endpoints table, if there is one.
    pub(crate) fn row(&self, pk: &str, sk: &str) -> Option<Value> {
        let (what, tenant) = pk.split_once('#')?;
        let value = match what {
            ENDPOINT => {
                let url = format!("{}/{sk}", self.origin);
                json!({ "tenant": tenant, "id": sk, "url": url }).to_string()
            }
            SECRETS => self.secrets.clone(),
            _ => return None,
        };
        let name = if what == ENDPOINT { "endpoint" } else { what };
        Some(json!({ "pk": { "S": pk }, "sk": { "S": sk }, name: { "S": value } }))
    }
}

/// A job for each of ten endpoints, as dispatch creates them.
pub(crate) fn jobs() -> Vec<String> {
    let job = |at: usize| {
        let lines = json!([{ "sku": "bell", "count": 2, "price": 12.5 }, { "sku": "clapper", "count": 1, "price": 3.9 }]);
        let body = json!({
            "type": "order.paid", "timestamp": TIME,
            "data": { "orderId": format!("o-{at}"), "customerId": "ann", "total": 28.9, "currency": "EUR", "lines": lines,
                "note": "What was planned for Tuesday at ten is on Wednesday at eleven instead." },
        });
        let id = format!("hook-{at}");
        json!({
            "version": JOB_VERSION, "key": "", "rule": "order-paid", "catalog": "bench", "recipient": format!("endpoint:{id}"),
            "event": { "id": format!("62f746b4-{at}"), "source": "/bench", "type": "order.paid", "time": TIME, "tenant": TENANT },
            "priority": "normal", "on_unknown": "resend",
            "content": { "webhook": { "to": { "tenant": TENANT, "id": id }, "body": body.to_string() } },
        })
        .to_string()
    };
    (0..BATCH).map(job).collect()
}

#[cfg(test)]
mod tests {
    use domain::delivery::job::{Content, Job};
    use domain::webhook::endpoint::Endpoint;

    use super::*;

    #[test]
    fn every_job_names_a_reachable_endpoint() {
        let hooks = Hooks::open().unwrap();
        for text in jobs() {
            let job: Job = serde_json::from_str(&text).unwrap();
            let Content::Webhook(webhook) = job.content else { panic!("{text}") };
            let row = hooks.row(&format!("endpoints#{TENANT}"), &webhook.to.id).unwrap();
            let endpoint: Endpoint = serde_json::from_str(row["endpoint"]["S"].as_str().unwrap()).unwrap();
            assert_eq!(endpoint.id, webhook.to);
            assert!(endpoint.url.starts_with(hooks.origin()), "{}", endpoint.url);
            let row = hooks.row(&format!("secrets#{TENANT}"), &webhook.to.id).unwrap();
            serde_json::from_str::<Secrets>(row["secrets"]["S"].as_str().unwrap()).unwrap();
            assert_eq!(hooks.row(&format!("health#{TENANT}"), &webhook.to.id), None, "it is well");
        }
    }
}
