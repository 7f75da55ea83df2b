//! Facts with given values, for previews, decision tests and dry runs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use domain::Timestamp;
use domain::decide::{Answer, Ask};
use domain::recipient::{self, Group, Recipients, Settings};
use domain::webhook::endpoint::{Endpoint, EndpointId};

use crate::facts::{ClosedWindow, Facts, Members, Profiles, Tenants};

/// The members of a group.
type MembersOf<'a> = &'a dyn Fn(&Group) -> Vec<String>;

/// The endpoint with an id.
type EndpointOf<'a> = &'a dyn Fn(&EndpointId) -> Option<Endpoint>;

/// Given facts. Groups have no further pages, and digest windows hold no events.
#[derive(Clone, Copy)]
pub struct Fixtures<'a> {
    pub recipients: &'a Recipients,
    /// The settings of every event's tenant.
    pub tenant: Option<&'a Settings>,
    /// The members of a group. Without it, the groups of `recipients` are read, and no tenant has an endpoint.
    pub members: Option<MembersOf<'a>>,
    /// The endpoint with an id. Without it, no endpoint exists.
    pub endpoint: Option<EndpointOf<'a>>,
    /// The answers to questions. Without it, the answers are those of empty tables.
    pub answer: Option<&'a dyn Fn(&Ask) -> Answer>,
}

impl<'a> Fixtures<'a> {
    /// Returns fixtures with these people and empty tables.
    #[must_use]
    pub fn of(recipients: &'a Recipients) -> Fixtures<'a> {
        Fixtures { recipients, tenant: None, members: None, endpoint: None, answer: None }
    }
}

impl Facts for Fixtures<'_> {
    type Error = Infallible;

    async fn members(&self, group: &Group, _: Option<&str>, _: usize) -> Result<Members, Infallible> {
        let ids = match self.members {
            Some(members) => members(group),
            None => recipient::members(group, self.recipients),
        };
        Ok(Members { ids, next: None })
    }

    async fn endpoints(&self, ids: &[EndpointId]) -> Result<Vec<Endpoint>, Infallible> {
        let endpoint = self.endpoint;
        Ok(ids.iter().filter_map(|id| endpoint?(id)).collect())
    }

    async fn profiles(&self, _: &BTreeSet<&str>, _: &BTreeSet<&str>) -> Result<Profiles<'_>, Infallible> {
        Ok(Profiles { recipients: Cow::Borrowed(self.recipients), tenants: Tenants::Same(self.tenant) })
    }

    async fn answer(&self, ask: &Ask, _: Timestamp) -> Result<Answer, Infallible> {
        Ok(self.answer.map_or_else(|| ask.default_answer(), |answer| answer(ask)))
    }

    async fn is_page_done(&self, _: &str) -> Result<bool, Infallible> {
        Ok(false)
    }

    async fn close_window(&self, _: &str, _: &str, now: Timestamp) -> Result<ClosedWindow, Infallible> {
        Ok(ClosedWindow::Closed { opened_at: now, items: Vec::new() })
    }
}

/// Runs the loop over [`Fixtures`], whose look-ups neither wait nor fail.
pub fn run_ready<T>(work: impl Future<Output = Result<T, Infallible>>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            let Ok(done) = done;
            return done;
        }
    }
}

/// Returns an endpoint that accepts every event.
#[must_use]
pub fn sample_endpoint(id: &EndpointId) -> Endpoint {
    Endpoint::new(id.clone(), "https://example.com/".to_owned())
}
