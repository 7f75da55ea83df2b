//! Sign-out: tickets that were issued before it no longer open a socket.
//!
//! A ticket lives for 30 seconds and may be used after its owner was deleted, has left a tenant or was signed out.
//! A row under the owner's name records the sign-out for an hour, and `$connect` compares it with the time of the
//! ticket.

use std::collections::BTreeSet;

use aws::CallError;
use domain::Timestamp;
use domain::inbox::View;
use jiff::SignedDuration;

use super::{Connections, RedeemedTicket};
use crate::item::{Item, key, sort_key};
use crate::writes::put;
use crate::{lookup, seconds};

/// The retention of a row: much longer than the lifetime of a ticket.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// The sessions that a sign-out ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOut {
    /// All sessions of the user.
    Everywhere,
    /// The sessions of one tenant.
    Tenant(String),
    /// The sessions of all tenants but these. A session without a tenant continues.
    AllBut(BTreeSet<String>),
}

impl SignOut {
    /// Whether a session with this view ends.
    #[must_use]
    pub fn ends(&self, view: &View) -> bool {
        match (self, view.tenant()) {
            (SignOut::Everywhere, _) => true,
            (SignOut::Tenant(_) | SignOut::AllBut(_), None) => false,
            (SignOut::Tenant(tenant), Some(of)) => tenant == of,
            (SignOut::AllBut(tenants), Some(of)) => !tenants.contains(of),
        }
    }

    /// The row's sort key. The next sign-out of the same kind replaces it.
    fn sk(&self) -> String {
        match self {
            SignOut::Everywhere => "everywhere".to_owned(),
            SignOut::Tenant(tenant) => sort_key(&["tenant", tenant]),
            SignOut::AllBut(_) => "all_but".to_owned(),
        }
    }

    fn read(item: &Item) -> Option<SignOut> {
        match item.get("kind")? {
            "everywhere" => Some(SignOut::Everywhere),
            "tenant" => Some(SignOut::Tenant(item.get("tenant")?.to_owned())),
            "all_but" => Some(SignOut::AllBut(item.get_texts("tenants").into_iter().collect())),
            _ => None,
        }
    }
}

impl Connections {
    /// Records that tickets of `user` issued up to now open no session that `sign_out` ends.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn sign_out(&self, user: &str, sign_out: &SignOut, now: Timestamp) -> Result<(), CallError> {
        self.write(vec![put(row(user, sign_out, now))]).await
    }

    /// Whether the owner of a ticket was signed out after its issue. Call this after recording the socket: a
    /// sign-out writes its row before it looks for sockets, so one of the two sees the other.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn is_signed_out(&self, ticket: &RedeemedTicket) -> Result<bool, CallError> {
        let rows = lookup::partition(&self.client, &self.table, &pk(&ticket.identity.user)).await?;
        Ok(rows.iter().any(|row| ends(row, ticket)))
    }
}

fn row(user: &str, sign_out: &SignOut, now: Timestamp) -> Item {
    let item = Item::default()
        .text("pk", pk(user))
        .text("sk", sign_out.sk())
        .text("signed_out_at", now.to_string())
        .number("ttl", seconds(now + KEPT));
    match sign_out {
        SignOut::Everywhere => item.text("kind", "everywhere"),
        SignOut::Tenant(tenant) => item.text("kind", "tenant").text("tenant", tenant),
        SignOut::AllBut(tenants) => item.text("kind", "all_but").texts("tenants", tenants.iter().cloned()),
    }
}

/// A row that this release cannot parse ends the session. The client gets a new ticket.
fn ends(row: &Item, ticket: &RedeemedTicket) -> bool {
    let time: Option<Timestamp> = row.get("signed_out_at").and_then(|time| time.parse().ok());
    time.is_none_or(|time| ticket.issued_at <= time)
        && SignOut::read(row).is_none_or(|sign_out| sign_out.ends(&ticket.identity.view))
}

fn pk(user: &str) -> String {
    key(&["signed_out", user])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    #[test]
    fn older_ticket_is_refused_and_newer_ticket_connects() {
        let row = row("ann", &SignOut::Everywhere, NOON);
        for (issued_at, refused) in [(NOON - SECOND, true), (NOON, true), (NOON + SECOND, false)] {
            assert_eq!(ends(&row, &ticket(Some("a"), issued_at)), refused, "{issued_at}");
        }
        assert!(ends(&row, &ticket(None, Timestamp::MIN)), "a ticket of the release before");
    }

    #[test]
    fn sign_out_ends_the_sessions_it_names() {
        let all_but =
            |tenants: &[&str]| SignOut::AllBut(tenants.iter().map(|tenant| (*tenant).to_owned()).collect());
        for (sign_out, tenant, ended) in [
            (SignOut::Everywhere, None, true),
            (SignOut::Tenant("a".into()), Some("a"), true),
            (SignOut::Tenant("a".into()), Some("b"), false),
            (SignOut::Tenant("a".into()), None, false),
            (all_but(&["a"]), Some("a"), false),
            (all_but(&["a"]), Some("b"), true),
            (all_but(&[]), Some("a"), true),
            (all_but(&[]), None, false),
        ] {
            assert_eq!(ends(&row("ann", &sign_out, NOON), &ticket(tenant, NOON)), ended, "{sign_out:?}");
        }
        let looking_on = RedeemedTicket {
            identity: Identity { view: View::Only("a".into()), ..ticket(None, NOON).identity },
            issued_at: NOON,
        };
        assert!(ends(&row("ann", &SignOut::Tenant("a".into()), NOON), &looking_on));
    }

    fn ticket(tenant: Option<&str>, issued_at: Timestamp) -> RedeemedTicket {
        let view = View::own(tenant.map(str::to_owned));
        let identity = Identity { user: "ann".into(), view, rooms: vec![], until: None };
        RedeemedTicket { identity, issued_at }
    }
}
