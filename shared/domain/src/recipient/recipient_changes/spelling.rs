//! Checks of channel names and normalization of addresses at all entry points.

use serde_json::{Map, Value};

use crate::base::channel::Channel;
use crate::event::Refusal;
use crate::recipient::parse_address;
use crate::recipient::preference::{Invalid, check_channels};

/// Checks the channel names in the preferences of a recipient, a tenant, or a merge patch, including those of
/// `in_tenants`. Stored preferences are not checked again.
///
/// # Errors
/// [`Refusal`] with the location and the most similar channel. A location is for example
/// `preferences.channel_types.e-mail`.
pub fn check_preferences(members: &Map<String, Value>) -> Result<(), Refusal> {
    check(members, "")
}

/// Checks channel names. `prefix` precedes member names in refusals.
pub(super) fn check(members: &Map<String, Value>, prefix: &str) -> Result<(), Refusal> {
    own(members, prefix)?;
    let tenants = members.get("in_tenants").and_then(Value::as_object);
    for (tenant, settings) in tenants.into_iter().flatten() {
        settings
            .as_object()
            .map_or(Ok(()), |members| own(members, &format!("{prefix}in_tenants.{tenant}.")))?;
    }
    Ok(())
}

fn own(members: &Map<String, Value>, prefix: &str) -> Result<(), Refusal> {
    let Some(preferences) = members.get("preferences") else { return Ok(()) };
    check_channels(preferences).map_err(|invalid| {
        let Invalid { place: inner, found: _, wanted } = invalid;
        Refusal::new(format!("{prefix}preferences.{inner}"), "an unknown channel", wanted)
    })
}

/// Normalizes the addresses of a recipient, or of a merge patch: `+44 (0)20 …` becomes `+4420…`, and `Ann
/// <ann@exämple.org>` becomes `ann@xn--exmple-cua.org`. An invalid address stays unchanged and is refused later.
pub fn normalize_addresses(members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut() {
        let Value::String(text) = value else { continue };
        let channel = Channel::of_member(name);
        if let Some(normal) = channel.and_then(|channel| parse_address(channel, text).ok()) {
            *text = normal;
        }
    }
}
