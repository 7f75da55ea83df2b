//! The secret of a stack, for commands that must compute the keyed hash of an address.

use asking::{Question, Service};
use domain::keyed_hash::KeyedHashes;
use domain::stack_secret::StackSecret;
use serde::Deserialize;

use crate::cloud::Cloud;
use crate::error::Error;

const DOING: &str = "read the stack's secret";

/// The answer of Secrets Manager, as far as it is read. No `Debug`: it holds the secret.
///
/// Source: AWS Secrets Manager API reference, `GetSecretValue`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: String,
}

/// The secret as the template makes it.
#[derive(Deserialize)]
struct Root {
    root: String,
}

impl Cloud {
    /// The keyed hashes of the stack, with its secret. The caller needs `secretsmanager:GetSecretValue`.
    ///
    /// # Errors
    /// The secret cannot be read, or is not the one that the template makes.
    pub async fn hashes(&self) -> Result<KeyedHashes, Error> {
        let name = self.name("stack");
        let body = serde_json::json!({ "SecretId": name }).to_string();
        let question = Question {
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
        let unreadable = || Error::Cloud(format!("the secret {name} is not the one that the template makes"));
        let value: SecretValue = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let root: Root = serde_json::from_str(&value.secret_string).map_err(|_| unreadable())?;
        Ok(KeyedHashes::of(&StackSecret::read(&root.root).map_err(|_| unreadable())?))
    }
}
