//! The zones that a person's or a tenant's JSON names. They are judged where they are said, and nowhere else: what is
//! stored stays readable, whatever its zone, and the zone after it counts.

use serde_json::{Map, Value};

use crate::event::Refusal;
use crate::zone::Zone;

/// What a zone must be, in words for a refusal.
pub(super) const WANTED: &str = "a name of the IANA time zone database such as Europe/Berlin";

/// Whether every zone that a person, a tenant, or a merge patch of one names is a zone: its own, its devices' and those
/// of `in_tenants`. What is no string is left to whoever reads the shape.
///
/// # Errors
/// [`Refusal`] names the member, such as `in_tenants.clinic-7.zone`. It does not quote what was sent.
pub fn check_zones(members: &Map<String, Value>) -> Result<(), Refusal> {
    check(members, "")
}

/// `place` stands before the member's name in a refusal.
pub(super) fn check(members: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    own(members, place)?;
    let devices = members.get("devices").and_then(Value::as_array);
    for (at, device) in devices.into_iter().flatten().enumerate() {
        device.as_object().map_or(Ok(()), |it| own(it, &format!("{place}devices[{at}].")))?;
    }
    let tenants = members.get("in_tenants").and_then(Value::as_object);
    for (tenant, settings) in tenants.into_iter().flatten() {
        settings.as_object().map_or(Ok(()), |it| own(it, &format!("{place}in_tenants.{tenant}.")))?;
    }
    Ok(())
}

fn own(members: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    match members.get("zone").and_then(Value::as_str) {
        Some(name) if Zone::parse(name).is_err() => {
            Err(Refusal::new(format!("{place}zone"), "a text that names no time zone", WANTED))
        }
        Some(_) | None => Ok(()),
    }
}
