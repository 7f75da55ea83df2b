//! `rate`: the number of events handled per second.

use domain::catalog::policy::{DEFAULT_CRITICAL_RATE, DEFAULT_TENANT_RATE};

use crate::problem::Diagnostics;
use crate::values::{Fields, check_keys, key_at, number};
use crate::yaml::{Kind, Node};

const RATE_KEYS: [&str; 3] = ["per-source", "per-tenant", "critical"];

/// The highest configurable rate of one tenant or source, in events per second.
const MAX_RATE: u32 = 100_000;

/// The configured rates. Others have their defaults.
#[derive(Default)]
pub(super) struct Rates {
    pub(super) per_source: Option<u32>,
    pub(super) per_tenant: Option<u32>,
    pub(super) critical: Option<u32>,
}

/// `rate: 1000` for each source, or `rate: { per-source: 1000, per-tenant: 500, critical: 2000 }`.
pub(super) fn read(node: &Node, report: &mut Diagnostics<'_>) -> Option<Rates> {
    let Kind::Map(members) = &node.kind else {
        return Some(Rates { per_source: Some(number(node, 1, MAX_RATE, report)?), ..Rates::default() });
    };
    check_keys(members, node.at, &RATE_KEYS, &[], report);
    let mut fields = Fields { members, report };
    let mut rate = |key: &str| fields.read(key, |node, report| number(node, 1, MAX_RATE, report));
    let rates =
        Rates { per_source: rate("per-source"), per_tenant: rate("per-tenant"), critical: rate("critical") };
    let per_tenant = rates.per_tenant.unwrap_or(DEFAULT_TENANT_RATE);
    if rates.critical.unwrap_or(DEFAULT_CRITICAL_RATE) < per_tenant {
        let what =
            format!("fewer critical events than other ones of a tenant, {per_tenant}, are let through");
        report.refuse(
            key_at(members, "critical").unwrap_or(node.at),
            what,
            "write a higher number for `critical`",
        );
    }
    Some(rates)
}
