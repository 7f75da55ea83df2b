//! The bucket of seals: one object for each minute, written once.

use aws::CallError;
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::audit::seal::Sealed;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use aws_request::{Request, Response, Service};

/// The spans in which the last seal is searched, in hours. Every hour has a seal unless sealing stopped.
const LOOK_BACK_HOURS: [i64; 3] = [3, 48, 60 * 24];

/// The seals of one environment.
#[derive(Clone)]
pub struct SealStore {
    s3: Service,
    bucket: String,
    environment: String,
}

/// A stored seal that cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("{name} is no seal")]
pub struct UnreadableSeal {
    pub name: String,
    #[source]
    pub source: serde_json::Error,
}

/// Why a seal was not read.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Refused(#[from] CallError),
    #[error(transparent)]
    UnreadableSeal(#[from] UnreadableSeal),
}

impl SealStore {
    #[must_use]
    pub fn new(config: &SdkConfig, bucket: String, environment: String) -> SealStore {
        SealStore { s3: Service::new(config, "s3"), bucket, environment }
    }

    /// Stores a seal. Returns `false` if its minute already has a seal, which stays unchanged.
    ///
    /// # Errors
    /// The bucket did not accept the seal. A retry is harmless.
    pub async fn put(&self, sealed: &Sealed, now: Timestamp) -> Result<bool, CallError> {
        const DOING: &str = "keep a seal";
        let body = serde_json::to_vec(sealed).expect("a seal is texts and numbers");
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("if-none-match", "*".to_owned()),
            // A bucket with a retention requires a checksum.
            ("x-amz-checksum-sha256", STANDARD.encode(Sha256::digest(&body))),
        ];
        let path = self.path(sealed.statement.minute);
        let question = Request { doing: DOING, method: "PUT", path: &path, headers: &headers, body: &body };
        let answer = self.s3.ask(&question, now).await?;
        match answer.status {
            200 => Ok(true),
            // 409: another process is writing the seal at the same time.
            409 | 412 => Ok(false),
            _ => Err(answer.refuse(DOING, "S3")),
        }
    }

    /// The seal of a minute, if there is one.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn get(&self, minute: Timestamp, now: Timestamp) -> Result<Option<Sealed>, Failed> {
        const DOING: &str = "read a seal";
        let answer = self.read(DOING, &self.path(minute), now).await?;
        match answer.status {
            200 => serde_json::from_slice(answer.body.expose())
                .map(Some)
                .map_err(|source| UnreadableSeal { name: name_of(&self.environment, minute), source }.into()),
            404 => Ok(None),
            _ => Err(answer.refuse(DOING, "S3").into()),
        }
    }

    /// The minutes with a seal from `from` up to, but not including, `to`.
    ///
    /// # Errors
    /// The call to S3 failed.
    pub async fn minutes(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, CallError> {
        const DOING: &str = "list the seals";
        let mut minutes: Vec<Timestamp> = Vec::new();
        let before = from.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut after = name_of(&self.environment, before.max(Timestamp::UNIX_EPOCH));
        loop {
            let path = format!(
                "/{}?list-type=2&prefix={}&start-after={}",
                self.bucket,
                escaped(&format!("seals/{}/", self.environment)),
                escaped(&after),
            );
            let answer = self.read(DOING, &path, now).await?;
            if answer.status != 200 {
                return Err(answer.refuse(DOING, "S3"));
            }
            let text = String::from_utf8_lossy(answer.body.expose());
            let names: Vec<&str> = between(&text, "<Key>", "</Key>").collect();
            let found = names.iter().filter_map(|name| minute_named(&self.environment, name));
            minutes.extend(found.clone().filter(|found| (from..to).contains(found)));
            let is_past = found.clone().any(|minute| minute >= to);
            match names.last().filter(|_| text.contains("<IsTruncated>true</IsTruncated>") && !is_past) {
                Some(last) => after = (*last).to_owned(),
                None => return Ok(minutes),
            }
        }
    }

    /// The latest seal.
    ///
    /// # Errors
    /// [`Failed`]
    pub async fn last(&self, now: Timestamp) -> Result<Option<Sealed>, Failed> {
        let spans = LOOK_BACK_HOURS.map(|look_back_hour| {
            now.saturating_sub(SignedDuration::from_hours(look_back_hour)).unwrap_or(now)
        });
        for from in spans.into_iter().chain([Timestamp::UNIX_EPOCH]) {
            if let Some(minute) = self.minutes(from, Timestamp::MAX, now).await?.into_iter().max() {
                return self.get(minute, now).await;
            }
        }
        Ok(None)
    }

    async fn read(&self, doing: &'static str, path: &str, now: Timestamp) -> Result<Response, CallError> {
        self.s3.ask(&Request { doing, method: "GET", path, headers: &[], body: &[] }, now).await
    }

    fn path(&self, minute: Timestamp) -> String {
        format!("/{}/{}", self.bucket, name_of(&self.environment, minute))
    }
}

/// The bucket of an environment. Its name contains account and Region, because bucket names are global.
///
/// # Errors
/// The call to STS for the account's number failed.
pub async fn bucket(config: &SdkConfig, environment: &str, now: Timestamp) -> Result<String, CallError> {
    const DOING: &str = "learn the account's number";
    let sts = Service::new(config, "sts");
    let question = Request {
        doing: DOING,
        method: "POST",
        path: "/",
        headers: &[("content-type", "application/x-www-form-urlencoded".to_owned())],
        body: b"Action=GetCallerIdentity&Version=2011-06-15",
    };
    let answer = sts.ask(&question, now).await?;
    let text = String::from_utf8_lossy(answer.body.expose()).into_owned();
    match between(&text, "<Account>", "</Account>").next() {
        Some(account) => Ok(format!("carillon-{environment}-seals-{account}-{}", sts.region())),
        None => Err(answer.refuse(DOING, "STS")),
    }
}

/// The object name of a minute's seal: `seals/dev/2026/11/20/1234.json`. Names sort by their minutes.
#[must_use]
pub fn name_of(environment: &str, minute: Timestamp) -> String {
    // 2026-11-20T12:34:00Z
    let text = minute.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    format!("seals/{environment}/{year}/{month}/{day}/{}{}.json", part(11, 13), part(14, 16))
}

/// The minute of such a name. `None` if the name is not that of a seal of this environment.
#[must_use]
pub fn minute_named(environment: &str, name: &str) -> Option<Timestamp> {
    let rest = name.strip_prefix("seals/")?.strip_prefix(environment)?.strip_prefix('/')?;
    let mut parts = rest.strip_suffix(".json")?.split('/');
    let (year, month, day, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (hour, minute) = (clock.get(..2)?, clock.get(2..)?);
    let found: Timestamp = format!("{year}-{month}-{day}T{hour}:{minute}:00Z").parse().ok()?;
    (name_of(environment, found) == name).then_some(found)
}

/// The texts between each pair of marks. Sufficient for our object names, which contain no XML escapes.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |part| part.split_once(close)).map(|(text, _)| text)
}

/// A name in a query. Slashes are the only characters of our names that need escaping.
fn escaped(name: &str) -> String {
    name.replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_minutes_and_can_be_read_back() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let minutes =
            ["1970-01-01T00:00:00Z", "2026-11-20T09:59:00Z", "2026-11-20T12:34:00Z", "2027-01-01T00:00:00Z"];
        let names: Vec<String> = minutes.iter().map(|minute| name_of("dev", at(minute))).collect();
        assert_eq!(names[2], "seals/dev/2026/11/20/1234.json");
        assert!(names.is_sorted());
        for (name, minute) in names.iter().zip(minutes) {
            assert_eq!(minute_named("dev", name), Some(at(minute)));
        }
    }

    #[test]
    fn other_object_names_are_not_seals() {
        for name in [
            "",
            "seals/dev/x",
            "seals/dev/2026/11/20/1234",
            "seals/dev/2026/11/20/2534.json",
            "seals/prod/2026/11/20/1234.json",
            "seals/dev/2026/11/20/1234.json/x.json",
        ] {
            assert_eq!(minute_named("dev", name), None, "{name}");
        }
    }

    #[test]
    fn a_listing_is_read() {
        let text = "<R><IsTruncated>false</IsTruncated><C><Key>a</Key></C><C><Key>b</Key></C></R>";
        assert_eq!(between(text, "<Key>", "</Key>").collect::<Vec<_>>(), ["a", "b"]);
    }
}
