//! Outages during a run, beside other faults: of the bus, a provider, or an endpoint.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use domain::Timestamp;
use domain::delivery::breaker::{Breaker, Tally};

use crate::chance::Chance;
use crate::clock::{NOON, now, until};
use crate::world::World;

/// Possible outages, and the probability of each in ten-thousandths.
const MAY_BE: [(&str, u32); 6] =
    [("bus", 1_500), ("email", 800), ("push", 1_500), ("sms-a", 1_000), ("sms-b", 400), ("webhook", 1_500)];

/// Start and end of each outage.
pub(crate) struct Outages(BTreeMap<&'static str, (Timestamp, Timestamp)>);

impl Outages {
    /// Chooses outages by the seed.
    pub(crate) fn of(chance: &mut Chance) -> Outages {
        let mut found = BTreeMap::new();
        for (name, often) in MAY_BE {
            let (is_so, from, lasts) =
                (chance.hits(often), chance.below(200_000), chance.between(10_000, 250_000));
            if is_so {
                let from = NOON.saturating_add(Duration::from_millis(from)).unwrap_or(NOON);
                let to = from.saturating_add(Duration::from_millis(lasts)).unwrap_or(from);
                found.insert(name, (from, to));
            }
        }
        Outages(found)
    }

    pub(crate) fn none() -> Outages {
        Outages(BTreeMap::new())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(from, to)| (*from..*to).contains(&now()))
    }
}

/// Starts processes that soon notice an outage and open its breaker.
pub(crate) fn begin(world: &Rc<World>) {
    for (name, (from, _)) in &world.outages.borrow().0 {
        let found_out = from.saturating_add(Duration::from_secs(5)).unwrap_or(*from);
        let (name, world) = (*name, Rc::clone(world));
        tokio::task::spawn_local(async move {
            until(found_out).await;
            let mut failures = Tally::default();
            (0..20).for_each(|_| failures.count(true, now()));
            let mut breakers = world.breakers.borrow_mut();
            let (version, known) = breakers.get(name).cloned().unwrap_or((0, Breaker::default()));
            breakers.insert(name.to_owned(), (version + 1, known.record(&failures, now())));
            world.tell(|| format!("{name} is down"));
        });
    }
}
