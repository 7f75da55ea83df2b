//! Checks of time zones in the JSON of recipients and tenants. Zones are checked only on input. Stored data with an
//! invalid zone stays readable, and the next zone in the order of precedence applies.

use serde_json::{Map, Value};

use crate::event::Refusal;
use crate::time::zone::Zone;

/// The wanted form of a zone, for refusals.
pub(super) const WANTED: &str = "a name of the IANA time zone database such as Europe/Berlin";

/// Checks all zones of a recipient, a tenant, or a merge patch: its own, its devices' and those of `in_tenants`.
/// Values other than strings are left to the parser.
///
/// # Errors
/// [`Refusal`] with the member, such as `in_tenants.clinic-7.zone`. The refusal does not quote the value.
pub fn check_zones(members: &Map<String, Value>) -> Result<(), Refusal> {
    check(members, "")
}

/// Checks zones. `prefix` precedes member names in refusals.
pub(super) fn check(members: &Map<String, Value>, prefix: &str) -> Result<(), Refusal> {
    own(members, prefix)?;
    let devices = members.get("devices").and_then(Value::as_array);
    for (index, device) in devices.into_iter().flatten().enumerate() {
        device.as_object().map_or(Ok(()), |device| own(device, &format!("{prefix}devices[{index}].")))?;
    }
    let tenants = members.get("in_tenants").and_then(Value::as_object);
    for (tenant, settings) in tenants.into_iter().flatten() {
        settings
            .as_object()
            .map_or(Ok(()), |settings| own(settings, &format!("{prefix}in_tenants.{tenant}.")))?;
    }
    Ok(())
}

fn own(members: &Map<String, Value>, prefix: &str) -> Result<(), Refusal> {
    match members.get("zone").and_then(Value::as_str) {
        Some(name) if Zone::parse(name).is_err() => {
            Err(Refusal::new(format!("{prefix}zone"), "a text that names no time zone", WANTED))
        }
        Some(_) | None => Ok(()),
    }
}
