//! Merge patches and topic changes of a stored recipient.

use serde_json::{Map, Value};

use super::super::limits::{self, MAX_ENTRY_BYTES, MAX_WITH_SUPPRESSIONS_BYTES};
use super::super::patch::{copy, merge, pieces, set};
use super::super::{Stamp, Topic, reading};
use super::{Entry, History, RETAINED, members_of, typed};
use crate::event::Refusal;
use crate::recipient::ALL_TENANTS;

impl Entry {
    pub(super) fn update(
        &mut self,
        id: &str,
        patch: &Map<String, Value>,
        stamp: &Stamp,
    ) -> Result<bool, Refusal> {
        if self.last("tenants") < Some(stamp) && self.moves_to_other_tenants(patch) {
            let mut whole = Value::Object(Map::new());
            merge(&mut whole, Value::Object(patch.clone()));
            whole["id"] = id.into();
            return self.start_anew(whole, stamp);
        }
        let mut members = self.person.as_ref().map(members_of).unwrap_or_default();
        members.insert("id".to_owned(), id.into());
        let mut stamps = self.history.members.clone();
        for (path, value) in pieces(patch) {
            if self.last(&path) >= Some(stamp) {
                continue;
            }
            let before = members.clone();
            set(&path, value, &mut members);
            let below = format!("{path}/");
            stamps.retain(|path, version| !path.starts_with(&below) || *version > *stamp);
            for newer in stamps.keys().filter(|key| key.starts_with(&below)) {
                copy(newer, &before, &mut members);
            }
            stamps.insert(path, stamp.clone());
        }
        if stamps == self.history.members {
            return Ok(false);
        }
        let person = typed(members.clone()).ok_or_else(|| reading::invalid_recipient(&members))?;
        reading::check(&person, "data.")?;
        // Suppressions and unsubscriptions have a size reserve of their own.
        let uses_reserve = patch.keys().all(|name| RETAINED.contains(&name.as_str()));
        if !uses_reserve {
            let before = self.person.as_ref().map(members_of).unwrap_or_default();
            limits::check_growth(&before, &members, "data.")?;
        }
        let after =
            Entry { person: Some(person), history: History { members: stamps, ..self.history.clone() } };
        let most = if uses_reserve { MAX_WITH_SUPPRESSIONS_BYTES } else { MAX_ENTRY_BYTES };
        let bytes = after.bytes();
        if bytes > most && bytes > self.bytes() {
            return Err(limits::too_long("data", bytes, most, "bytes with the stored data"));
        }
        *self = after;
        self.reapply_later_changes();
        Ok(true)
    }

    /// The approximate size in the table, in bytes.
    fn bytes(&self) -> usize {
        let members = self.person.as_ref().map(members_of).unwrap_or_default();
        Value::Object(members).to_string().len() + self.history().len()
    }

    /// Adds a topic, unless the recipient would use the size reserve.
    pub(super) fn join(&mut self, topic: &Topic, stamp: &Stamp) -> Result<bool, Refusal> {
        let before = self.clone();
        let changed = self.change_topic(topic, true, stamp);
        let bytes = self.bytes();
        if changed && bytes > MAX_ENTRY_BYTES && bytes > before.bytes() {
            *self = before;
            return Err(limits::too_long("data", bytes, MAX_ENTRY_BYTES, "bytes with the stored data"));
        }
        Ok(changed)
    }

    /// Whether a patch moves the recipient to tenants of which none had the recipient before.
    fn moves_to_other_tenants(&self, patch: &Map<String, Value>) -> bool {
        let Some(before) = self.person.as_ref().map(|person| &person.tenants) else { return false };
        let Some(Value::Array(next)) = patch.get("tenants") else { return false };
        let knows = |tenant: &Value| {
            tenant.as_str().is_some_and(|tenant| tenant == ALL_TENANTS || before.contains(tenant))
        };
        !before.is_empty() && !before.contains(ALL_TENANTS) && !next.is_empty() && !next.iter().any(knows)
    }

    /// Replaces the recipient, because the new tenants must not trust addresses and devices from the former tenants.
    fn start_anew(&mut self, whole: Value, stamp: &Stamp) -> Result<bool, Refusal> {
        let Value::Object(members) = whole else { return Ok(false) };
        let person = typed(members.clone()).ok_or_else(|| reading::invalid_recipient(&members))?;
        reading::check(&person, "data.")?;
        self.replace(&person, stamp.clone());
        Ok(true)
    }
}
