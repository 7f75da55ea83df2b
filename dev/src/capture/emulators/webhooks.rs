//! An emulated webhook receiver. It answers 200, or as its path says:
//!
//! - `/hooks/fail/<status>/…`: this status
//! - `/hooks/flaky/<n>/…`: 500 for the first n requests, then 200
//! - `/hooks/busy/<seconds>/…`: 503 with `retry-after`
//! - `/hooks/redirect/…`: a redirect to this machine
//! - `/hooks/slow/<ms>/…`: a late answer, after a minute at most
//! - `/hooks/large/…`: a body of 1 GB
//! - `/hooks/disable/…`: 400 with `webhook-delivery: disable`
//! - `/hooks/prove/…`: the text of the challenge

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Records, Request};

/// The longest delay, and the size of a large body.
const SLOWEST_MS: u64 = 60_000;
const LARGEST_BYTES: u64 = 1 << 30;

pub(super) fn answer(request: &Request<'_>, records: &Records) -> Answer {
    let headers = request.headers.iter();
    let headers: BTreeMap<&str, _> =
        headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect();
    let body = String::from_utf8_lossy(request.body);
    let id = records.add("webhook", request.path, &json!({ "headers": headers, "body": body }));
    let accepted = Answer::json(200, &json!({ "id": id }));
    let mut segments = request.path.trim_start_matches("/hooks/").split('/');
    let (behaviour, operand) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let number = operand.parse::<u64>().unwrap_or(0);
    match behaviour {
        "fail" => {
            refused(u16::try_from(number).ok().filter(|status| (300..600).contains(status)).unwrap_or(500))
        }
        "flaky" => {
            let requests = records.find(Some("webhook"), Some(request.path)).len();
            if u64::try_from(requests).unwrap_or(u64::MAX) > number { accepted } else { refused(500) }
        }
        "busy" => Answer { header: Some(("retry-after", number.to_string())), ..refused(503) },
        "redirect" => {
            let to =
                request.headers.get("host").and_then(|header| header.to_str().ok()).unwrap_or("127.0.0.1");
            Answer { header: Some(("location", format!("http://{to}/hooks/redirected"))), ..refused(302) }
        }
        "slow" => Answer { delay: Duration::from_millis(number.min(SLOWEST_MS)), ..accepted },
        "large" => Answer { padding: LARGEST_BYTES, ..accepted },
        "disable" => Answer { header: Some(("webhook-delivery", "disable".to_owned())), ..refused(400) },
        "prove" => {
            challenge(request.body).map_or(accepted, |text| Answer::json(200, &json!({ "challenge": text })))
        }
        _ => accepted,
    }
}

/// The text of a challenge request.
fn challenge(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body["data"]["challenge"].as_str()?.to_owned())
}

fn refused(status: u16) -> Answer {
    Answer::json(status, &json!({ "message": "this receiver is set to fail" }))
}
