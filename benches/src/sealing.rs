//! A minute of the audit that is due: whenever seal looks, the minute before has a seal and this one has none.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use domain::audit::seal::{Sealed, Statement};
use serde_json::{Value, json};

use crate::http::Request;

/// Environment variables that tell the function where seals are stored.
pub(crate) const VARIABLES: [(&str, &str); 4] = [
    ("ENVIRONMENT", ENVIRONMENT),
    ("SEALS_BUCKET", BUCKET),
    ("SEALS_KEY", "arn:aws:kms:eu-central-1:000000000000:key/bench"),
    ("LAG_SECONDS", "180"),
];

const ENVIRONMENT: &str = "bench";
const BUCKET: &str = "carillon-bench-seals";

/// Age of the last seal: the delay above, a minute that has ended by then, and one more.
const LAST_SEALED_SECONDS_AGO: i64 = 180 + 2 * 60;

/// Records in each of the eight parts of the index.
const RECORDS: usize = 10;

/// Response of S3. `None` for requests that do not concern the bucket of the seals.
pub(crate) fn answer(request: &Request) -> Option<(&'static str, String)> {
    let rest = request.path.strip_prefix('/')?.strip_prefix(BUCKET)?;
    let minute = last_sealed();
    Some(match request.method.as_str() {
        "PUT" => ("PutObject", String::new()),
        _ if rest.starts_with('?') => {
            let name = minute.strftime("%Y/%m/%d/%H%M");
            let contents = format!("<Contents><Key>seals/{ENVIRONMENT}/{name}.json</Key></Contents>");
            let cut = "<IsTruncated>false</IsTruncated>";
            ("ListObjectsV2", format!("<ListBucketResult>{cut}{contents}</ListBucketResult>"))
        }
        _ => {
            let statement = Statement::of(ENVIRONMENT, minute, &[], None, minute);
            let sealed = Sealed { statement, signature: "bench".to_owned(), leaves: Vec::new() };
            ("GetObject", serde_json::to_string(&sealed).unwrap_or_default())
        }
    })
}

/// Records of the due minute in the part of the index that `values` name.
pub(crate) fn records(values: &Value) -> Vec<Value> {
    let (text, bucket) = (|item: &str| json!({ "S": item }), &values[":bucket"]);
    let to: Option<Timestamp> = values[":to"]["S"].as_str().and_then(|item| item.parse().ok());
    let at =
        to.and_then(|to| Timestamp::from_second(to.as_second() - 30).ok()).unwrap_or_default().to_string();
    let part = bucket["S"].as_str().unwrap_or_default();
    let record = |n: usize| {
        let event = json!({ "specversion": "1.0", "id": format!("{part}-{n}"), "source": "shop", "type": "order.paid",
            "time": at, "subject": format!("order/{n}"), "tenant": "t-1", "correlationid": "story-1",
            "data": { "orderId": n, "customerId": "ann", "total": 12.5, "lines": [{ "sku": "bell", "count": 2 }] } });
        json!({
            "pk": text(&format!("stream#t-1#order/{n}")), "sk": text(&format!("event#{part}-{n}")), "bucket": bucket,
            "id": text(&format!("{part}-{n}")), "source": text("shop"), "type": text("order.paid"), "time": text(&at),
            "subject": text(&format!("order/{n}")), "tenant": text("t-1"), "correlation_id": text("story-1"),
            "bus_id": text("375277c6-6c54-41f1-8059-13eef2ecb7d9"), "digest": text("sha256:0"),
            "recorded_at": text(&at), "event": text(&event.to_string()), "ttl": { "N": "4070908800" },
        })
    };
    (0..RECORDS).map(record).collect()
}

#[expect(clippy::disallowed_methods, reason = "seal looks at the clock, too")]
fn last_sealed() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let at = i64::try_from(now).unwrap_or_default() - LAST_SEALED_SECONDS_AGO;
    Timestamp::from_second(at.div_euclid(60) * 60).unwrap_or_default()
}
