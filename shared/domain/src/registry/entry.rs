//! What is known of one person, and since when: changes may come twice and in any order.
//!
//! Every member of a person keeps the stamp of its last change, and where it is an object each of its members does, so
//! that an older change touches only what nothing newer has touched. Whoever applies the same changes in another order
//! arrives at the same person.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::patch::copy;
use super::{Amendment, Change, Stamp, Topic, out_of_reach};
use crate::channel::Channel;
use crate::event::Refusal;
use crate::producers::Tenants;
use crate::recipient::{Group, NO_TENANT, Recipient, Suppression};

mod update;

/// How long it is remembered that somebody was deleted, and who joined or left what: longer than any event waits in a
/// queue (14 days) after EventBridge has tried to deliver it (1 day).
pub const MEMORY: Duration = Duration::from_secs(30 * 86_400);

/// The members that a person's new description takes back only by naming them: the word STOP, a provider's bounce and
/// the link of a letter are not in the producers' own tables.
const KEPT: [&str; 2] = [SUPPRESSED, "unsubscribed"];
const SUPPRESSED: &str = "suppressed";

const DEVICES: &str = "devices";

/// A person, if they are known, and what was said about them when. No `Debug`: it holds names and addresses.
#[derive(Clone, Default, PartialEq)]
pub struct Entry {
    pub person: Option<Recipient>,
    history: History,
}

/// When things were said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct History {
    /// The last time that the whole person was described, or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Stamp>,
    /// The last time that they were deleted. Whoever was described after that is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<Stamp>,
    /// What was changed after that: `<member>`, or `<member>/<its own member>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, Stamp>,
    /// Topics that were joined or left after that, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moves: Vec<Move>,
    /// What providers closed, by channel and address, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    closings: Vec<Closing>,
    /// The devices that are gone, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    gone: BTreeMap<String, Stamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Closing {
    closed: Suppression,
    stamp: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Move {
    topic: Topic,
    joined: bool,
    stamp: Stamp,
}

impl Entry {
    /// What [`Entry::history`] gave, with the person of that time.
    ///
    /// # Errors
    /// The text is of another make.
    pub fn restore(person: Option<Recipient>, history: &str) -> Result<Entry, serde_json::Error> {
        Ok(Entry { person, history: serde_json::from_str(history)? })
    }

    /// A person of whom nobody knows since when they are as they are: whatever is said now is newer.
    #[must_use]
    pub fn undated(person: Recipient) -> Entry {
        Entry { person: Some(person), history: History::default() }
    }

    /// When things were said, as JSON. It holds no name and no address.
    #[must_use]
    pub fn history(&self) -> String {
        serde_json::to_string(&self.history).expect("stamps and names always serialize")
    }

    /// The groups that the person is in; none for nobody.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<Group> {
        self.person.as_ref().map(Recipient::groups).unwrap_or_default()
    }

    /// When an entry without a person may be forgotten.
    #[must_use]
    pub fn forget_at(&self) -> Option<Timestamp> {
        let newest = self.newest().map(|newest| newest.at)?;
        self.person.is_none().then(|| newest.saturating_add(MEMORY).unwrap_or(Timestamp::MAX))
    }

    /// Carries one change out, as far as nothing newer stands against it. `false`: nothing changed.
    ///
    /// # Errors
    /// [`Refusal`] when the person would hold something that is none of a person's, or when the person belongs to a
    /// tenant out of the change's reach, before or after it; nothing has changed then.
    pub fn apply(&mut self, amendment: &Amendment) -> Result<bool, Refusal> {
        if amendment.reach == Tenants::All {
            return self.change(amendment);
        }
        // A deletion of an unknown id would keep another tenant's person of that id away for a month.
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

    fn change(&mut self, amendment: &Amendment) -> Result<bool, Refusal> {
        let Amendment { id, change, stamp, reach: _ } = amendment;
        let changed = match change {
            Change::Put(person) => {
                // It counts from now on, also against a producer whose clock is ahead.
                let stamp = self.newest().filter(|newest| *newest > stamp).unwrap_or(stamp).clone();
                self.describe(person, stamp);
                true
            }
            Change::Create(_) if self.history.whole.as_ref() >= Some(stamp) => false,
            Change::Create(person) => {
                self.describe(person, stamp.clone());
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
            Change::Leave(topic) => self.move_in(topic, false, stamp),
            Change::Close(closed) => self.close(closed, stamp),
            Change::Unregister(device) => self.unregister(device, stamp),
        };
        if changed {
            self.forget_what_is_old();
        }
        Ok(changed)
    }

    /// Takes a description over, but for what was said after it.
    fn describe(&mut self, person: &Recipient, stamp: Stamp) {
        let mut next = members_of(person);
        let before = self.person.as_ref().map(members_of).unwrap_or_default();
        let said: Vec<&str> = KEPT.into_iter().filter(|it| next.contains_key(*it)).collect();
        for name in KEPT.iter().filter(|it| !said.contains(it)) {
            if let Some(kept) = before.get(*name) {
                next.insert((*name).to_owned(), kept.clone());
            }
        }
        let stays = |path: &str| KEPT.contains(&name_of(path)) && !said.contains(&name_of(path));
        self.history.members.retain(|path, at| *at > stamp || stays(path));
        for path in self.history.members.keys() {
            copy(path, &before, &mut next);
        }
        for name in said {
            self.history.members.entry(name.to_owned()).or_insert_with(|| stamp.clone());
        }
        self.history.moves.retain(|it| it.stamp > stamp);
        self.history.whole = Some(stamp);
        // Both parts came from a person, and no member depends on another.
        self.person = Some(typed(next).unwrap_or_else(|| person.clone()));
        self.say_again();
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
        // They are back already. What outlives a new description does not outlive a deletion.
        self.history.erased = Some(stamp.clone());
        let forgotten: Vec<Closing> = self.history.closings.extract_if(.., |it| it.stamp < *stamp).collect();
        if let Some(person) = &mut self.person {
            person.suppressed.retain(|it| !forgotten.iter().any(|closing| closing.closed == *it));
        }
        let older =
            self.history.members.iter().filter(|(path, at)| KEPT.contains(&name_of(path)) && *at < stamp);
        let older: Vec<String> = older.map(|(path, _)| path.clone()).collect();
        if let Some(person) = self.person.as_ref().filter(|_| !older.is_empty()) {
            let mut members = members_of(person);
            for path in &older {
                copy(path, &Map::new(), &mut members);
                self.history.members.remove(path);
            }
            // What is left of a newer word about a part of it.
            let before = members_of(person);
            for path in self.history.members.keys().filter(|key| KEPT.contains(&name_of(key))) {
                copy(path, &before, &mut members);
            }
            self.person = typed(members);
        }
        true
    }

    /// Deleted, and not described since.
    fn is_gone(&self) -> bool {
        self.history.erased.is_some() && self.history.erased == self.history.whole
    }

    fn move_in(&mut self, topic: &Topic, joined: bool, stamp: &Stamp) -> bool {
        let moves = &mut self.history.moves;
        let at = moves.binary_search_by(|moves| moves.topic.cmp(topic));
        let last = at.ok().map(|at| &moves[at].stamp);
        if last.max(self.history.whole.as_ref()) >= Some(stamp) {
            return false;
        }
        let entry = Move { topic: topic.clone(), joined, stamp: stamp.clone() };
        match at {
            Ok(at) => moves[at] = entry,
            Err(at) => moves.insert(at, entry),
        }
        self.move_again();
        true
    }

    /// Who says later which channels are closed has the last word.
    /// Joins and leaves, in what was listed before, what was joined and left after it.
    fn move_again(&mut self) {
        let Some(person) = &mut self.person else { return };
        let stamps = &self.history.members;
        let listed = stamps.get("topics");
        for it in &self.history.moves {
            let (tenant, name) = (it.topic.tenant.as_deref(), it.topic.name.as_str());
            let own = stamps.get(&format!("topics_in/{}", tenant.unwrap_or(NO_TENANT)));
            if Some(&it.stamp) > own.max(stamps.get("topics_in")) {
                match it.joined {
                    true => person.join(tenant, name),
                    false => person.leave_own(tenant, name),
                }
            }
            if !it.joined && Some(&it.stamp) > listed {
                person.leave_listed(tenant, name);
            }
        }
    }

    fn close(&mut self, closed: &Suppression, stamp: &Stamp) -> bool {
        if self.last(SUPPRESSED) >= Some(stamp) {
            return false;
        }
        let closing = Closing { closed: closed.clone(), stamp: stamp.clone() };
        let closings = &mut self.history.closings;
        match closings.binary_search_by(|closings| closings.place().cmp(&closing.place())) {
            Ok(at) if closings[at].stamp >= *stamp => return false,
            Ok(at) => {
                let before = std::mem::replace(&mut closings[at], closing);
                if let Some(person) = &mut self.person {
                    person.suppressed.retain(|it| *it != before.closed);
                }
            }
            Err(at) => closings.insert(at, closing),
        }
        self.say_again();
        true
    }

    fn unregister(&mut self, device: &str, stamp: &Stamp) -> bool {
        if self.last(DEVICES).max(self.history.gone.get(device)) >= Some(stamp) {
            return false;
        }
        self.history.gone.insert(device.to_owned(), stamp.clone());
        self.say_again();
        true
    }

    /// What was said of a part of the person after the part was last described.
    fn say_again(&mut self) {
        self.move_again();
        let (closed_until, described_at) = (self.last(SUPPRESSED).cloned(), self.last(DEVICES).cloned());
        let Some(person) = &mut self.person else { return };
        let history = &self.history;
        let closings: Vec<&Suppression> = history
            .closings
            .iter()
            .filter(|closing| Some(&closing.stamp) > closed_until.as_ref())
            .map(|closing| &closing.closed)
            .collect();
        person.suppressed.retain(|it| !closings.contains(&it));
        person.suppressed.extend(closings.into_iter().cloned());
        let is_gone = |id: &str| history.gone.get(id).is_some_and(|it| Some(it) > described_at.as_ref());
        person.devices.retain(|device| !is_gone(&device.id));
    }

    fn forget_what_is_old(&mut self) {
        let Some(since) = self.newest().and_then(|newest| newest.at.checked_sub(MEMORY).ok()) else { return };
        self.history.moves.retain(|it| it.stamp.at >= since);
        self.history.closings.retain(|closing| closing.stamp.at >= since);
        self.history.gone.retain(|_, it| it.at >= since);
    }

    /// When something was last said.
    fn last(&self, path: &str) -> Option<&Stamp> {
        let name = name_of(path);
        let whole = if KEPT.contains(&name) { &self.history.erased } else { &self.history.whole };
        let members = &self.history.members;
        members.get(path).max(members.get(name)).max(whole.as_ref())
    }

    fn newest(&self) -> Option<&Stamp> {
        let history = &self.history;
        let moves = history.moves.iter().map(|it| &it.stamp);
        let closings = history.closings.iter().map(|closing| &closing.stamp);
        let said = history.whole.iter().chain(&history.erased).chain(history.members.values());
        said.chain(moves).chain(closings).chain(history.gone.values()).max()
    }
}

/// Whether a change stays within its reach: the person belongs to covered tenants alone, before and after; or the change
/// touches only what the person has in covered tenants (`in_tenants`, `topics_in`), and the person is in one of them.
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

impl Closing {
    /// What it closes: of two that close the same, the later one counts.
    fn place(&self) -> (Channel, Option<&str>) {
        (self.closed.channel, self.closed.address.as_deref())
    }
}

/// The member that a path begins with.
fn name_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn members_of(person: &Recipient) -> Map<String, Value> {
    match serde_json::to_value(person) {
        Ok(Value::Object(members)) => members,
        // A struct of strings, lists and maps with string keys is an object.
        Ok(_) | Err(_) => Map::new(),
    }
}

fn typed(members: Map<String, Value>) -> Option<Recipient> {
    serde_json::from_value(Value::Object(members)).ok()
}
