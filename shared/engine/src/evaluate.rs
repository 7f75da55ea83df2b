//! Decide and check: answers all questions of a decision, then all questions of its rendered messages.

use domain::Timestamp;
use domain::base::outcome::Reason;
use domain::decide::plan::Audience;
use domain::decide::{Answer, Answers, Ask, Decided, Decision, Order, Verdict, decide};
use domain::delivery::job::Content;
use domain::delivery::render_checks::RenderCheck;
use domain::event::Event;
use domain::event::key::Key;
use domain::recipient::keyed_hash::KeyedHashes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use templates::{TemplateContext, Unrendered, Written, context_of, proofs, settle};

use crate::expand::Planned;
use crate::subject::Part;
use crate::{Engine, Facts, Profiles};

/// The most rounds of questions. Each round answers at least one question of every open run, and a run has a few
/// questions for each of its 50 steps.
const MAX_ROUNDS: usize = 200;

/// The number of concurrent look-ups.
const CONCURRENT_LOOKUPS: usize = 8;

/// The decisions about one subject.
pub struct Evaluation<'p> {
    pub planned: &'p Planned<'p>,
    pub decisions: Vec<Decision<'p>>,
    /// Whether a run still had questions after the last round. Such a run has no decisions.
    pub is_unfinished: bool,
    pub(crate) now: Timestamp,
    pub(crate) context: TemplateContext<'p>,
    /// Messages that the check rendered.
    pub(crate) checked: Written,
    tenant_zone: Option<&'p str>,
}

impl<'a, F: Facts> Engine<'a, F> {
    /// Decides and checks: the first half of a pass that has its plan and its profiles.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn evaluate<'p>(
        &self,
        planned: &'p Planned<'p>,
        profiles: &'p Profiles<'_>,
        now: Timestamp,
    ) -> Result<Evaluation<'p>, F::Error>
    where
        'a: 'p,
    {
        let mut evaluation = self.decide(planned, profiles, now).await?;
        self.check(&mut evaluation).await?;
        Ok(evaluation)
    }

    /// Decides without the render checks.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn decide<'p>(
        &self,
        planned: &'p Planned<'p>,
        profiles: &'p Profiles<'_>,
        now: Timestamp,
    ) -> Result<Evaluation<'p>, F::Error>
    where
        'a: 'p,
    {
        let event = planned.plan.event;
        let tenant = profiles.tenant(event);
        let recipients = profiles.recipients.as_ref();
        let mut answers = Answers::default();
        let decide = |answers: &Answers| {
            decide(&planned.plan, &domain::decide::Facts { recipients, tenant, answers, now })
        };
        let Decided { mut decisions, mut asks } = decide(&answers);
        for _ in 1..MAX_ROUNDS {
            if asks.is_empty() {
                break;
            }
            let found: Vec<(Ask, Answer)> = stream::iter(asks)
                .map(|ask| async move {
                    let answer = self.facts.answer(&ask, now).await?;
                    Ok::<_, F::Error>((ask, answer))
                })
                .buffer_unordered(CONCURRENT_LOOKUPS)
                .try_collect()
                .await?;
            for (ask, answer) in found {
                answers.insert(&ask, answer);
            }
            Decided { decisions, asks } = decide(&answers);
        }
        if let Part::RuleGone { rule, audience } = &planned.subject.part {
            decisions.push(rule_gone(event, rule, audience.as_ref(), self.catalog.hashes()));
        }
        let tenant_zone = tenant.and_then(|tenant| tenant.zone.as_deref());
        Ok(Evaluation {
            planned,
            decisions,
            is_unfinished: !asks.is_empty(),
            now,
            context: context_of(self.renderer, &planned.plan, tenant_zone, now),
            checked: Written::default(),
            tenant_zone,
        })
    }

    /// Renders the messages whose texts raise questions (the price of an SMS, the customer service window of a WhatsApp
    /// message), and suppresses those with a negative answer.
    async fn check(&self, evaluation: &mut Evaluation<'_>) -> Result<(), F::Error> {
        let Evaluation { planned, decisions, now, context, checked, tenant_zone, .. } = evaluation;
        let now = *now;
        let (checks, rendered) = proofs(context, &planned.plan, decisions, *tenant_zone);
        *checked = rendered;
        let answered: Vec<(RenderCheck, Answer)> = stream::iter(checks)
            .map(|check| async move {
                let answer = self.facts.answer(&check.ask, now).await?;
                Ok::<_, F::Error>((check, answer))
            })
            .buffered(CONCURRENT_LOOKUPS)
            .try_collect()
            .await?;
        for (check, answer) in answered {
            settle(check, &answer, now, decisions, checked);
        }
        Ok(())
    }
}

impl Evaluation<'_> {
    /// Renders the message of an order as its recipient would read it. Unsubscribe links lead to no page.
    ///
    /// # Errors
    /// A template gave no text.
    pub fn preview(&self, order: &Order<'_>) -> Result<Content, Unrendered> {
        self.context.render(order)
    }
}

/// Returns the decision about a continuation whose rule the catalog no longer has.
fn rule_gone(
    event: &Event,
    rule: &str,
    audience: Option<&Audience>,
    hashes: &KeyedHashes,
) -> Decision<'static> {
    let recipient = audience.map_or_else(|| "-".to_owned(), |audience| audience.name(hashes));
    Decision {
        key: Key::of(event, rule, &recipient, None, 0, "gone"),
        rule: None,
        recipient,
        channel: None,
        step: 0,
        verdict: Verdict::Suppress(Reason::RuleGone),
        notes: Vec::new(),
    }
}
