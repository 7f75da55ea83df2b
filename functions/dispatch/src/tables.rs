//! The facts of a deployment: the people, endpoints, counters and ledger tables in DynamoDB.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aws::CallError;
use domain::Timestamp;
use domain::decide::{Answer, Ask};
use domain::recipient::Group;
use domain::webhook::endpoint::{Endpoint, EndpointId};
use engine::{ClosedWindow, Facts, Members, Profiles, Tenants};
use store::{Closed, Counters, DigestArrival, Endpoints, Ledger, People};

/// The tables that decisions read.
pub(crate) struct Tables {
    pub(crate) people: People,
    pub(crate) endpoints: Endpoints,
    pub(crate) counters: Counters,
    pub(crate) ledger: Ledger,
}

impl Tables {
    /// Returns the time of a number's last inbound message. A row of the last release has the number's former name.
    async fn heard(&self, caller: &str, former: &str) -> Result<Option<Timestamp>, CallError> {
        match self.counters.heard(caller).await? {
            Some(time) => Ok(Some(time)),
            None => self.counters.heard(former).await,
        }
    }
}

impl Facts for Tables {
    type Error = CallError;

    async fn members(&self, group: &Group, after: Option<&str>, most: usize) -> Result<Members, CallError> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let page = match group {
            Group::Role { .. } | Group::Topic { .. } => self.people.members(group, after, most).await,
            Group::Endpoints { tenant } => self.endpoints.ids(tenant.as_deref(), after, most).await,
        }?;
        Ok(Members { ids: page.ids, next: page.next })
    }

    async fn endpoints(&self, ids: &[EndpointId]) -> Result<Vec<Endpoint>, CallError> {
        self.endpoints.find(ids).await
    }

    async fn profiles(
        &self,
        people: &BTreeSet<&str>,
        tenants: &BTreeSet<&str>,
    ) -> Result<Profiles<'_>, CallError> {
        let found = self.people.look_up(people, tenants).await?;
        for key in &found.unreadable {
            tracing::error!(
                key,
                code = "DISPATCH_PROFILE_UNREADABLE",
                "a profile cannot be read by this release: the recipient is treated as unknown"
            );
        }
        let tenants = Tenants::ById(found.tenants);
        Ok(Profiles { recipients: Cow::Owned(found.recipients), tenants })
    }

    async fn answer(&self, ask: &Ask, now: Timestamp) -> Result<Answer, CallError> {
        match ask {
            Ask::Cancelled { key } => self.counters.cancelled(key).await.map(Answer::Cancelled),
            Ask::Seen { of } => self.ledger.noticed(of).await.map(Answer::Seen),
            Ask::Notified { of } => self.ledger.has_notified(of).await.map(Answer::Notified),
            Ask::Heard { caller, former } => self.heard(caller, former).await.map(Answer::Heard),
            Ask::Admit { key, wants, channels, zone } => {
                self.counters.admit(key, wants, channels, zone, now).await
            }
            Ask::Closed { address } => self.counters.suppressed_address(address).await.map(Answer::Closed),
            Ask::Collected { key } => self.counters.joined(key, now).await,
            Ask::Join { key, window, policy, ends, item, cancel } => {
                let joining =
                    DigestArrival { key, window, policy, ends: *ends, item, cancel: cancel.as_ref() };
                self.counters.join(&joining, now).await
            }
        }
    }

    async fn is_page_done(&self, page: &str) -> Result<bool, CallError> {
        self.counters.is_page_done(page).await
    }

    async fn close_window(
        &self,
        window: &str,
        window_id: &str,
        now: Timestamp,
    ) -> Result<ClosedWindow, CallError> {
        Ok(match self.counters.close(window, window_id, now).await? {
            Closed::NotYet(until) => ClosedWindow::Open { until },
            Closed::Over { opened_at, items } => ClosedWindow::Closed { opened_at, items },
        })
    }
}
