//! The rate limits for events: per second, first by tenant, then by source.
//!
//! The tenant limit applies first. A tenant that floods a shared source uses up its own limit and not the source's.
//! Critical events are counted separately, with a higher limit. A tenant that marks all its events as critical delays
//! only its own critical events.

use std::collections::BTreeMap;

use aws::CallError;
use domain::Timestamp;
use domain::catalog::policy::Policy;
use domain::decide::plan::Plan;
use engine::is_critical;
use futures_util::stream::{self, StreamExt as _};
use runtime::chain;
use store::Counters;

/// The number of concurrent counter updates.
const AT_ONCE: usize = 8;

/// The attributes by which an event is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) tenant: Option<String>,
    pub(crate) source: String,
    pub(crate) critical: bool,
}

impl Counted {
    pub(crate) fn of(plan: &Plan<'_>) -> Counted {
        Counted {
            tenant: plan.event.tenant.clone(),
            source: plan.event.source.clone(),
            critical: is_critical(plan.event, plan.matches.iter().map(|matched| matched.rule)),
        }
    }
}

/// The tenant or source whose events share a counter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    critical: bool,
    whose: Whose,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Tenant(String),
    Source(String),
}

impl Group {
    fn of_tenant(event: &Counted) -> Option<Group> {
        let whose = Whose::Tenant(event.tenant.clone()?);
        Some(Group { critical: event.critical, whose })
    }

    fn of_source(event: &Counted) -> Option<Group> {
        Some(Group { critical: event.critical, whose: Whose::Source(event.source.clone()) })
    }

    /// Returns the counter's key.
    fn key(&self) -> Vec<&str> {
        let mut key = if self.critical { vec!["critical"] } else { Vec::new() };
        match &self.whose {
            Whose::Tenant(tenant) => key.extend(["tenant", tenant]),
            Whose::Source(source) => key.extend(["source", source]),
        }
        key
    }

    fn most(&self, policy: &Policy) -> u32 {
        match (self.critical, &self.whose) {
            (true, Whose::Tenant(_)) => policy.critical_rate,
            (true, Whose::Source(_)) => policy.critical_source_rate(),
            (false, Whose::Tenant(_)) => policy.tenant_rate,
            (false, Whose::Source(_)) => policy.rate,
        }
    }
}

/// Returns, for each event, the seconds that it has to wait if it is over a limit.
pub(crate) async fn over(
    events: &[Counted],
    policy: &Policy,
    counters: &Counters,
    now: Timestamp,
) -> Vec<Option<u64>> {
    let count = async |key: Vec<&str>, events, most| counters.rate(&key, events, most, now).await;
    held_back(events, policy, &count).await
}

/// Applies the tenant limits, then the source limits. `count` adds a number of events to a key, and returns how many of
/// them are within the limit.
async fn held_back<F>(events: &[Counted], policy: &Policy, count: &F) -> Vec<Option<u64>>
where
    F: AsyncFn(Vec<&str>, u32, u32) -> Result<u32, CallError>,
{
    let mut over = vec![None; events.len()];
    for group_of in [Group::of_tenant, Group::of_source] {
        // An event that waits because of its tenant's limit does not count for its source.
        let open = events.iter().zip(&over).filter(|(_, over)| over.is_none());
        let mut groups: BTreeMap<Group, u32> = BTreeMap::new();
        for group in open.filter_map(|(event, _)| group_of(event)) {
            *groups.entry(group).or_default() += 1;
        }
        let asked = groups.iter().map(|(group, events)| async move {
            (group, *events, count(group.key(), *events, group.most(policy)).await)
        });
        let answers: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        for (group, counted, answer) in answers {
            let allowed = match answer {
                Ok(allowed) => allowed,
                Err(refused) => {
                    tracing::warn!(
                        error = chain(&refused),
                        code = "DISPATCH_RATE_UNKNOWN",
                        "events of a second cannot be counted; none of them waits"
                    );
                    continue;
                }
            };
            if allowed < counted {
                hold_back(events, &mut over, group, allowed, counted, policy, group_of);
            }
        }
    }
    over
}

/// Lets the first events of a group pass. The others wait.
fn hold_back(
    events: &[Counted],
    over: &mut [Option<u64>],
    group: &Group,
    allowed: u32,
    counted: u32,
    policy: &Policy,
    group_of: fn(&Counted) -> Option<Group>,
) {
    let most = group.most(policy).max(1);
    let seconds = u64::from((counted - allowed) / most) + 1;
    let mut left = allowed;
    for (event, over) in events.iter().zip(over.iter_mut()) {
        if over.is_some() || group_of(event).as_ref() != Some(group) {
            continue;
        }
        match left {
            0 => *over = Some(seconds),
            _ => left -= 1,
        }
    }
    let held = counted - allowed;
    match &group.whose {
        Whose::Tenant(tenant) => tracing::warn!(
            tenant,
            critical = group.critical,
            held,
            most,
            code = "DISPATCH_RATE_TENANT",
            "events of a tenant are over its rate; they wait in the bulk lane"
        ),
        Whose::Source(source) => tracing::warn!(
            source,
            critical = group.critical,
            held,
            most,
            code = "DISPATCH_RATE_SOURCE",
            "events of a source are over its rate; they wait in the bulk lane"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[tokio::test]
    async fn tenant_over_its_rate_waits_and_its_neighbour_on_the_same_source_does_not() {
        let events = [flood("ten-a", false, 700), flood("ten-b", false, 300)].concat();
        let over = held(&events).await;
        assert_eq!(waiting(&over[..700]), 200, "500 of a tenant in a second");
        assert_eq!(waiting(&over[700..]), 0, "500 and 300 are within the source's 1,000");
    }

    #[tokio::test]
    async fn critical_events_are_counted_and_by_themselves() {
        let events =
            [flood("ten-a", true, 3_500), flood("ten-a", false, 500), flood("ten-b", true, 1)].concat();
        let over = held(&events).await;
        assert_eq!(waiting(&over[..3_500]), 1_500, "2,000 critical ones of a tenant in a second");
        assert_eq!(
            waiting(&over[3_500..]),
            0,
            "the tenant's normal events, and another tenant's critical one"
        );
        let counts = counts(&events).await;
        assert_eq!(counts[&vec!["critical".to_owned(), "tenant".into(), "ten-a".into()]], 3_500);
        assert_eq!(
            counts[&vec!["critical".to_owned(), "source".into(), "shop".into()]],
            2_001,
            "of both tenants"
        );
    }

    #[tokio::test]
    async fn events_without_a_tenant_are_counted_by_their_source() {
        let events: Vec<Counted> =
            flood("x", false, 1_200).into_iter().map(|it| Counted { tenant: None, ..it }).collect();
        assert_eq!(waiting(&held(&events).await), 200);
        assert_eq!(counts(&events).await.len(), 1);
    }

    #[tokio::test]
    async fn nothing_waits_when_nobody_can_count() {
        let events = flood("ten-a", true, 5_000);
        let broken = async |_: Vec<&str>, _: u32, _: u32| {
            Err(CallError { doing: "count", verdict: aws::Verdict::Transient, source: "no table".into() })
        };
        assert_eq!(waiting(&held_back(&events, &Policy::default(), &broken).await), 0);
    }

    #[tokio::test]
    async fn events_wait_longer_the_further_they_are_over() {
        let over = held(&flood("ten-a", false, 2_100)).await;
        assert_eq!(over.last(), Some(&Some(4)), "1,600 over 500 a second");
    }

    async fn held(events: &[Counted]) -> Vec<Option<u64>> {
        let within = async |_: Vec<&str>, n: u32, most: u32| Ok(n.min(most));
        held_back(events, &Policy::default(), &within).await
    }

    async fn counts(events: &[Counted]) -> BTreeMap<Vec<String>, u32> {
        let counts = RefCell::new(BTreeMap::new());
        let within = async |key: Vec<&str>, n: u32, most: u32| {
            counts.borrow_mut().insert(key.into_iter().map(str::to_owned).collect::<Vec<_>>(), n);
            Ok(n.min(most))
        };
        held_back(events, &Policy::default(), &within).await;
        counts.into_inner()
    }

    fn waiting(over: &[Option<u64>]) -> usize {
        over.iter().filter(|it| it.is_some()).count()
    }

    fn flood(tenant: &str, critical: bool, count: usize) -> Vec<Counted> {
        vec![Counted { tenant: Some(tenant.to_owned()), source: "shop".to_owned(), critical }; count]
    }
}
