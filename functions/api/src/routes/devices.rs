//! `/v1/recipients/{id}/devices`: devices for push notifications.

use std::collections::BTreeSet;

use domain::base::sensitive::Sensitive;
use domain::recipient::recipient_changes::{Change, MAX_DEVICES, check_zones};
use domain::recipient::{Device, Platform, Recipient};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sns::Unregistered;

use crate::caller::Scope;
use crate::changes::Changed;
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::recipients::check_id;
use crate::tenancy::Grant;
use crate::{Api, ApiCall};

/// The longest endpoint, in bytes.
const MAX_ENDPOINT_BYTES: usize = 2_048;

/// The registration of a device.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    platform: Platform,
    /// The ARN of the SNS endpoint.
    #[serde(default)]
    endpoint: Option<Sensitive<String>>,
    /// The device token of the platform.
    #[serde(default)]
    token: Option<Sensitive<String>>,
    #[serde(default)]
    zone: Option<String>,
}

impl Api {
    pub(crate) async fn list_devices(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let person = self.person(call.parameter(0), call).await?;
        Ok(Response::json(200, &json!({ "devices": person.devices })))
    }

    /// Registers a device, or updates its registration.
    pub(crate) async fn put_device(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let (id, device) = (call.parameter(0), call.parameter(1));
        check_id(device)?;
        let registration = read(&call.request.object()?)?;
        // The person must exist, and the caller must be allowed to change them.
        let known = self.people.find(&BTreeSet::from([id])).await?;
        let grant = call.authorize_person(known.get(id))?;
        let Registration { platform, endpoint, token, zone } = registration;
        let device = Device {
            id: device.to_owned(),
            platform,
            endpoint: self.endpoint_of(platform, endpoint, token).await?,
            zone,
            tenant: registered_by(grant, call.scope),
        };
        self.edit_devices(call, id, |devices| {
            let before = devices.len();
            devices.retain(|known| known.id != device.id);
            devices.push(device.clone());
            match devices.len() > MAX_DEVICES && devices.len() > before {
                true => Err(Problem::refused("devices", "one more", &format!("at most {MAX_DEVICES}"))),
                false => Ok(()),
            }
        })
        .await?;
        Ok(Response::json(200, &device))
    }

    pub(crate) async fn delete_device(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let (id, device) = (call.parameter(0), call.parameter(1));
        self.edit_devices(call, id, |devices| {
            devices.retain(|known| known.id != device);
            Ok(())
        })
        .await?;
        Ok(Response::empty(204))
    }

    /// The SNS endpoint of a device: the given one, or the one created for the platform's token.
    ///
    /// A new token never goes to the device's stored endpoint. The record may name an endpoint of
    /// another person, and the token would redirect that person's notifications. The endpoint of an old
    /// token receives no notifications and costs no money.
    async fn endpoint_of(
        &self,
        platform: Platform,
        endpoint: Option<Sensitive<String>>,
        token: Option<Sensitive<String>>,
    ) -> Result<Sensitive<String>, Problem> {
        match (endpoint, token) {
            (Some(endpoint), None) if (1..=MAX_ENDPOINT_BYTES).contains(&endpoint.expose().len()) => {
                Ok(endpoint)
            }
            (Some(_), None) => {
                let wanted = "the ARN of an SNS platform endpoint";
                Err(Problem::refused("endpoint", "a text of that length", wanted))
            }
            (None, Some(token)) => {
                let registered = self.devices().register(platform, token.expose(), None).await;
                registered.map(Sensitive::new).map_err(|error| unregistered(error, platform))
            }
            (Some(_), Some(_)) | (None, None) => {
                Err(Problem::refused("endpoint", "both or neither of endpoint and token", "one of them"))
            }
        }
    }

    /// Changes the devices of a person within the caller's permissions.
    async fn edit_devices(
        &self,
        call: &ApiCall<'_>,
        id: &str,
        change: impl Fn(&mut Vec<Device>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let decide = |before: Option<&Recipient>| {
            call.authorize_person(before)?;
            let person = before.ok_or_else(Problem::no_recipient)?;
            let mut devices = person.devices.clone();
            change(&mut devices)?;
            if devices == person.devices {
                return Ok(None);
            }
            Ok(Some(Change::Update(Map::from_iter([("devices".to_owned(), json!(devices))]))))
        };
        let amended = self.people.edit(id, &call.stamp(), decide).await.map_err(Problem::from)?;
        if amended.changed {
            self.announce(call, Changed::Recipient, &["devices"]).await;
        }
        Ok(())
    }
}

/// The tenant of a device. `None` if its person or a program without a tenant registers it.
fn registered_by(grant: Grant, scope: &Scope) -> Option<String> {
    match grant {
        Grant::Own => None,
        Grant::Whole | Grant::Part | Grant::Nothing => scope.tenant().map(str::to_owned),
    }
}

/// The problem for a registration that SNS refused.
fn unregistered(why: Unregistered, platform: Platform) -> Problem {
    let (name, parameter) = match platform {
        Platform::Apns => ("apns", "ApnsApplicationArn"),
        Platform::ApnsSandbox => ("apns_sandbox", "ApnsSandboxApplicationArn"),
        Platform::Fcm => ("fcm", "FcmApplicationArn"),
    };
    match why {
        Unregistered::NoApplication => {
            let detail = format!(
                "token: this deployment takes no tokens of {name}; an operator sets the template's parameter \
                 {parameter}, or send an endpoint's ARN"
            );
            Problem::new(422, "no_tokens", detail)
        }
        Unregistered::BadToken => Problem::refused(
            "token",
            &format!("a text that is no token of {name}"),
            "a device token of the platform",
        ),
        Unregistered::Refused(refused) => refused.into(),
    }
}

fn read(members: &Map<String, Value>) -> Result<Registration, Problem> {
    check_zones(members)?;
    serde_json::from_value(Value::Object(members.clone())).map_err(|_| {
        let wanted = "{platform: apns | apns_sandbox | fcm, endpoint or token, zone}";
        Problem::refused("body", "an object of another shape", wanted)
    })
}
