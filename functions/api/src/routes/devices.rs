//! `/v1/recipients/{id}/devices`: what takes push notes.

use domain::recipient::{Device, Platform, Recipient};
use domain::registry::Change;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::problem::Problem;
use crate::response::Response;
use crate::routes::recipients::check_id;
use crate::{Api, Asked};

/// How many devices a person has at most.
const MAX_DEVICES: usize = 50;

/// The longest endpoint and token, in bytes: SNS takes tokens up to this.
const MAX_ENDPOINT_BYTES: usize = 2_048;

/// What a device says of itself. No `Debug`: token and endpoint are addresses.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    platform: Platform,
    /// What SNS calls it.
    #[serde(default)]
    endpoint: Option<String>,
    /// What its platform calls it.
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    zone: Option<String>,
}

impl Api {
    pub(crate) async fn list_devices(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let person = self.person(asked.parameter(0), asked.scope).await?;
        Ok(Response::json(200, &json!({ "devices": person.devices })))
    }

    /// Registers a device, or refreshes what is known of it.
    pub(crate) async fn put_device(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let (id, device) = (asked.parameter(0), asked.parameter(1));
        check_id(device)?;
        let registration = read(&asked.request.object()?)?;
        let device = Device {
            id: device.to_owned(),
            platform: registration.platform,
            endpoint: endpoint_of(registration.endpoint, registration.token)?,
            zone: registration.zone,
        };
        self.edit_devices(asked, id, |devices| {
            devices.retain(|it| it.id != device.id);
            devices.push(device.clone());
            match devices.len() > MAX_DEVICES {
                true => Err(Problem::refused("devices", "one more", &format!("at most {MAX_DEVICES}"))),
                false => Ok(()),
            }
        })
        .await?;
        Ok(Response::json(200, &device))
    }

    pub(crate) async fn delete_device(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let (id, device) = (asked.parameter(0), asked.parameter(1));
        self.edit_devices(asked, id, |devices| {
            devices.retain(|it| it.id != device);
            Ok(())
        })
        .await?;
        Ok(Response::empty(204))
    }

    /// Changes the devices of somebody whom the caller may see.
    async fn edit_devices(
        &self,
        asked: &Asked<'_>,
        id: &str,
        change: impl Fn(&mut Vec<Device>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let decide = |before: Option<&Recipient>| {
            let person =
                before.filter(|it| it.belongs_to(asked.scope.tenant())).ok_or_else(Problem::no_recipient)?;
            let mut devices = person.devices.clone();
            change(&mut devices)?;
            if devices == person.devices {
                return Ok(None);
            }
            Ok(Some(Change::Update(Map::from_iter([("devices".to_owned(), json!(devices))]))))
        };
        self.people.edit(id, &asked.stamp(), decide).await.map_err(Problem::from)?;
        Ok(())
    }
}

/// Where SNS reaches a device. An endpoint is made from a platform's token where push is configured to; until then
/// whoever registers a device brings the endpoint.
fn endpoint_of(endpoint: Option<String>, token: Option<String>) -> Result<String, Problem> {
    match (endpoint, token) {
        (Some(it), None) if (1..=MAX_ENDPOINT_BYTES).contains(&it.len()) => Ok(it),
        (Some(_), None) => {
            Err(Problem::refused("endpoint", "a text of that length", "the ARN of an SNS platform endpoint"))
        }
        (None, Some(_)) => {
            let detail = "token: this deployment makes no endpoints from tokens; send the endpoint's ARN";
            Err(Problem::new(422, "no_tokens", detail))
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Problem::refused("endpoint", "both or neither of endpoint and token", "one of them"))
        }
    }
}

fn read(members: &Map<String, Value>) -> Result<Registration, Problem> {
    serde_json::from_value(Value::Object(members.clone())).map_err(|_| {
        let wanted = "{platform: apns | apns_sandbox | fcm, endpoint or token, zone}";
        Problem::refused("body", "an object of another shape", wanted)
    })
}
