//! Inbox actions of a client: listing, marking, resuming, and updating the user's other sockets.

use aws::CallError;
use domain::catalog::rule::Unless;
use domain::event::key::Key;
use domain::inbox::{Mark, Viewer};
use runtime::now;
use store::{Identity, Noticed};

use crate::Gateway;
use crate::page::fitting;
use crate::protocol::{Denied, Listing, Marking, Reply, Standing};

/// The most entries in the answer to a resume. The client asks for more.
const MISSED_AT_ONCE: usize = 100;

impl Gateway {
    pub(crate) async fn list(&self, who: &Identity, asked: Option<Listing>) -> Result<Reply, CallError> {
        let Some(asked) = asked else { return Ok(Reply::bad_listing()) };
        let viewer = viewer(who);
        let page = self.inbox.page(&viewer, &asked.filter, asked.before, asked.limit, now()).await?;
        let counts = self.inbox.counts(&viewer, now()).await?;
        let (entries, cut) = fitting(page.entries);
        let next = cut.or(page.next);
        Ok(Reply::Inbox { entries, next, counts })
    }

    pub(crate) async fn counts(&self, who: &Identity) -> Result<Reply, CallError> {
        Ok(Reply::Counts(self.inbox.counts(&viewer(who), now()).await?))
    }

    pub(crate) async fn resume(&self, who: &Identity, after: Option<Key>) -> Result<Reply, CallError> {
        let Some(after) = after else { return Ok(Reply::bad_after()) };
        let viewer = viewer(who);
        let Some(missed) = self.inbox.since(&viewer, &after, MISSED_AT_ONCE, now()).await? else {
            return Ok(Reply::unknown_id());
        };
        let counts = self.inbox.counts(&viewer, now()).await?;
        let (entries, cut) = fitting(missed.entries);
        Ok(Reply::Missed { entries, more: missed.more || cut.is_some(), counts })
    }

    pub(crate) async fn mark(
        &self,
        id: &str,
        who: &Identity,
        asked: Option<Marking>,
    ) -> Result<Reply, CallError> {
        let Some(asked) = asked else { return Ok(Reply::bad_marking()) };
        let viewer = viewer(who);
        if viewer.view.looks_on() {
            return Ok(Reply::looks_on());
        }
        match asked {
            Marking::These { mark, keys } => {
                let done = store::mark(&self.inbox, &self.ledger, &viewer, keys, mark, None, now()).await?;
                if done.changed {
                    self.badges.tell(&viewer.user, Some(id), now()).await;
                }
                let entries = done.marked.into_iter().map(|(id, state)| Standing { id, state }).collect();
                let refused = denied(done.refused);
                Ok(Reply::Marked { mark, entries, refused, counts: done.counts })
            }
            Marking::All { mark, category } => {
                let done = store::mark_all(&self.inbox, &self.ledger, &viewer, category, mark, now()).await?;
                if done.marked > 0 {
                    self.badges.tell(&viewer.user, Some(id), now()).await;
                }
                let (count, more, counts) = (done.marked, done.more, done.counts);
                Ok(Reply::MarkedAll { mark, count, more, counts })
            }
        }
    }

    /// Records that a user has seen or acknowledged notifications, in the ledger and in the inbox.
    pub(crate) async fn notice(
        &self,
        id: &str,
        who: &Identity,
        how: Unless,
        keys: Option<Vec<Key>>,
    ) -> Result<Reply, CallError> {
        let Some(keys) = keys else { return Ok(Reply::bad_ids(how)) };
        let viewer = viewer(who);
        if viewer.view.looks_on() {
            return Ok(Reply::noticed(how, vec![], keys.into_iter().map(Denied::not_yours).collect(), None));
        }
        let mark = match how {
            Unless::Seen => Mark::Seen,
            // An acknowledged entry counts as read.
            Unless::Acknowledged => Mark::Read,
        };
        let done = store::mark(&self.inbox, &self.ledger, &viewer, keys, mark, Some(how), now()).await?;
        if done.changed {
            self.badges.tell(&viewer.user, Some(id), now()).await;
        }
        let is_kept = done.marked.iter().any(|(_, state)| state.is_some());
        let ids = done.marked.into_iter().map(|(id, _)| id).collect();
        Ok(Reply::noticed(how, ids, denied(done.refused), is_kept.then_some(done.counts)))
    }
}

fn viewer(who: &Identity) -> Viewer {
    Viewer { user: who.user.clone(), view: who.view.clone() }
}

fn denied(refused: Vec<(Key, Noticed)>) -> Vec<Denied> {
    let denied = refused.into_iter().filter_map(|(key, why)| match why {
        Noticed::Remembered => None,
        Noticed::NotTheirs => Some(Denied::not_yours(key)),
        Noticed::ToARoom => Some(Denied::told_to_a_room(key)),
    });
    denied.collect()
}
