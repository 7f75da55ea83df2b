//! A receiver of webhooks. It is content with everything, unless its path says otherwise:
//!
//! - `/hooks/fail/<status>/…` answers this status
//! - `/hooks/flaky/<n>/…` fails so many times, and then does not
//! - `/hooks/busy/<seconds>/…` answers 503 and asks for so much time
//! - `/hooks/redirect/…` leads back to this machine
//! - `/hooks/slow/<ms>/…` takes its time, a minute at most
//! - `/hooks/large/…` answers with 1 GB
//! - `/hooks/disable/…` asks to be told nothing any more
//! - `/hooks/prove/…` answers a challenge with the challenge

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Asked, Records};

/// The most time, and the most bytes, that an answer takes.
const SLOWEST_MS: u64 = 60_000;
const LARGEST_BYTES: u64 = 1 << 30;

pub(super) fn hook(asked: &Asked<'_>, records: &Records) -> Answer {
    let headers = asked.headers.iter();
    let headers: BTreeMap<&str, _> =
        headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect();
    let body = String::from_utf8_lossy(asked.body);
    let id = records.keep("webhook", asked.path, &json!({ "headers": headers, "body": body }));
    let yes = Answer::json(200, &json!({ "id": id }));
    let mut words = asked.path.trim_start_matches("/hooks/").split('/');
    let (wanted, operand) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let number = operand.parse::<u64>().unwrap_or(0);
    match wanted {
        "fail" => no(u16::try_from(number).ok().filter(|it| (300..600).contains(it)).unwrap_or(500)),
        "flaky" => {
            let asked = records.find(Some("webhook"), Some(asked.path)).len();
            if u64::try_from(asked).unwrap_or(u64::MAX) > number { yes } else { no(500) }
        }
        "busy" => Answer { header: Some(("retry-after", number.to_string())), ..no(503) },
        "redirect" => {
            let to = asked.headers.get("host").and_then(|header| header.to_str().ok()).unwrap_or("127.0.0.1");
            Answer { header: Some(("location", format!("http://{to}/hooks/redirected"))), ..no(302) }
        }
        "slow" => Answer { after: Duration::from_millis(number.min(SLOWEST_MS)), ..yes },
        "large" => Answer { padding: LARGEST_BYTES, ..yes },
        "disable" => Answer { header: Some(("webhook-delivery", "disable".to_owned())), ..no(400) },
        "prove" => challenge(asked.body).map_or(yes, |text| Answer::json(200, &json!({ "challenge": text }))),
        _ => yes,
    }
}

/// The text of a challenge, where the request is one.
fn challenge(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body["data"]["challenge"].as_str()?.to_owned())
}

fn no(status: u16) -> Answer {
    Answer::json(status, &json!({ "message": "this receiver was told to say no" }))
}
