//! `/v1/recipients/{id}/inbox`: a recipient's stored in-app messages, with the terms of the WebSocket
//! protocol.

use domain::Timestamp;
use domain::event::key::Key;
use domain::inbox::{InboxFilter, InboxQuery, Marking, Viewer, is_category};
use serde_json::{Value, json};
use store::Noticed;

use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::{Api, ApiCall};

/// The members of a body that marks entries.
const MEMBERS: [&str; 4] = ["as", "ids", "all", "category"];

impl Api {
    /// Lists the entries, the newest first. A page can have fewer entries than requested.
    pub(crate) async fn list_inbox(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let filter = filter(call)?;
        let category = filter.category.as_deref().unwrap_or_default();
        let list = ["inbox", call.parameter(0), filter.filter.name(), category];
        let page = Page::of(call.request, call.scope, &list)?;
        let before =
            page.after.as_deref().map(|after| after.parse::<u64>().map_err(|_| Problem::bad_cursor()));
        let before = before.transpose()?;
        let viewer = self.viewer(call).await?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let found = self.inbox.page(&viewer, &filter, before, limit, call.now).await?;
        let counts = self.inbox.counts(&viewer, call.now).await?;
        let next = page.next(found.next.map(|next| next.to_string()));
        Ok(Response::json(200, &json!({ "entries": found.entries, "counts": counts, "next": next })))
    }

    pub(crate) async fn count_inbox(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let viewer = self.viewer(call).await?;
        Ok(Response::json(200, &self.inbox.counts(&viewer, call.now).await?))
    }

    /// Marks the named entries, or the newest 500 that the mark applies to.
    pub(crate) async fn mark_inbox(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let marking = marking(call)?;
        let viewer = self.viewer(call).await?;
        let (inbox, ledger, now) = (&self.inbox, &self.ledger, call.now);
        let said = match marking {
            Marking::These { mark, keys } => {
                let done = store::mark(inbox, ledger, &viewer, keys, mark, None, now).await?;
                self.tell_sockets(&viewer, done.changed, now).await;
                let entries: Vec<Value> = done
                    .marked
                    .iter()
                    .map(|(id, state)| match state {
                        Some(state) => json!({ "id": id, "state": state }),
                        None => json!({ "id": id }),
                    })
                    .collect();
                let refused: Vec<Value> = done.refused.iter().filter_map(denied).collect();
                json!({ "as": mark, "entries": entries, "refused": refused, "counts": done.counts })
            }
            Marking::All { mark, category } => {
                let done = store::mark_all(inbox, ledger, &viewer, category, mark, now).await?;
                self.tell_sockets(&viewer, done.marked > 0, now).await;
                json!({ "as": mark, "count": done.marked, "more": done.more, "counts": done.counts })
            }
        };
        Ok(Response::json(200, &said))
    }

    async fn tell_sockets(&self, viewer: &Viewer, is_changed: bool, now: Timestamp) {
        if is_changed {
            self.badges.tell(&viewer.user, None, now).await;
        }
    }

    /// The recipient and tenant of an inbox that the caller may see.
    async fn viewer(&self, call: &ApiCall<'_>) -> Result<Viewer, Problem> {
        let user = self.person(call.parameter(0), call).await?.id;
        let view = call.view_of(&user);
        Ok(Viewer { user, view })
    }
}

fn filter(call: &ApiCall<'_>) -> Result<InboxQuery, Problem> {
    let bad = |detail: String| Problem::new(400, "bad_query", detail);
    let filter = call.request.query("filter").or_else(|| call.request.query("shelf")).map(|query| {
        let known = InboxFilter::ALL.map(InboxFilter::name).join(", ");
        InboxFilter::from_name(query).ok_or_else(|| bad(format!("filter: wanted one of {known}")))
    });
    let category = call.request.query("category").map(str::to_owned);
    if !is_category(category.as_deref()) {
        return Err(bad("category: wanted at most 256 bytes".to_owned()));
    }
    Ok(InboxQuery { filter: filter.transpose()?.unwrap_or_default(), category })
}

fn marking(call: &ApiCall<'_>) -> Result<Marking, Problem> {
    let members = call.request.object()?;
    if let Some(problem) = Problem::stranger(&members, &MEMBERS) {
        return Err(problem);
    }
    Marking::read(&Value::Object(members).to_string()).ok_or_else(|| {
        let wanted = "{as: seen | read | unread | archived | unarchived, ids: [1 to 100 ids of entries]}, or \
                      {as, all: true} and perhaps a category";
        Problem::refused("body", "an object of another shape", wanted)
    })
}

/// The result for an entry that does not exist or belongs to another recipient. The two cases are
/// indistinguishable.
fn denied((id, why): &(Key, Noticed)) -> Option<Value> {
    let reason = match why {
        Noticed::Remembered => return None,
        Noticed::NotTheirs => "not_yours",
        Noticed::ToARoom => "told_to_a_room",
    };
    Some(json!({ "id": id, "reason": reason }))
}
