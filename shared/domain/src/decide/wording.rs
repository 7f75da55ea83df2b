//! The words of a run: whether the event leads to a template, and values of the event that the words cannot use.

use super::Note;
use super::walk::Walk;
use crate::channel::Channel;
use crate::outcome::Reason;
use crate::plan::Audience;

/// What becomes of a message without words.
const NOTHING: &str = "nothing is sent";

impl Walk<'_, '_> {
    /// Why there are no words for this run. Endpoints get data and need no words.
    pub(super) fn wordless(&self) -> Option<(Reason, Note)> {
        if matches!(self.audience, Audience::Endpoint(_)) {
            return None;
        }
        let (rule, envelope) = (self.matched.rule, self.plan.envelope());
        let unusable = |what: String| Note::Unusable { what, instead: NOTHING };
        if let Err(unknown) = rule.template_for(envelope) {
            return Some((Reason::UnknownTemplate, unusable(unknown.to_string())));
        }
        let unreadable = rule.template_context(envelope).err()?;
        Some((Reason::UnreadableContext, unusable(unreadable.to_string())))
    }

    /// Says that the event's subject cannot be used, where the channel shows one.
    pub(super) fn unusable_subject(&self, channel: Channel) -> Option<Note> {
        let has_title = channel.spec().has_title;
        let path = self.matched.rule.unusable_subject(self.plan.envelope()).filter(|_| has_title)?;
        let what = format!("`{path}` of the event is no text");
        Some(Note::Unusable { what, instead: "the template's own subject is used" })
    }
}
