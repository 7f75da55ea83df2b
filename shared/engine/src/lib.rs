//! The decision loop: expand the audience, decide, check, render.
//!
//! 1. [`Engine::resume`] reads the task of a continuation; [`Subject::event`] is a new event.
//! 2. [`Engine::plan`] finds the matching rules and the first page of their audiences.
//! 3. [`Engine::profiles`] looks up the people and tenants of a batch of plans.
//! 4. [`Engine::evaluate`] decides, and checks the texts whose price or window a decision depends on.
//! 5. [`Evaluation::output`] renders the messages and returns jobs, outcomes, and messages for later.
//!
//! [`Engine::run`] takes one subject through steps 2 to 4, and [`Engine::forecast`] one event through all of its waits.
//! The loop reads [`Facts`] and does no other I/O. Time is an argument.

mod broadcast;
mod evaluate;
mod expand;
mod facts;
mod fixtures;
mod forecast;
mod links;
mod output;
mod sets;
mod subject;
mod warning;

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::catalog::Catalog;
use templates::Renderer;

pub use evaluate::Evaluation;
pub use expand::Planned;
pub use facts::{ClosedWindow, Facts, Members, Profiles, Tenants};
pub use fixtures::{Fixtures, run_ready, sample_endpoint};
pub use links::UnsubscribeLinks;
pub use output::{EncodedJob, Outcome, Output, OutputSettings};
pub use subject::{Lane, Part, ScheduledMessage, Subject, is_critical};
pub use warning::Warning;

/// The recipients of one message to dispatch. Further recipients follow in further messages.
pub const PAGE_SIZE: usize = 100;

/// The loop over a catalog and a source of facts.
#[derive(Clone, Copy)]
pub struct Engine<'a, F> {
    pub catalog: &'a Catalog,
    /// The renderer of the same catalog.
    pub renderer: &'a Renderer,
    pub facts: &'a F,
    /// The most recipients of a rule in one pass; [`PAGE_SIZE`] in a deployment.
    pub page_size: usize,
}

impl<'a, F: Facts> Engine<'a, F> {
    /// The engine that takes all recipients of a rule in one pass, for previews and tests.
    #[must_use]
    pub fn unpaged(catalog: &'a Catalog, renderer: &'a Renderer, facts: &'a F) -> Engine<'a, F> {
        Engine { catalog, renderer, facts, page_size: usize::MAX }
    }

    /// Looks up the profiles and settings that a batch of plans needs, in one batch.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn profiles<'p>(
        &self,
        batch: impl IntoIterator<Item = &'p Planned<'p>> + Clone,
    ) -> Result<Profiles<'a>, F::Error> {
        let mut people: BTreeSet<&str> = BTreeSet::new();
        let mut tenants: BTreeSet<&str> = BTreeSet::new();
        for planned in batch {
            people.extend(planned.plan.people());
            if !planned.plan.matches.is_empty() {
                tenants.extend(planned.plan.event.tenant.as_deref());
            }
        }
        self.facts.profiles(&people, &tenants).await
    }

    /// Takes one subject through the loop. `visit` gets the decisions.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn run<R>(
        &self,
        subject: &Subject,
        now: Timestamp,
        visit: impl FnOnce(Evaluation<'_>) -> R,
    ) -> Result<R, F::Error> {
        self.run_planned(&self.plan(subject, now).await?, now, visit).await
    }

    /// Takes a subject that has its plan through the rest of the loop, as [`Engine::run`] does.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn run_planned<R>(
        &self,
        planned: &Planned<'_>,
        now: Timestamp,
        visit: impl FnOnce(Evaluation<'_>) -> R,
    ) -> Result<R, F::Error> {
        let profiles = self.profiles([planned]).await?;
        Ok(visit(self.evaluate(planned, &profiles, now).await?))
    }
}

#[cfg(test)]
mod tests;
