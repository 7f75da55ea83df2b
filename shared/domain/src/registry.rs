//! What the bus says about people, topics and tenants: which change of whom an event asks for.
//!
//! [`read`] is strict: what it does not know it refuses, with the attribute, what was found and what is wanted. What
//! a change makes of what is known of a person is [`Entry`]'s business.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::channel::Channel;
use crate::event::{Event, Found, Refusal, RefusalClass};
use crate::producers::Tenants;
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

/// The most users that one event may let join or leave: all of them are changed by one invocation.
pub const MAX_USERS: usize = 1_000;

/// How far a producer's clock may be ahead. What it says wins over everything before the time it names, so a clock
/// that is years ahead would shut everybody else out.
const MAX_AHEAD: Duration = Duration::from_secs(3_600);

/// What push says of a device that is gone, and under which name: nobody else knows.
pub const UNREGISTERED: &str = "carillon.device.unregistered";
pub const PUSH: &str = "carillon/push";
/// What sms says of a phone whose owner said stop, and under which name: nobody else knows.
pub const OPTED_OUT: &str = "carillon.recipient.opted_out";
pub const SMS: &str = "carillon/sms";

/// When somebody said something, and in which words: of two stamps the greater one counts, in whatever order they
/// come, and equal ones are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    pub at: Timestamp,
    /// The event's source and id, or whoever else says so.
    pub by: String,
}

impl Stamp {
    #[must_use]
    pub fn of(event: &Event) -> Stamp {
        Stamp { at: event.time, by: format!("{} {}", event.source, event.id) }
    }
}

/// One change of one person.
#[derive(Clone)]
pub struct Amendment {
    pub id: String,
    pub change: Change,
    pub stamp: Stamp,
    /// The tenants that the change may touch: a person outside of them stays as the person is.
    pub reach: Tenants,
}

/// What changes. No `Debug`: it holds names and addresses.
#[derive(Clone)]
pub enum Change {
    /// They are exactly this, whatever was said before: an operator's word.
    Put(Box<Recipient>),
    /// They are exactly this, but for what was said later.
    Create(Box<Recipient>),
    /// A JSON merge patch (RFC 7396) of their JSON.
    Update(Map<String, Value>),
    /// They are to be forgotten.
    Remove,
    Join(Topic),
    Leave(Topic),
    /// A provider says that a channel is closed. Who says later which channels are has the last word.
    Close(Suppression),
    /// The device of this id takes no notes any more, unless it was registered again later.
    Unregister(String),
}

/// A topic of a tenant, or of none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Topic {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub name: String,
}

/// What one event asks for.
pub enum Notice {
    People(Vec<Amendment>),
    Tenant { id: String, settings: Box<Settings>, stamp: Stamp },
}

/// Reads an event about people, topics or tenants. `reach` is what its source may change, see
/// [`Producers::reach`](crate::producers::Producers::reach).
///
/// # Errors
/// [`Refusal`] names the attribute; `data.email` is the member `email` of `data`. It never quotes a payload. A tenant
/// outside of `reach` is refused here, a person when [`Entry::apply`] knows the person's tenants.
pub fn read(event: &Event, reach: &Tenants, now: Timestamp) -> Result<Notice, Refusal> {
    if event.time > now + MAX_AHEAD {
        return Err(Refusal::new(
            "time",
            "a time more than an hour ahead",
            "a time that is not an hour ahead of the clock here",
        ));
    }
    let data = reading::object(event)?;
    let stamp = Stamp::of(event);
    let one = |id: String, change: Change| {
        Notice::People(vec![Amendment { id, change, stamp: stamp.clone(), reach: reach.clone() }])
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
            if event.source != SMS {
                return Err(Refusal::new("source", Found::text(&event.source), SMS));
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
            let amendments = users.into_iter().map(|id| Amendment {
                id,
                change: if joins { Change::Join(topic.clone()) } else { Change::Leave(topic.clone()) },
                stamp: stamp.clone(),
                reach: reach.clone(),
            });
            Ok(Notice::People(amendments.collect()))
        }
        UNREGISTERED => {
            if event.source != PUSH {
                return Err(Refusal::new("source", Found::text(&event.source), PUSH));
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

/// The refusal of a change that reaches into a tenant that its source may not speak for.
fn out_of_reach(attribute: &'static str) -> Refusal {
    let wanted =
        "what belongs to tenants that policy.yaml lists for the source, and to the event's own tenant";
    Refusal::new(attribute, "what belongs to another tenant", wanted).of(RefusalClass::ProducerNotAllowed)
}

#[cfg(test)]
mod tests;
