//! The letters that the mail service of the local cloud holds.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::Error;

/// Letters by the id under which SES accepted them.
pub(crate) struct Mailbox(HashMap<String, Letter>);

/// A letter as the mail service holds it.
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: String,
}

impl Mailbox {
    pub(crate) fn read(endpoint: &str) -> Result<Mailbox, Error> {
        let url = format!("{endpoint}/_ministack/ses/messages");
        let failed = |why: String| Error::Cloud(format!("cannot read {url}: {why}"));
        let mut answer = ureq::get(&url).call().map_err(|error| failed(error.to_string()))?;
        let body = answer.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
        let body: Value = serde_json::from_str(&body).map_err(|error| failed(error.to_string()))?;
        let accounts = body["messages"].as_object().into_iter().flat_map(|object| object.values());
        let letters = accounts.filter_map(Value::as_array).flatten().filter_map(|it| {
            let letter = Letter {
                to: it["To"].as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                subject: it["Subject"].as_str()?.to_owned(),
            };
            Some((it["MessageId"].as_str()?.to_owned(), letter))
        });
        Ok(Mailbox(letters.collect()))
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Letter> {
        self.0.get(id)
    }
}
