//! The doors through which people come in: names that mean nothing are refused, and addresses get one form.

use serde_json::{Map, Value};

use crate::channel::Channel;
use crate::event::Refusal;
use crate::preference::{Invalid, check_channels};
use crate::recipient::parse_address;

/// Checks the channels that the preferences of a person, a tenant, or a merge patch of one name: its own and those of
/// `in_tenants`. What is stored is not judged again.
///
/// # Errors
/// [`Refusal`] names the place and the nearest channel, such as `preferences.channel_types.e-mail`.
pub fn check_preferences(members: &Map<String, Value>) -> Result<(), Refusal> {
    check(members, "")
}

/// `place` stands before the member's name in a refusal.
pub(super) fn check(members: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    own(members, place)?;
    let tenants = members.get("in_tenants").and_then(Value::as_object);
    for (tenant, settings) in tenants.into_iter().flatten() {
        settings
            .as_object()
            .map_or(Ok(()), |members| own(members, &format!("{place}in_tenants.{tenant}.")))?;
    }
    Ok(())
}

fn own(members: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    let Some(preferences) = members.get("preferences") else { return Ok(()) };
    check_channels(preferences).map_err(|invalid| {
        let Invalid { place: within, found: _, wanted } = invalid;
        Refusal::new(format!("{place}preferences.{within}"), "a name that is no channel", wanted)
    })
}

/// Writes the addresses of a person, or of a merge patch of one, in their one form: `+44 (0)20 …` as `+4420…`, and
/// `Ann <ann@exämple.org>` as `ann@xn--exmple-cua.org`. A text that is no address stays as it is, to be refused.
pub fn normalize_addresses(members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut() {
        let Value::String(text) = value else { continue };
        let channel = Channel::of_member(name);
        if let Some(normal) = channel.and_then(|channel| parse_address(channel, text).ok()) {
            *text = normal;
        }
    }
}
