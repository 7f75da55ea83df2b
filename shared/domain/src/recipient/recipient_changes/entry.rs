//! A stored recipient and the versions of its members. Changes may arrive twice and in any order.
//!
//! Every member of a recipient has the version of its last change. In a member that is an object, each inner member
//! has its own. An older change therefore affects only members without a newer change. The same changes in any order
//! result in the same recipient.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::patch::copy;
use super::{Change, RecipientChange, Stamp, Topic, out_of_reach};
use crate::base::channel::Channel;
use crate::event::Refusal;
use crate::event::producers::Tenants;
use crate::recipient::{Group, NO_TENANT, Recipient, Suppression};

mod update;

/// Retention of deletions, and of topic changes. Longer than any event can wait: 14 days in a queue, after
/// EventBridge tried to deliver it for a day.
pub const MEMORY: Duration = Duration::from_secs(30 * 86_400);

/// Members that a new description removes only if it names them. Opt-outs, bounces and unsubscriptions are not part
/// of producers' own tables.
const RETAINED: [&str; 2] = [SUPPRESSED, "unsubscribed"];
const SUPPRESSED: &str = "suppressed";

const DEVICES: &str = "devices";

/// A stored recipient, if there is one, with the history of its changes.
#[derive(Clone, Default, PartialEq)]
pub struct Entry {
    pub person: Option<Recipient>,
    history: History,
}

/// The versions of changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct History {
    /// The last full description or deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Stamp>,
    /// The last deletion. A recipient that was described later exists again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<Stamp>,
    /// Later changes of members, by `<member>` or `<member>/<inner member>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, Stamp>,
    /// Later topic changes, sorted by topic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moves: Vec<TopicChange>,
    /// Suppressions reported by providers, sorted by channel and address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    closings: Vec<StoredSuppression>,
    /// The unregistered devices.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    gone: BTreeMap<String, Stamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredSuppression {
    closed: Suppression,
    stamp: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TopicChange {
    topic: Topic,
    joined: bool,
    stamp: Stamp,
}

impl Entry {
    /// Restores an entry from [`Entry::history`] and the recipient of that time.
    ///
    /// # Errors
    /// The history has another format.
    pub fn restore(person: Option<Recipient>, history: &str) -> Result<Entry, serde_json::Error> {
        Ok(Entry { person, history: serde_json::from_str(history)? })
    }

    /// A recipient without a history. Any change is newer than it.
    #[must_use]
    pub fn undated(person: Recipient) -> Entry {
        Entry { person: Some(person), history: History::default() }
    }

    /// The versions of all changes, as JSON. The history contains neither names nor addresses.
    #[must_use]
    pub fn history(&self) -> String {
        serde_json::to_string(&self.history).expect("stamps and names always serialize")
    }

    /// The recipient's groups. Empty without a recipient.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<Group> {
        self.person.as_ref().map(Recipient::groups).unwrap_or_default()
    }

    /// The time from which an entry without a recipient can be removed.
    #[must_use]
    pub fn forget_at(&self) -> Option<Timestamp> {
        let newest = self.newest().map(|newest| newest.at)?;
        self.person.is_none().then(|| newest.saturating_add(MEMORY).unwrap_or(Timestamp::MAX))
    }

    /// Applies one change, as far as no newer change opposes it. Returns whether the entry changed.
    ///
    /// # Errors
    /// [`Refusal`] if the recipient would become invalid, or if it belongs to a tenant outside the change's reach
    /// before or after the change. The entry does not change then.
    pub fn apply(&mut self, amendment: &RecipientChange) -> Result<bool, Refusal> {
        if amendment.reach == Tenants::All {
            return self.change(amendment);
        }
        // The deletion of an unknown id would block another tenant's recipient with that id for a month.
        if self.person.is_none() && matches!(amendment.change, Change::Remove) {
            return Err(out_of_reach("data.id"));
        }
        let before = self.clone();
        let changed = self.change(amendment)?;
        if changed && !is_within(&amendment.reach, before.person.as_ref(), self.person.as_ref()) {
            *self = before;
            return Err(out_of_reach("data"));
        }
        Ok(changed)
    }

    fn change(&mut self, amendment: &RecipientChange) -> Result<bool, Refusal> {
        let RecipientChange { id, change, stamp, reach: _ } = amendment;
        let changed = match change {
            Change::Put(person) => {
                // The change applies from now on, even if a producer's clock is ahead.
                let stamp = self.newest().filter(|newest| *newest > stamp).unwrap_or(stamp).clone();
                self.replace(person, stamp);
                true
            }
            Change::Create(_) if self.history.whole.as_ref() >= Some(stamp) => false,
            Change::Create(person) => {
                self.replace(person, stamp.clone());
                true
            }
            Change::Remove => self.erase(stamp),
            Change::Update(_)
            | Change::Join(_)
            | Change::Leave(_)
            | Change::Close(_)
            | Change::Unregister(_)
                if self.is_gone() =>
            {
                false
            }
            Change::Update(patch) => self.update(id, patch, stamp)?,
            Change::Join(topic) => self.join(topic, stamp)?,
            Change::Leave(topic) => self.change_topic(topic, false, stamp),
            Change::Close(closed) => self.close(closed, stamp),
            Change::Unregister(device) => self.unregister(device, stamp),
        };
        if changed {
            self.drop_expired_history();
        }
        Ok(changed)
    }

    /// Replaces the recipient's description, except for later changes.
    fn replace(&mut self, person: &Recipient, stamp: Stamp) {
        let mut next = members_of(person);
        let before = self.person.as_ref().map(members_of).unwrap_or_default();
        let named: Vec<&str> = RETAINED.into_iter().filter(|name| next.contains_key(*name)).collect();
        for name in RETAINED.iter().filter(|name| !named.contains(name)) {
            if let Some(kept) = before.get(*name) {
                next.insert((*name).to_owned(), kept.clone());
            }
        }
        let stays = |path: &str| RETAINED.contains(&name_of(path)) && !named.contains(&name_of(path));
        self.history.members.retain(|path, version| *version > stamp || stays(path));
        for path in self.history.members.keys() {
            copy(path, &before, &mut next);
        }
        for name in named {
            self.history.members.entry(name.to_owned()).or_insert_with(|| stamp.clone());
        }
        self.history.moves.retain(|change| change.stamp > stamp);
        self.history.whole = Some(stamp);
        // Both parts came from a valid recipient, and members do not depend on each other.
        self.person = Some(typed(next).unwrap_or_else(|| person.clone()));
        self.reapply_later_changes();
    }

    fn erase(&mut self, stamp: &Stamp) -> bool {
        if self.history.erased.as_ref() >= Some(stamp) {
            return false;
        }
        if self.history.whole.as_ref() < Some(stamp) {
            let erased = Some(stamp.clone());
            let history = History { whole: erased.clone(), erased, ..History::default() };
            *self = Entry { person: None, history };
            return true;
        }
        // The recipient was described again after the deletion. The retained members from before the deletion are
        // removed.
        self.history.erased = Some(stamp.clone());
        let forgotten: Vec<StoredSuppression> =
            self.history.closings.extract_if(.., |entry| entry.stamp < *stamp).collect();
        if let Some(person) = &mut self.person {
            person.suppressed.retain(|kept| !forgotten.iter().any(|entry| entry.closed == *kept));
        }
        let older = self
            .history
            .members
            .iter()
            .filter(|(path, version)| RETAINED.contains(&name_of(path)) && *version < stamp);
        let older: Vec<String> = older.map(|(path, _)| path.clone()).collect();
        if let Some(person) = self.person.as_ref().filter(|_| !older.is_empty()) {
            let mut members = members_of(person);
            for path in &older {
                copy(path, &Map::new(), &mut members);
                self.history.members.remove(path);
            }
            // Newer changes of inner members stay.
            let before = members_of(person);
            for path in self.history.members.keys().filter(|key| RETAINED.contains(&name_of(key))) {
                copy(path, &before, &mut members);
            }
            self.person = typed(members);
        }
        true
    }

    /// Whether the recipient was deleted and not described since.
    fn is_gone(&self) -> bool {
        self.history.erased.is_some() && self.history.erased == self.history.whole
    }

    fn change_topic(&mut self, topic: &Topic, joined: bool, stamp: &Stamp) -> bool {
        let moves = &mut self.history.moves;
        let position = moves.binary_search_by(|change| change.topic.cmp(topic));
        let last = position.ok().map(|index| &moves[index].stamp);
        if last.max(self.history.whole.as_ref()) >= Some(stamp) {
            return false;
        }
        let entry = TopicChange { topic: topic.clone(), joined, stamp: stamp.clone() };
        match position {
            Ok(index) => moves[index] = entry,
            Err(index) => moves.insert(index, entry),
        }
        self.reapply_topic_changes();
        true
    }

    /// Applies later topic changes to the described topics.
    fn reapply_topic_changes(&mut self) {
        let Some(person) = &mut self.person else { return };
        let stamps = &self.history.members;
        let listed = stamps.get("topics");
        for change in &self.history.moves {
            let (tenant, name) = (change.topic.tenant.as_deref(), change.topic.name.as_str());
            let own = stamps.get(&format!("topics_in/{}", tenant.unwrap_or(NO_TENANT)));
            if Some(&change.stamp) > own.max(stamps.get("topics_in")) {
                match change.joined {
                    true => person.join(tenant, name),
                    false => person.leave_own(tenant, name),
                }
            }
            if !change.joined && Some(&change.stamp) > listed {
                person.leave_listed(tenant, name);
            }
        }
    }

    fn close(&mut self, closed: &Suppression, stamp: &Stamp) -> bool {
        if self.last(SUPPRESSED) >= Some(stamp) {
            return false;
        }
        let closing = StoredSuppression { closed: closed.clone(), stamp: stamp.clone() };
        let closings = &mut self.history.closings;
        match closings.binary_search_by(|entry| entry.subject().cmp(&closing.subject())) {
            Ok(index) if closings[index].stamp >= *stamp => return false,
            Ok(index) => {
                let before = std::mem::replace(&mut closings[index], closing);
                if let Some(person) = &mut self.person {
                    person.suppressed.retain(|kept| *kept != before.closed);
                }
            }
            Err(index) => closings.insert(index, closing),
        }
        self.reapply_later_changes();
        true
    }

    fn unregister(&mut self, device: &str, stamp: &Stamp) -> bool {
        if self.last(DEVICES).max(self.history.gone.get(device)) >= Some(stamp) {
            return false;
        }
        self.history.gone.insert(device.to_owned(), stamp.clone());
        self.reapply_later_changes();
        true
    }

    /// Applies the changes again that are newer than the description of their member.
    fn reapply_later_changes(&mut self) {
        self.reapply_topic_changes();
        let (closed_until, described_at) = (self.last(SUPPRESSED).cloned(), self.last(DEVICES).cloned());
        let Some(person) = &mut self.person else { return };
        let history = &self.history;
        let closings: Vec<&Suppression> = history
            .closings
            .iter()
            .filter(|closing| Some(&closing.stamp) > closed_until.as_ref())
            .map(|closing| &closing.closed)
            .collect();
        person.suppressed.retain(|kept| !closings.contains(&kept));
        person.suppressed.extend(closings.into_iter().cloned());
        let is_gone =
            |id: &str| history.gone.get(id).is_some_and(|version| Some(version) > described_at.as_ref());
        person.devices.retain(|device| !is_gone(&device.id));
    }

    fn drop_expired_history(&mut self) {
        let Some(since) = self.newest().and_then(|newest| newest.at.checked_sub(MEMORY).ok()) else { return };
        self.history.moves.retain(|change| change.stamp.at >= since);
        self.history.closings.retain(|closing| closing.stamp.at >= since);
        self.history.gone.retain(|_, version| version.at >= since);
    }

    /// The version of the last change of a member.
    fn last(&self, path: &str) -> Option<&Stamp> {
        let name = name_of(path);
        let whole = if RETAINED.contains(&name) { &self.history.erased } else { &self.history.whole };
        let members = &self.history.members;
        members.get(path).max(members.get(name)).max(whole.as_ref())
    }

    fn newest(&self) -> Option<&Stamp> {
        let history = &self.history;
        let moves = history.moves.iter().map(|change| &change.stamp);
        let closings = history.closings.iter().map(|closing| &closing.stamp);
        let versions = history.whole.iter().chain(&history.erased).chain(history.members.values());
        versions.chain(moves).chain(closings).chain(history.gone.values()).max()
    }
}

/// Whether a change stays within its reach. Either the recipient belongs to covered tenants only, before and after.
/// Or the change affects only members of covered tenants (`in_tenants`, `topics_in`), and the recipient belongs to
/// one of them.
fn is_within(reach: &Tenants, before: Option<&Recipient>, after: Option<&Recipient>) -> bool {
    let covered =
        |person: Option<&Recipient>| person.is_none_or(|person| reach.cover_person_of(&person.tenants));
    if covered(before) && covered(after) {
        return true;
    }
    let (Some(before), Some(after)) = (before, after) else { return false };
    let is_member = before.tenants.iter().any(|tenant| reach.covers(Some(tenant)));
    let rest = |person: &Recipient| {
        let mut person = person.clone();
        let is_foreign = |tenant: &str| tenant == NO_TENANT || !reach.covers(Some(tenant));
        person.in_tenants.retain(|tenant, _| is_foreign(tenant));
        person.topics_in.retain(|tenant, _| is_foreign(tenant));
        person
    };
    is_member && rest(before) == rest(after)
}

impl StoredSuppression {
    /// The suppressed channel and address. Of two suppressions for the same one, the later applies.
    fn subject(&self) -> (Channel, Option<&str>) {
        (self.closed.channel, self.closed.address.as_deref())
    }
}

/// The first member of a path.
fn name_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn members_of(person: &Recipient) -> Map<String, Value> {
    match serde_json::to_value(person) {
        Ok(Value::Object(members)) => members,
        // A struct of strings, lists and maps with string keys always becomes an object.
        Ok(_) | Err(_) => Map::new(),
    }
}

fn typed(members: Map<String, Value>) -> Option<Recipient> {
    serde_json::from_value(Value::Object(members)).ok()
}
