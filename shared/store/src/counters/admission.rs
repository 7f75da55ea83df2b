//! Throttles and caps.

use std::collections::BTreeMap;

use aws::CallError;
use domain::Timestamp;
use domain::base::channel::Channel;
use domain::decide::{Answer, Wanted};
use domain::event::key::Key;
use domain::limits::counter::{State, States, Want, admit};
use domain::time::zone::Zone;
use jiff::SignedDuration;

use super::{Counters, REMEMBERED, ROUNDS, Written, crowded, expiring, json, one, to_json};
use crate::item::Item;
use crate::{lookup, pause};

const DOING: &str = "read the limits";

/// The longest period of a limit. A counter that is idle for this long no longer counts.
const LONGEST_PERIOD: SignedDuration = SignedDuration::from_hours(32 * 24);

/// The counters as read, and their versions.
struct Read {
    /// The channels that an earlier delivery of this message was granted.
    granted: Option<Vec<Channel>>,
    states: States,
    versions: BTreeMap<String, i64>,
}

impl Counters {
    /// Decides on which of `channels` one more message may be sent. The grant is counted in the same transaction
    /// that stores it under `key`. A redelivery is granted the same and counted once.
    ///
    /// # Errors
    /// The table did not answer, or other writers were first in every round. The grant was either not counted, or
    /// is stored under `key` and a repetition returns it.
    pub async fn admit(
        &self,
        key: &Key,
        wants: &[Wanted],
        channels: &[Channel],
        zone: &Zone,
        now: Timestamp,
    ) -> Result<Answer, CallError> {
        let asked: Vec<Want<'_>> = wants
            .iter()
            .map(|want| Want { id: &want.id, limit: &want.limit, scope: want.scope, weight: want.weight })
            .collect();
        for round in 0..ROUNDS {
            let read = self.read(key, wants).await?;
            let admission = admit(&read.states, &asked, channels, zone, now);
            if let Some(granted) = read.granted {
                // Granted channels stay granted. The reasons for the others are those of now.
                let refused =
                    admission.refused.into_iter().filter(|(channel, _)| !granted.contains(channel)).collect();
                return Ok(Answer::Admitted { granted, refused });
            }
            let answer =
                Answer::Admitted { granted: admission.granted.clone(), refused: admission.refused.clone() };
            if admission.granted.is_empty() {
                return Ok(answer);
            }
            let names = admission.granted.iter().map(|channel| channel.name().to_owned());
            let marker = expiring(marker(key).texts("granted", names), now, REMEMBERED);
            let mut puts = vec![self.put_new(marker)];
            for (id, state) in &admission.next {
                let version = read.versions.get(id).copied();
                puts.push(self.put_over(counter(id, state, version.unwrap_or(0) + 1, now), version));
            }
            match self.transact(DOING, puts).await? {
                Written::Done => return Ok(answer),
                Written::Lost => pause::before(round + 1).await,
            }
        }
        Err(crowded(DOING))
    }

    async fn read(&self, key: &Key, wants: &[Wanted]) -> Result<Read, CallError> {
        let mut keys = vec![marker(key)];
        keys.extend(wants.iter().map(|want| place(&want.id)));
        keys.dedup();
        lookup::several(&self.client, &self.table, DOING, keys).await.map(sort)
    }
}

fn sort(items: Vec<Item>) -> Read {
    let mut read = Read { granted: None, states: States::new(), versions: BTreeMap::new() };
    for item in items {
        if let Some(id) = item.get("id") {
            let state: State = json(&item, "state").unwrap_or_default();
            read.states.insert(id.to_owned(), state);
            read.versions.insert(id.to_owned(), item.get_number("version").unwrap_or(0));
        } else {
            let names = item.get_texts("granted");
            read.granted = Some(names.iter().filter_map(|name| Channel::from_name(name)).collect());
        }
    }
    read
}

fn marker(key: &Key) -> Item {
    one(&["admit", key.as_str()])
}

fn place(id: &str) -> Item {
    one(&["counter", id])
}

fn counter(id: &str, state: &State, version: i64, now: Timestamp) -> Item {
    let item = place(id).text("id", id).text("state", to_json(state)).number("version", version);
    expiring(item, now, LONGEST_PERIOD)
}
