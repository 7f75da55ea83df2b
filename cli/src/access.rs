//! Access records of this program. A command that prints personal data writes its record first, with the IAM identity of the
//! operator. Without a record no data are printed.

use std::time::Duration;

use aws_request::{Request, Service};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::audit::access::{Access, AccessRecord, CallerKind, Object};
use domain::event::own_events::CLI_SOURCE;
use queue::{Outgoing, Sqs};

use crate::cloud::Cloud;
use crate::error::Error;

/// The request for the caller's identity, which needs no right.
///
/// Source: AWS STS API reference, "GetCallerIdentity".
const GET_CALLER_IDENTITY: &str = "/?Action=GetCallerIdentity&Version=2011-06-15";

/// Writes the record of a command before it prints an object's data. `operation` is the command's name.
///
/// # Errors
/// The record was not written. The caller must not print the data.
pub(crate) async fn record(
    cloud: &Cloud,
    operation: &str,
    object: Object,
    tenant: Option<&str>,
) -> Result<(), Error> {
    let access = Access {
        by: CallerKind::Iam,
        subject: Some(caller(cloud).await?),
        tenant: tenant.map(str::to_owned),
        operation: operation.to_owned(),
        object: Some(object),
        listed: Vec::new(),
        status: None,
        request: format!("cli-{}", random_text()?),
    };
    let record = AccessRecord { source: CLI_SOURCE.to_owned(), time: runtime::now(), access };
    let name = cloud.name("audit");
    let queue = Sqs::new(&cloud.config).queue(&name).await;
    let queue = queue.map_err(|refused| unrecorded(&name, &aws::chain(&refused)))?;
    let outgoing = Outgoing {
        body: record.to_message().into(),
        tenant: record.access.tenant.clone(),
        delay: Duration::ZERO,
    };
    match queue.send(std::slice::from_ref(&outgoing)).await.pop() {
        Some(Ok(())) => Ok(()),
        Some(Err(refused)) => Err(unrecorded(&name, &aws::chain(&refused))),
        None => Err(unrecorded(&name, "no answer")),
    }
}

fn unrecorded(queue: &str, why: &str) -> Error {
    Error::usage(
        format!("no data are shown: the access record was not written: {why}"),
        format!("use credentials that have sqs:GetQueueUrl and sqs:SendMessage on the queue {queue}"),
    )
}

/// The ARN of the credentials in use.
async fn caller(cloud: &Cloud) -> Result<String, Error> {
    let question = Request {
        doing: "read the identity of the caller",
        method: "GET",
        path: GET_CALLER_IDENTITY,
        headers: &[("accept", "application/xml".to_owned())],
        body: b"",
    };
    let fix = "check the credentials with `aws sts get-caller-identity`";
    let unknown =
        |why: &str| Error::usage(format!("no data are shown: AWS did not return your identity: {why}"), fix);
    let answer = Service::new(&cloud.config, "sts").ask(&question, runtime::now()).await;
    let answer = answer.map_err(|refused| unknown(&aws::chain(&refused)))?;
    if answer.status != 200 {
        return Err(unknown(&aws::chain(&answer.refuse("read the identity of the caller", "STS"))));
    }
    arn(&String::from_utf8_lossy(answer.body.expose())).ok_or_else(|| unknown("the answer names no ARN"))
}

/// The ARN in the answer of `GetCallerIdentity`. An ARN has no character that XML escapes.
fn arn(xml: &str) -> Option<String> {
    let (_, rest) = xml.split_once("<Arn>")?;
    let (arn, _) = rest.split_once("</Arn>")?;
    let arn = arn.trim();
    (arn.starts_with("arn:") && arn.len() <= 2_048).then(|| arn.to_owned())
}

fn random_text() -> Result<String, Error> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| Error::Cloud(format!("no random numbers: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arn_is_read_from_the_answer_of_sts() {
        let xml = "<GetCallerIdentityResponse><GetCallerIdentityResult>\n  <Arn>arn:aws:sts::1:assumed-role/ops/sam\
                   </Arn><UserId>x</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";
        assert_eq!(arn(xml).as_deref(), Some("arn:aws:sts::1:assumed-role/ops/sam"));
        for wrong in ["", "<Arn></Arn>", "<Arn>arn:aws", "<Arn>root</Arn>"] {
            assert_eq!(arn(wrong), None, "{wrong}");
        }
    }
}
