use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;

use domain::Timestamp;
use domain::base::outcome::{Reason, Status};
use domain::catalog::{CATALOG_FORMAT, Catalog};
use domain::decide::continuation::{Continuation, Start, Task};
use domain::decide::plan::Audience;
use domain::decide::{Answer, Ask};
use domain::event::Event;
use domain::limits::cancel::{CancelKey, Cancellation};
use domain::limits::digest::Item;
use domain::recipient::unsubscribe::Keys;
use domain::recipient::{Group, Recipients};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use serde_json::{Value, json};
use templates::Renderer;

use super::*;

const NOON: Timestamp = Timestamp::constant(1_795_176_000, 0);

#[test]
fn audience_larger_than_a_page_is_notified_page_by_page() {
    for to in [
        json!([{ "topic": { "name": "board", "of": { "path": "$.data.n" } } }]),
        json!([{ "user": { "path": "$.data.users" } }]),
    ] {
        let stage = Stage::new(&rule(&json!({ "to": to })));
        let passes = stage.passes(stage.event());
        let jobs: Vec<usize> = passes.iter().map(|output| output.jobs.len()).collect();
        assert_eq!(jobs, [2, 2, 1], "{to}");
        let keys: BTreeSet<&str> =
            passes.iter().flat_map(|output| &output.jobs).map(|job| job.job.key.as_str()).collect();
        assert_eq!(keys.len(), 5, "{to}");
        let lanes: Vec<Lane> =
            passes.iter().flat_map(|output| &output.later).map(|later| later.lane).collect();
        assert_eq!(lanes, [Lane::Bulk, Lane::Bulk], "{to}");
        assert_eq!(
            passes.iter().filter(|output| output.page.is_some()).count(),
            2,
            "the event itself is no page"
        );
    }
}

#[test]
fn page_of_a_critical_rule_takes_the_critical_lane() {
    let to = json!([{ "topic": { "name": "board", "of": { "path": "$.data.n" } } }]);
    let stage = Stage::new(&rule(&json!({ "to": to, "priority": "critical" })));
    let first = stage.pass(&Subject::event(stage.event()));
    assert_eq!(first.later[0].lane, Lane::Critical);
    assert!(first.jobs.iter().all(EncodedJob::is_critical));
}

#[test]
fn page_that_is_done_is_not_repeated() {
    let to = json!([{ "topic": { "name": "board", "of": { "path": "$.data.n" } } }]);
    let mut stage = Stage::new(&rule(&json!({ "to": to })));
    let first = stage.pass(&Subject::event(stage.event()));
    let second = stage.resume(first.later[0].body.expose());
    stage.facts.done.extend(stage.pass(&second).page);
    let repeated = stage.pass(&stage.resume(first.later[0].body.expose()));
    assert!(repeated.jobs.is_empty() && repeated.later.is_empty() && repeated.page.is_none());
}

#[test]
fn closed_window_is_one_message_about_the_events_that_were_not_cancelled() {
    let mut stage = Stage::new(&digest_rule());
    let (event, other) = (stage.event(), Event { id: "e-2".to_owned(), ..stage.event() });
    let key = CancelKey::former(None, "paid", &["7".to_owned()]);
    stage.facts.items = vec![(Item::of(&event), None), (Item::of(&other), Some(key))];
    let both = stage.pass(&stage.resume(&close(&event)));
    assert_eq!(stage.texts(&both), ["2 events"]);
    stage.facts.is_cancelled = true;
    let one = stage.pass(&stage.resume(&close(&event)));
    assert_eq!(stage.texts(&one), ["1 events"]);
    assert_eq!(both.jobs[0].job.key, one.jobs[0].job.key, "the ledger lets one of them through");
    stage.facts.items.remove(0);
    let none = stage.pass(&stage.resume(&close(&event)));
    assert!(none.jobs.is_empty() && none.outcomes.is_empty());
}

#[test]
fn continuation_that_comes_before_its_window_closes_is_scheduled_again() {
    let mut stage = Stage::new(&digest_rule());
    let until = NOON + std::time::Duration::from_secs(60);
    stage.facts.open_until = Some(until);
    let output = stage.pass(&stage.resume(&close(&stage.event())));
    assert_eq!((output.later.len(), output.later[0].at, output.later[0].lane), (1, until, Lane::Normal));
    assert_eq!(*output.later[0].body.expose(), close(&stage.event()), "as it came");
    assert!(output.outcomes.is_empty() && output.jobs.is_empty());
}

#[test]
fn continuation_of_a_rule_that_is_gone_is_suppressed() {
    let stage = Stage::new(&rule(&json!({})));
    let audience = Audience::User("ann".to_owned());
    let task = Task::Run { audience, start: Start::default() };
    let gone = Continuation::new(&stage.event(), "deleted", task).to_json();
    let output = stage.pass(&stage.resume(&gone));
    let found: Vec<_> =
        output.outcomes.iter().map(|it| (it.status, it.reason, it.recipient.as_str())).collect();
    assert_eq!(found, [(Status::Suppressed, Reason::RuleGone, "ann")]);
}

#[test]
fn job_that_is_too_large_loses_its_failover_and_then_fails() {
    let failover = json!([{ "send": { "channels": ["email"], "failover": ["sms"] } }]);
    let stage = Stage::new(&rule(&json!({ "steps": failover })));
    let whole = stage.pass(&Subject::event(stage.event()));
    assert!(whole.jobs[0].job.failover.is_some() && whole.warnings.is_empty());
    let bytes = whole.jobs[0].body.expose().len();
    let smaller = stage.pass_with(&Subject::event(stage.event()), bytes - 1);
    assert!(smaller.jobs[0].job.failover.is_none());
    assert!(matches!(&smaller.warnings[..], [Warning::FailoverDropped { rule }] if rule == "paid"));
    let failed = stage.pass_with(&Subject::event(stage.event()), 10);
    assert!(failed.jobs.is_empty());
    assert_eq!((failed.outcomes[0].status, failed.outcomes[0].reason), (Status::Failed, Reason::TooLarge));
}

#[test]
fn template_without_text_is_a_failed_outcome_and_a_warning() {
    let stage = Stage::new(&rule(&json!({})));
    let mut event = stage.event();
    event.data = None;
    event.actor = None;
    let subject = Subject::rule(
        event,
        "paid".to_owned(),
        vec![Audience::User("ann".to_owned())],
        Start::default(),
        None,
    );
    let output = stage.pass(&subject);
    assert_eq!((output.outcomes[0].status, output.outcomes[0].reason), (Status::Failed, Reason::Template));
    assert!(
        matches!(&output.warnings[..], [Warning::Unrendered { key, .. }] if *key == output.outcomes[0].key)
    );
}

#[test]
fn forecast_follows_waits_and_digests_in_the_order_of_time() {
    let steps = json!([{ "wait": { "for": "PT1H" } }, { "send": { "channels": ["email"] } }]);
    let stage = Stage::new(&rule(&json!({ "steps": steps })));
    assert_eq!(stage.forecast(), [(0, "later"), (3_600, "send")]);
    assert_eq!(Stage::new(&digest_rule()).forecast(), [(0, "merge"), (600, "send")]);
}

#[test]
fn event_is_critical_by_itself_or_by_a_rule_that_matches() {
    let stage = Stage::new(&rule(&json!({ "priority": "critical" })));
    let event = stage.event();
    assert!(is_critical(&event, stage.catalog.rules()));
    assert!(!is_critical(&event, []));
    assert!(is_critical(&Event { priority: Some(domain::event::Priority::Critical), ..event }, []));
}

/// Facts in memory: one large topic and one digest window.
#[derive(Default)]
struct Memory {
    recipients: Recipients,
    done: BTreeSet<String>,
    items: Vec<(Item, Option<CancelKey>)>,
    open_until: Option<Timestamp>,
    is_cancelled: bool,
}

impl Facts for Memory {
    type Error = Infallible;

    async fn members(&self, _: &Group, after: Option<&str>, most: usize) -> Result<Members, Infallible> {
        let rest = self.recipients.keys().filter(|id| after.is_none_or(|after| id.as_str() > after));
        let ids: Vec<String> = rest.take(most).cloned().collect();
        let is_last = ids.last() == self.recipients.keys().last();
        Ok(Members { next: ids.last().filter(|_| !is_last).cloned(), ids })
    }

    async fn endpoints(&self, _: &[EndpointId]) -> Result<Vec<Endpoint>, Infallible> {
        Ok(Vec::new())
    }

    async fn profiles(&self, ids: &BTreeSet<&str>, _: &BTreeSet<&str>) -> Result<Profiles<'_>, Infallible> {
        let mut recipients = self.recipients.clone();
        recipients.retain(|id, _| ids.contains(id.as_str()));
        Ok(Profiles { recipients: Cow::Owned(recipients), tenants: Tenants::Same(None) })
    }

    async fn answer(&self, ask: &Ask, now: Timestamp) -> Result<Answer, Infallible> {
        let by = Cancellation { at: now, by: "later".to_owned() };
        Ok(match ask {
            Ask::Cancelled { .. } => Answer::Cancelled(self.is_cancelled.then_some(by)),
            Ask::Seen { .. }
            | Ask::Notified { .. }
            | Ask::Admit { .. }
            | Ask::Heard { .. }
            | Ask::Collected { .. }
            | Ask::Closed { .. }
            | Ask::Join { .. } => ask.default_answer(),
        })
    }

    async fn is_page_done(&self, page: &str) -> Result<bool, Infallible> {
        Ok(self.done.contains(page))
    }

    async fn close_window(&self, _: &str, _: &str, _: Timestamp) -> Result<ClosedWindow, Infallible> {
        Ok(match self.open_until {
            Some(until) => ClosedWindow::Open { until },
            None => ClosedWindow::Closed { opened_at: NOON, items: self.items.clone() },
        })
    }
}

/// A catalog with one rule, five people, and pages of two.
struct Stage {
    catalog: Catalog,
    renderer: Renderer,
    facts: Memory,
    links: UnsubscribeLinks,
}

impl Stage {
    fn new(rule: &Value) -> Stage {
        let is_digest = rule["steps"].to_string().contains("digest");
        let text = if is_digest { "{{ digest.total_activities }} events" } else { "{{ data.n }}" };
        let templates = json!({
            "t/en/email.subject.txt": text, "t/en/email.txt": text, "t/en/email.html": text,
        });
        let file =
            json!({ "format": CATALOG_FORMAT, "version": "1", "rules": [rule], "templates": templates });
        let catalog = Catalog::open(serde_json::from_value(file).unwrap()).unwrap();
        let person =
            |id: &str| serde_json::from_value(json!({ "id": id, "email": format!("{id}@example.com") }));
        let ids = ["ann", "ben", "cem", "dee", "eve"];
        let recipients = ids.into_iter().map(|id| (id.to_owned(), person(id).unwrap())).collect();
        let keys = Keys::read(r#"{"k1":"a secret of these tests, long enough"}"#, "k1").unwrap();
        Stage {
            renderer: Renderer::new(&catalog),
            catalog,
            facts: Memory { recipients, ..Memory::default() },
            links: UnsubscribeLinks::new("https://example.com", keys, None),
        }
    }

    fn engine(&self) -> Engine<'_, Memory> {
        Engine { catalog: &self.catalog, renderer: &self.renderer, facts: &self.facts, page_size: 2 }
    }

    #[expect(clippy::unused_self, reason = "the event of this stage")]
    fn event(&self) -> Event {
        let event = json!({
            "specversion": "1.0", "id": "e-1", "source": "/shop", "type": "order.paid", "time": "2026-11-20T12:00:00Z",
            "data": { "n": 1, "user": "ann", "users": ["ann", "ben", "cem", "dee", "eve"] },
        });
        Event::parse(&event.to_string()).unwrap()
    }

    fn pass(&self, subject: &Subject) -> Output {
        self.pass_with(subject, 1_000_000)
    }

    fn pass_with(&self, subject: &Subject, max_job_bytes: usize) -> Output {
        let settings = OutputSettings { links: &self.links, max_job_bytes };
        run_ready(self.engine().run(subject, NOON, |evaluation| evaluation.output(settings)))
    }

    /// Returns the output of an event and of all its continuations.
    fn passes(&self, event: Event) -> Vec<Output> {
        let mut waiting = VecDeque::from([Subject::event(event)]);
        let mut passes = Vec::new();
        while let Some(subject) = waiting.pop_front() {
            let output = self.pass(&subject);
            waiting.extend(output.later.iter().map(|later| self.resume(later.body.expose())));
            passes.push(output);
        }
        passes
    }

    fn resume(&self, body: &str) -> Subject {
        let continuation = Continuation::read(body).unwrap().unwrap();
        run_ready(self.engine().resume(
            continuation.event().unwrap(),
            continuation.rule,
            continuation.task,
            NOON,
        ))
    }

    #[expect(clippy::unused_self, reason = "the texts of this stage")]
    fn texts(&self, output: &Output) -> Vec<String> {
        let subject = |content: &domain::delivery::job::Content| {
            let domain::delivery::job::Content::Email(email) = content else {
                panic!("an e-mail is expected")
            };
            email.subject.expose().clone()
        };
        output.jobs.iter().map(|job| subject(&job.job.content)).collect()
    }

    /// Returns each decision of a forecast, with the seconds from the event to it.
    fn forecast(&self) -> Vec<(i64, &'static str)> {
        let mut found = Vec::new();
        let event = self.event();
        run_ready(self.engine().forecast(&event, event.time, &mut |evaluation, at| {
            let seconds = at.duration_since(event.time).as_secs();
            found.extend(evaluation.decisions.iter().map(|decision| (seconds, word(&decision.verdict))));
        }));
        found
    }
}

fn word(verdict: &domain::decide::Verdict<'_>) -> &'static str {
    match verdict {
        domain::decide::Verdict::Send(_) => "send",
        domain::decide::Verdict::Suppress(_) => "suppress",
        domain::decide::Verdict::Later(_) => "later",
        domain::decide::Verdict::Merge(_) => "merge",
        domain::decide::Verdict::Cancel(_) => "cancel",
    }
}

/// Returns the continuation that closes a window which `event` opened.
fn close(event: &Event) -> String {
    let audience = Audience::User("ann".to_owned());
    let (window, window_id) = ("w".to_owned(), "w-1".to_owned());
    let task = Task::Close { audience, step: 0, only: None, window, window_id, resume: None };
    Continuation::new(event, "paid", task).to_json()
}

fn digest_rule() -> Value {
    let steps = json!([{ "digest": { "span": "10m", "policy": {} } }, { "send": { "channels": ["email"] } }]);
    rule(&json!({ "steps": steps }))
}

fn rule(others: &Value) -> Value {
    let mut rule = json!({
        "rule": "paid", "when": { "detail-type": ["order.paid"] }, "category": "news", "template": "t",
        "steps": [{ "send": { "channels": ["email"] } }], "to": [{ "user": { "path": "$.data.user" } }],
    });
    rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    rule
}
