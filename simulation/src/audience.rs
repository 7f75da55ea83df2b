//! Large audiences: a group whose members change while its pages are handled, and the marks of handled pages.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::rc::Rc;

use aws::CallError;
use engine::Members;

use crate::clock::sleep_ms;
use crate::process::Process;
use crate::variant::Variant;
use crate::world::World;

/// Members of a page. A deployment has more; three make several pages of a small group.
pub(crate) const PAGE: usize = 3;

/// Members that stay in the group for the whole run.
pub(crate) const STAYING: [&str; 5] = ["m1", "m4", "m5", "m7", "m8"];

/// Members that leave the group and return.
pub(crate) const CHANGING: [&str; 4] = ["m0", "m2", "m3", "m6"];

/// Number of changes in a run.
const CHANGES: u32 = 6;

/// Longest time between a burst of events and a change.
const NEAR_MS: u64 = 4_000;

/// The group at the start of a run.
pub(crate) fn members() -> BTreeSet<&'static str> {
    STAYING.into_iter().chain(CHANGING).collect()
}

/// Changes the group, most often while an audience is expanded.
pub(crate) async fn change(world: Rc<World>) {
    let mut times: Vec<u64> = {
        let mut chance = world.chance.borrow_mut();
        (0..CHANGES).map(|_| chance.between(1, 4) * 50_000 + chance.below(NEAR_MS)).collect()
    };
    times.sort_unstable();
    let mut last = 0;
    for time in times {
        sleep_ms(time - last).await;
        last = time;
        let chosen = world.chance.borrow_mut().below(CHANGING.len() as u64);
        let id = CHANGING[usize::try_from(chosen).unwrap_or(0)];
        let mut members = world.members.borrow_mut();
        let joins = !members.remove(id) && members.insert(id);
        world.tell(|| format!("{id} {} the group", if joins { "joins" } else { "leaves" }));
    }
}

impl Process {
    /// Reads the members after `after`, as a query of the people table does.
    pub(crate) async fn members(&self, after: Option<&str>, most: usize) -> Result<Members, CallError> {
        let world = &self.world;
        let read = || {
            let members = world.members.borrow();
            let mut found: Vec<&str> = match after {
                Some(after) if world.is(Variant::PageByPosition) => {
                    let handled = members_until(after);
                    members.iter().skip(handled).copied().collect()
                }
                Some(after) => {
                    members.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)).copied().collect()
                }
                None => members.iter().copied().collect(),
            };
            let more = found.len() > most;
            found.truncate(most);
            let ids: Vec<String> = found.into_iter().map(str::to_owned).collect();
            Members { next: ids.last().filter(|_| more).cloned(), ids }
        };
        self.call("read a group", read).await
    }

    /// Reports whether a page is marked as handled.
    pub(crate) async fn is_page_done(&self, page: &str) -> Result<bool, CallError> {
        self.call("was a page handled?", || self.world.pages.borrow().contains(page)).await
    }

    /// Marks a page as handled. Without the mark a redelivery repeats the page under the same keys.
    pub(crate) async fn page_done(&self, page: &str) {
        let mark = || self.world.pages.borrow_mut().insert(page.to_owned());
        if let Err(refused) = self.call("mark a page", mark).await {
            self.world.tell(|| format!("a page has no mark: {refused}"));
        }
    }
}

/// The position after a member in the group at the start of the run.
fn members_until(after: &str) -> usize {
    members().range::<str, _>((Bound::Unbounded, Bound::Included(after))).count()
}
