//! Three acts about where a message arrives: on every channel there is, on a device that is gone, and at systems that do
//! not answer as they should.

use domain::channel::Channel;
use domain::endpoint::Endpoint;
use domain::endpoint::secret::Scheme;
use domain::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::endpoint::target::Allow;
use domain::event::Event;
use domain::outcome::{Reason, Status};
use domain::recipient::Recipient;
use serde_json::json;
use store::Endpoints;

use crate::cloud::Cloud;
use crate::endpoints::{cipher, new_secret};
use crate::error::Error;

use super::Act;
use super::proof::Proof;
use super::props::{count, event, somebody};

/// Who has everything that rings.
pub(super) const ZOE: &str = "demo-zoe";

/// Who has a phone, and a tablet that the app was removed from.
const DOT: &str = "demo-dot";

/// The tenant's systems: their names, where the capture server plays them, and what they want to hear.
const SYSTEMS: [(&str, &str, &[&str]); 4] = [
    ("till", "hooks/till", &["demo.everywhere"]),
    ("shop", "hooks/shop", &["demo.order"]),
    ("flaky", "hooks/flaky/1", &["demo.order"]),
    ("gone", "hooks/fail/410", &["demo.order"]),
];

/// Whom these acts are about, with addresses that no other run has.
pub(super) fn people(run: &str, tenant: &str) -> Result<Vec<Recipient>, Error> {
    let zoe = json!({
        "id": ZOE, "name": "Zoe", "email": email(run), "phone": phone(run, 0), "whatsapp": phone(run, 1),
        "devices": [{ "id": "phone", "platform": "fcm", "endpoint": device("local", run) }],
        "locale": "en", "zone": "Etc/UTC", "tenants": [tenant],
    });
    let dot = json!({
        "id": DOT, "name": "Dot", "locale": "en", "zone": "Etc/UTC",
        "devices": [
            { "id": "phone", "platform": "fcm", "endpoint": device("local", &format!("{run}-dot")) },
            // The capture server plays an application of this name as one whose devices are all gone.
            { "id": "tablet", "platform": "fcm", "endpoint": device("disabled", run) },
        ],
    });
    [zoe, dot].into_iter().map(somebody).collect()
}

/// Registers the tenant's systems.
pub(super) async fn register(cloud: &Cloud, run: &str, tenant: &str) -> Result<(), Error> {
    let endpoints = Endpoints::new(&store::client(&cloud.config), cloud.name("endpoints"));
    let capture = cloud.local.as_ref().map(|local| local.capture_endpoint()).unwrap_or_default();
    let allow = Allow::parse(&capture).map_err(|error| Error::Cloud(format!("{error:?} is no origin")))?;
    for (id, path, wanted) in SYSTEMS {
        let written = json!({
            "id": id, "tenant": tenant, "url": format!("{capture}/{path}/{run}"), "when": { "detail-type": wanted },
        });
        let endpoint = Endpoint::read(&written.to_string(), &allow)
            .map_err(|error| Error::Cloud(format!("a system of the demo is refused: {error}")))?;
        let secret = new_secret(Scheme::Hmac)?;
        let encrypted = cipher(cloud).encrypt(&secret, &endpoint.id, runtime::now()).await?;
        let secrets = StoredSecrets::of(StoredSecret::Encrypted(encrypted));
        endpoints.put(&endpoint, &secrets, runtime::now()).await?;
    }
    Ok(())
}

pub(super) fn acts(run: &str, tenant: &str) -> Result<Vec<Act>, Error> {
    let of_tenant = |event: Event| Event { tenant: Some(tenant.to_owned()), ..event };
    let everywhere = event(run, "everywhere", "demo.everywhere", ZOE, "the-bell", "The bell rings.")?;
    let order = event(run, "order", "demo.order", ZOE, "order-7", "Seven bells.")?;
    let ring = event(run, "ring", "demo.ring", DOT, "the-door", "Somebody rings.")?;
    Ok(vec![
        Act {
            title: "Every channel",
            told: "one event: all that Zoe has rings, and her shop's till hears of it",
            events: vec![of_tenant(everywhere)],
            then: None,
            is_over: |rows| rows.iter().filter(|row| row.status.was_sent()).count() == 6,
            proof: Some(Proof::ArrivedOnce(vec![
                (Channel::Email, email(run)),
                (Channel::Push, device("local", run)),
                (Channel::Sms, phone(run, 0)),
                (Channel::Whatsapp, phone(run, 1)),
                (Channel::Webhook, format!("/hooks/till/{run}")),
            ])),
        },
        Act {
            title: "A dead token",
            told: "Dot's phone rings, the tablet is gone",
            events: vec![ring],
            then: None,
            is_over: |rows| {
                count(rows, Status::Sent, None) == 1
                    && count(rows, Status::Failed, Some(Reason::DeadToken)) == 1
            },
            proof: Some(Proof::Forgotten { who: DOT, device: "tablet" }),
        },
        Act {
            title: "A failing webhook",
            told: "one system fails once, one is gone for good, and their neighbour notices nothing",
            events: vec![of_tenant(order)],
            then: None,
            is_over: |rows| {
                count(rows, Status::Sent, None) == 2
                    && count(rows, Status::Failed, Some(Reason::EndpointGone)) == 1
            },
            proof: Some(Proof::Answered { again: "flaky", off: "gone" }),
        },
    ])
}

fn email(run: &str) -> String {
    format!("zoe+{run}@example.com")
}

/// A number among those that nobody has.
pub(super) fn phone(run: &str, which: u64) -> String {
    let digits = run.bytes().fold(which, |sum, it| sum.wrapping_mul(31).wrapping_add(u64::from(it)));
    format!("+1555{:07}", digits % 10_000_000)
}

pub(super) fn device(application: &str, name: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/{application}/demo-{name}")
}
