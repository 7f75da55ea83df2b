//! Templates of a run: template selection, and event values that the template cannot use.

use super::Note;
use super::step_runner::StepRunner;
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::decide::plan::Audience;

/// The consequence of a missing template.
const NOTHING: &str = "nothing is sent";

impl StepRunner<'_, '_> {
    /// The reason why this run has no template. Endpoints receive data and need no template.
    pub(super) fn wordless(&self) -> Option<(Reason, Note)> {
        if matches!(self.audience, Audience::Endpoint(_)) {
            return None;
        }
        let (rule, envelope) = (self.matched.rule, self.plan.envelope());
        let unusable = |problem: String| Note::Unusable { what: problem, instead: NOTHING };
        if let Err(unknown) = rule.template_for(envelope) {
            return Some((Reason::UnknownTemplate, unusable(unknown.to_string())));
        }
        let unreadable = rule.template_context(envelope).err()?;
        Some((Reason::UnreadableContext, unusable(unreadable.to_string())))
    }

    /// A note about an unusable subject, for channels that show one.
    pub(super) fn unusable_subject(&self, channel: Channel) -> Option<Note> {
        let has_title = channel.spec().has_title;
        let path = self.matched.rule.unusable_subject(self.plan.envelope()).filter(|_| has_title)?;
        let problem = format!("`{path}` of the event is no text");
        Some(Note::Unusable { what: problem, instead: "the template's own subject is used" })
    }
}
