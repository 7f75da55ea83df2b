//! The secret of a stack, for keyed hashes of addresses.

use aws_request::{Request, Service};
use domain::base::sensitive::Sensitive;
use domain::base::stack_secret::StackSecret;
use domain::recipient::keyed_hash::KeyedHashes;
use serde::Deserialize;

use crate::cloud::Cloud;
use crate::error::Error;

const DOING: &str = "read the stack's secret";

/// The answer of Secrets Manager.
///
/// Source: AWS Secrets Manager API reference, `GetSecretValue`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Sensitive<String>,
}

/// The secret in the form of the template.
#[derive(Deserialize)]
struct Root {
    root: Sensitive<String>,
}

impl Cloud {
    /// The keyed hashes with the stack's secret. The caller needs `secretsmanager:GetSecretValue`.
    ///
    /// # Errors
    /// The secret cannot be read, or has another form.
    pub async fn hashes(&self) -> Result<KeyedHashes, Error> {
        let name = self.name("stack");
        let body = serde_json::json!({ "SecretId": name }).to_string();
        let question = Request {
            doing: DOING,
            method: "POST",
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", "secretsmanager.GetSecretValue".to_owned()),
            ],
            body: body.as_bytes(),
        };
        let answer = Service::new(&self.config, "secretsmanager").ask(&question, runtime::now()).await?;
        if answer.status != 200 {
            return Err(answer.refuse(DOING, "Secrets Manager").into());
        }
        // No error quotes the answer: it holds the secret.
        let unreadable = || Error::Cloud(format!("the secret {name} does not have the form of the template"));
        let value: SecretValue = serde_json::from_slice(answer.body.expose()).map_err(|_| unreadable())?;
        let root: Root = serde_json::from_str(value.secret_string.expose()).map_err(|_| unreadable())?;
        Ok(KeyedHashes::of(&StackSecret::read(root.root.expose()).map_err(|_| unreadable())?))
    }
}
