//! Three scenarios about receivers: all channels, an unregistered device, failing webhook endpoints.

use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::event::Event;
use domain::recipient::Recipient;
use domain::webhook::endpoint::Endpoint;
use domain::webhook::endpoint::secret::Scheme;
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::target::Allow;
use serde_json::json;
use store::Endpoints;

use cli::cloud::Cloud;
use cli::endpoints::{cipher, new_secret};
use cli::error::Error;

use super::Scenario;
use super::checks::Check;
use super::fixtures::{count, event, recipient};

/// A person with an address on every channel.
pub(super) const ZOE: &str = "demo-zoe";

/// A person with a phone, and a tablet without the app.
const DOT: &str = "demo-dot";

/// The tenant's endpoints: name, path at the capture server, and event types.
const ENDPOINTS: [(&str, &str, &[&str]); 4] = [
    ("till", "hooks/till", &["demo.everywhere"]),
    ("shop", "hooks/shop", &["demo.order"]),
    ("flaky", "hooks/flaky/1", &["demo.order"]),
    ("gone", "hooks/fail/410", &["demo.order"]),
];

/// The people of these scenarios, with addresses of this run only.
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
            // The devices of an application with this name are disabled.
            { "id": "tablet", "platform": "fcm", "endpoint": device("disabled", run) },
        ],
    });
    [zoe, dot].into_iter().map(recipient).collect()
}

/// Registers the tenant's endpoints.
///
/// # Errors
/// An endpoint is refused.
pub(super) async fn register(cloud: &Cloud, run: &str, tenant: &str) -> Result<(), Error> {
    let endpoints = Endpoints::new(&store::client(&cloud.config), cloud.name("endpoints"));
    let capture = cloud.local.as_ref().map(|local| local.capture_endpoint()).unwrap_or_default();
    let allow = Allow::parse(&capture).map_err(|error| Error::Cloud(format!("{error:?} is no origin")))?;
    for (id, path, wanted) in ENDPOINTS {
        let endpoint = json!({
            "id": id, "tenant": tenant, "url": format!("{capture}/{path}/{run}"), "when": { "detail-type": wanted },
        });
        let endpoint = Endpoint::read(&endpoint.to_string(), &allow)
            .map_err(|error| Error::Cloud(format!("an endpoint of the demo is refused: {error}")))?;
        let secret = new_secret(Scheme::Hmac)?;
        let encrypted = cipher(cloud).encrypt(&secret, &endpoint.id, runtime::now()).await?;
        let secrets = StoredSecrets::of(StoredSecret::Encrypted(encrypted));
        endpoints.put(&endpoint, &secrets, runtime::now()).await?;
    }
    Ok(())
}

pub(super) fn scenarios(run: &str, tenant: &str) -> Result<Vec<Scenario>, Error> {
    let of_tenant = |event: Event| Event { tenant: Some(tenant.to_owned()), ..event };
    let everywhere = event(run, "everywhere", "demo.everywhere", ZOE, "the-bell", "The bell rings.")?;
    let order = event(run, "order", "demo.order", ZOE, "order-7", "Seven bells.")?;
    let ring = event(run, "ring", "demo.ring", DOT, "the-door", "A visitor rings.")?;
    Ok(vec![
        Scenario {
            title: "Every channel",
            about: "one event reaches Zoe on every channel, and the tenant's webhook endpoint",
            events: vec![of_tenant(everywhere)],
            then: None,
            is_complete: |rows| rows.iter().filter(|row| row.status.was_sent()).count() == 6,
            check: Some(Check::ArrivedOnce(vec![
                (Channel::Email, email(run)),
                (Channel::Push, device("local", run)),
                (Channel::Sms, phone(run, 0)),
                (Channel::Whatsapp, phone(run, 1)),
                (Channel::Webhook, format!("/hooks/till/{run}")),
            ])),
        },
        Scenario {
            title: "A dead token",
            about: "Dot's phone gets the push notification, and the unregistered tablet is removed",
            events: vec![ring],
            then: None,
            is_complete: |rows| {
                count(rows, Status::Sent, None) == 1
                    && count(rows, Status::Failed, Some(Reason::DeadToken)) == 1
            },
            check: Some(Check::DeviceRemoved { person: DOT, device: "tablet" }),
        },
        Scenario {
            title: "A failing webhook",
            about: "one endpoint fails once, one is gone, and the third is not affected",
            events: vec![of_tenant(order)],
            then: None,
            is_complete: |rows| {
                count(rows, Status::Sent, None) == 2
                    && count(rows, Status::Failed, Some(Reason::EndpointGone)) == 1
            },
            check: Some(Check::Retried { again: "flaky", off: "gone" }),
        },
    ])
}

fn email(run: &str) -> String {
    format!("zoe+{run}@example.com")
}

/// A phone number that is reserved for fiction.
pub(super) fn phone(run: &str, index: u64) -> String {
    let digits = run.bytes().fold(index, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("+1555{:07}", digits % 10_000_000)
}

pub(super) fn device(application: &str, name: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/{application}/demo-{name}")
}
