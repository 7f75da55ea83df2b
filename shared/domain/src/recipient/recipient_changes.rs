//! Changes of recipients, topics and tenants by events.
//!
//! [`read`] is strict. It refuses unknown input with the attribute, the found value and the wanted value. [`Entry`]
//! applies a change to the stored recipient.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::channel::Channel;
use crate::event::own_events::{OPTED_OUT, PUSH_SOURCE, SMS_SOURCE, UNREGISTERED};
use crate::event::producers::Tenants;
use crate::event::{Event, Found, Refusal, RefusalClass};
use crate::recipient::{Recipient, Settings, SuppressedBecause, Suppression};

mod entry;
pub mod limits;
mod patch;
mod reading;
mod spelling;
mod zones;

pub use entry::{Entry, MEMORY};
pub use limits::{MAX_DEVICES, check_members};
pub use patch::merge;
pub use reading::{person, settings, tenant};
pub use spelling::{check_preferences, normalize_addresses};
pub use zones::check_zones;

/// Maximum number of users that one event may add to or remove from a topic. One invocation changes all of them.
pub const MAX_USERS: usize = 1_000;

/// Maximum time by which a producer's clock may be ahead. An event overrides all earlier changes, so a clock that is
/// years ahead would block all other producers.
const MAX_AHEAD: Duration = Duration::from_secs(3_600);

/// The version of a change: its time and origin. The later of two versions applies, regardless of the order of
/// arrival. Equal versions are the same change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    pub at: Timestamp,
    /// The event's source and id, or another origin.
    pub by: String,
}

impl Stamp {
    #[must_use]
    pub fn of(event: &Event) -> Stamp {
        Stamp { at: event.time, by: format!("{} {}", event.source, event.id) }
    }
}

/// One change of one recipient.
#[derive(Clone)]
pub struct RecipientChange {
    pub id: String,
    pub change: Change,
    pub stamp: Stamp,
    /// The tenants that the change may affect. A recipient outside of them does not change.
    pub reach: Tenants,
}

/// The kind of a change.
#[derive(Clone)]
pub enum Change {
    /// Replaces the recipient regardless of earlier and later changes. Used by operators.
    Put(Box<Recipient>),
    /// Replaces the recipient, except for later changes.
    Create(Box<Recipient>),
    /// A JSON merge patch (RFC 7396) of the recipient's JSON.
    Update(Map<String, Value>),
    /// Deletes the recipient.
    Remove,
    Join(Topic),
    Leave(Topic),
    /// A suppression that a provider reports. A later list of suppressions overrides it.
    Close(Suppression),
    /// Removes the device with this id, unless it was registered again later.
    Unregister(String),
}

/// A topic of a tenant, or without a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Topic {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub name: String,
}

/// The changes that one event requests.
pub enum Notice {
    People(Vec<RecipientChange>),
    Tenant { id: String, settings: Box<Settings>, stamp: Stamp },
}

/// Reads an event about recipients, topics or tenants. `reach` is the set of tenants that its source may change. See
/// [`Producers::reach`](crate::event::producers::Producers::reach).
///
/// # Errors
/// [`Refusal`] with the attribute. `data.email` is the member `email` of `data`. The refusal never quotes the
/// payload. A tenant outside of `reach` is refused here. [`Entry::apply`] refuses a recipient outside of it, because
/// it knows the recipient's tenants.
pub fn read(event: &Event, reach: &Tenants, now: Timestamp) -> Result<Notice, Refusal> {
    if event.time > now + MAX_AHEAD {
        return Err(Refusal::new(
            "time",
            "a time more than an hour ahead",
            "a time at most an hour ahead of the local clock",
        ));
    }
    let data = reading::object(event)?;
    let stamp = Stamp::of(event);
    let one = |id: String, change: Change| {
        Notice::People(vec![RecipientChange { id, change, stamp: stamp.clone(), reach: reach.clone() }])
    };
    match event.kind.as_str() {
        "carillon.recipient.created" => {
            let person = reading::of_object(&data, "data.")?;
            Ok(one(person.id.clone(), Change::Create(Box::new(person))))
        }
        "carillon.recipient.updated" => {
            let (id, patch) = reading::patch(data)?;
            Ok(one(id, Change::Update(patch)))
        }
        OPTED_OUT => {
            if event.source != SMS_SOURCE {
                return Err(Refusal::new("source", Found::text(&event.source), SMS_SOURCE));
            }
            let why = SuppressedBecause::OptedOut;
            let closed = Suppression { channel: Channel::Sms, why, until: None, address: None };
            Ok(one(reading::opted_out(&data)?, Change::Close(closed)))
        }
        "carillon.recipient.deleted" => Ok(one(reading::deleted(&data)?, Change::Remove)),
        "carillon.topic.joined" | "carillon.topic.left" => {
            let (name, users) = reading::membership(&data)?;
            let topic = Topic { tenant: event.tenant.clone(), name };
            let joins = event.kind.ends_with("joined");
            let amendments = users.into_iter().map(|id| RecipientChange {
                id,
                change: if joins { Change::Join(topic.clone()) } else { Change::Leave(topic.clone()) },
                stamp: stamp.clone(),
                reach: reach.clone(),
            });
            Ok(Notice::People(amendments.collect()))
        }
        UNREGISTERED => {
            if event.source != PUSH_SOURCE {
                return Err(Refusal::new("source", Found::text(&event.source), PUSH_SOURCE));
            }
            let (id, device) = reading::unregistered(&data)?;
            Ok(one(id, Change::Unregister(device)))
        }
        "carillon.tenant.updated" => {
            let (id, settings) = reading::tenant_of_object(data, "id", "data.")?;
            if !reach.covers(Some(&id)) {
                return Err(out_of_reach("data.id"));
            }
            Ok(Notice::Tenant { id, settings: Box::new(settings), stamp })
        }
        other => {
            let wanted = "carillon.recipient.created, .updated, .opted_out or .deleted, carillon.topic.joined or .left, carillon.device.unregistered or carillon.tenant.updated";
            Err(Refusal::new("type", Found::text(other), wanted))
        }
    }
}

/// The refusal of a change that affects a tenant for which its source may not speak.
fn out_of_reach(attribute: &'static str) -> Refusal {
    let wanted = "data of tenants that policy.yaml lists for the source, and of the event's own tenant";
    Refusal::new(attribute, "data of another tenant", wanted).of(RefusalClass::ProducerNotAllowed)
}

#[cfg(test)]
mod tests;
