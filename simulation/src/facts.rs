//! The facts of a decision in memory, as one process reads them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use aws::CallError;
use delivery::SharedState as _;
use domain::Timestamp;
use domain::base::outcome::Status;
use domain::decide::{Answer, Ask};
use domain::event::key::Key;
use domain::limits::cancel::CancelKey;
use domain::recipient::Group;
use domain::webhook::endpoint::{Endpoint, EndpointId};
use engine::{ClosedWindow, Facts, Members, Profiles, Tenants};
use store::DigestArrival;

use crate::process::Process;
use crate::shared::Counters;
use crate::variant::Variant;

/// The tables that decisions read.
pub(crate) struct Tables(pub(crate) Rc<Process>);

impl Tables {
    fn counters(&self) -> Counters {
        Counters(Rc::clone(&self.0))
    }

    /// Reports whether a notification of these keys may have reached its recipient.
    async fn told(&self, of: &[Key]) -> Result<bool, CallError> {
        let ledger = &self.0.world.ledger;
        let may_be = |key: &Key| {
            let status = ledger.borrow().get(key).and_then(|row| Status::from_name(row.get("status")?));
            status.is_some_and(Status::may_have_reached)
        };
        self.0.call("was anybody told?", || of.iter().any(may_be)).await
    }
}

impl Facts for Tables {
    type Error = CallError;

    async fn members(&self, group: &Group, after: Option<&str>, most: usize) -> Result<Members, CallError> {
        match group {
            Group::Topic { .. } | Group::Role { .. } => self.0.members(after, most).await,
            Group::Endpoints { .. } => {
                Ok(Members { ids: vec![self.0.world.setting.endpoint.id.id.clone()], next: None })
            }
        }
    }

    async fn endpoints(&self, ids: &[EndpointId]) -> Result<Vec<Endpoint>, CallError> {
        let endpoint = &self.0.world.setting.endpoint;
        Ok(ids.iter().map(|id| Endpoint { id: id.clone(), ..endpoint.clone() }).collect())
    }

    async fn profiles(&self, _: &BTreeSet<&str>, _: &BTreeSet<&str>) -> Result<Profiles<'_>, CallError> {
        let recipients = Cow::Borrowed(&self.0.world.setting.recipients);
        Ok(Profiles { recipients, tenants: Tenants::Same(None) })
    }

    async fn answer(&self, ask: &Ask, now: Timestamp) -> Result<Answer, CallError> {
        match ask {
            Ask::Cancelled { key } => self.counters().cancelled(key).await.map(Answer::Cancelled),
            Ask::Notified { of } => self.told(of).await.map(Answer::Notified),
            Ask::Join { key, window, policy, ends, item, cancel } => {
                let joining =
                    DigestArrival { key, window, policy, ends: *ends, item, cancel: cancel.as_ref() };
                self.counters().join(&joining, now).await
            }
            Ask::Collected { key } => self.counters().joined(key, now).await,
            Ask::Seen { .. } | Ask::Heard { .. } | Ask::Closed { .. } | Ask::Admit { .. } => {
                Ok(ask.default_answer())
            }
        }
    }

    async fn is_page_done(&self, page: &str) -> Result<bool, CallError> {
        self.0.is_page_done(page).await
    }

    async fn close_window(
        &self,
        window: &str,
        window_id: &str,
        now: Timestamp,
    ) -> Result<ClosedWindow, CallError> {
        let closed = self.counters().close(window, window_id, now).await?;
        Ok(if self.0.world.is(Variant::CancelledInDigest) { without_cancel_keys(closed) } else { closed })
    }
}

/// Digest variant that looks no cancellation up when a window closes.
fn without_cancel_keys(closed: ClosedWindow) -> ClosedWindow {
    match closed {
        ClosedWindow::Open { until } => ClosedWindow::Open { until },
        ClosedWindow::Closed { opened_at, items } => {
            let items = items.into_iter().map(|(item, _)| (item, None::<CancelKey>)).collect();
            ClosedWindow::Closed { opened_at, items }
        }
    }
}
