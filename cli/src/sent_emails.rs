//! The e-mails that the local cloud's SES accepted.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::Error;

/// E-mails by the message id that SES returned.
pub struct SentEmails(HashMap<String, SentEmail>);

/// An e-mail as SES keeps it.
pub struct SentEmail {
    /// The recipients' addresses, separated by commas.
    pub to: String,
    pub subject: String,
}

impl SentEmails {
    /// Reads all e-mails of the local cloud at `endpoint`.
    ///
    /// # Errors
    /// The local cloud does not answer, or not with JSON.
    pub fn read(endpoint: &str) -> Result<SentEmails, Error> {
        let url = format!("{endpoint}/_ministack/ses/messages");
        let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
        let mut answer = ureq::get(&url).call().map_err(|error| failed(error.to_string()))?;
        let body = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
        let body: Value = serde_json::from_str(&body).map_err(|error| failed(error.to_string()))?;
        let accounts = body["messages"].as_object().into_iter().flat_map(|object| object.values());
        let emails = accounts.filter_map(Value::as_array).flatten().filter_map(|message| {
            let to = message["To"].as_array()?.iter().filter_map(Value::as_str);
            let email = SentEmail {
                to: to.collect::<Vec<_>>().join(", "),
                subject: message["Subject"].as_str()?.to_owned(),
            };
            Some((message["MessageId"].as_str()?.to_owned(), email))
        });
        Ok(SentEmails(emails.collect()))
    }

    /// The e-mail with this message id.
    pub fn find(&self, id: &str) -> Option<&SentEmail> {
        self.0.get(id)
    }
}
