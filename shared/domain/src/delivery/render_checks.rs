//! Checks of rendered messages: the spending limit for SMS, and WhatsApp's window for free text.
//!
//! [`RenderCheck::of`] determines the check, and [`RenderCheck::pass`] applies its answer to the message. Both are pure. The
//! caller obtains the answer, as with [`decide`](mod@crate::decide).

use jiff::{SignedDuration, Timestamp};

use crate::base::channel::Channel;
use crate::base::money::Micros;
use crate::base::outcome::Reason;
use crate::decide::plan::Plan;
use crate::decide::{Answer, Ask, Decision, Note, Order};
use crate::delivery::job::{Chat, Content};
use crate::delivery::sms_spend::{self, Bill};
use crate::event::Priority;
use crate::event::key::Key;
use crate::recipient::keyed_hash::former;
use crate::time::zone::Zone;

/// The time after a recipient's last message during which WhatsApp accepts free text.
///
/// Source: WhatsApp Business Platform, "Customer service windows".
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A rendered message with the check that it must pass.
pub struct RenderCheck {
    pub key: Key,
    pub ask: Ask,
    content: Content,
    bill: Option<Bill>,
}

/// A message that must not be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    pub reason: Reason,
    pub note: Note,
}

impl RenderCheck {
    /// The check for a message. `zone` determines the calendar periods of spending limits.
    ///
    /// # Errors
    /// The message itself, if it needs no check.
    pub fn of(
        plan: &Plan<'_>,
        decision: &Decision<'_>,
        order: &Order<'_>,
        content: Content,
        zone: &Zone,
    ) -> Result<RenderCheck, Box<Content>> {
        let key = decision.key.clone();
        match content {
            Content::Sms(mut text) => {
                let (policy, tenant) = (plan.catalog.policy(), plan.event.tenant.as_deref());
                let senders = &policy.texting.senders;
                text.sender = senders.name(tenant, &order.rule.category).map(str::to_owned);
                let overrides = order.rule.priority == Some(Priority::Critical);
                let bill = sms_spend::bill(policy, order.rule, tenant, &decision.recipient, &text, overrides);
                let content = Content::Sms(text);
                let Some(bill) = bill else { return Err(Box::new(content)) };
                let wants = vec![bill.wanted.clone()];
                let ask =
                    Ask::Admit { key: key.clone(), wants, channels: vec![Channel::Sms], zone: zone.clone() };
                Ok(RenderCheck { key, ask, content, bill: Some(bill) })
            }
            Content::Whatsapp(chat) => {
                let caller = plan.catalog.hashes().caller(&chat.to);
                let ask = Ask::Heard { caller, former: former::caller(&chat.to) };
                Ok(RenderCheck { key, ask, content: Content::Whatsapp(chat), bill: None })
            }
            content @ (Content::Email(_)
            | Content::Push(_)
            | Content::Message(_)
            | Content::Socket(_)
            | Content::Webhook(_)
            | Content::Broadcast(_)) => Err(Box::new(content)),
        }
    }

    /// Applies the answer to the message. Returns the content, and a note with the values that were compared.
    ///
    /// # Errors
    /// [`Stopped`] if the message must not be sent.
    pub fn pass(self, answer: &Answer, now: Timestamp) -> Result<(Box<Content>, Option<Note>), Box<Stopped>> {
        match (self.content, self.bill, answer) {
            (Content::Whatsapp(chat), _, answer) => in_window(chat, answer, now),
            (content, Some(bill), Answer::Admitted { refused, .. }) => match refused.first() {
                Some((_, refusal)) => {
                    let note = Note::Unaffordable {
                        budget: refusal.limit.clone(),
                        price: bill.price,
                        spent: Micros(refusal.n),
                        most: Micros(refusal.most),
                        currency: bill.currency,
                        until: refusal.until,
                    };
                    Err(Box::new(Stopped { reason: Reason::SpendCapped, note }))
                }
                None => {
                    let note =
                        Note::Price { price: bill.price, segments: bill.segments, currency: bill.currency };
                    Ok((Box::new(content), Some(note)))
                }
            },
            (content, _, _) => Ok((Box::new(content), None)),
        }
    }
}

/// Sends free text inside WhatsApp's window, otherwise the approved template.
fn in_window(
    chat: Chat,
    answer: &Answer,
    now: Timestamp,
) -> Result<(Box<Content>, Option<Note>), Box<Stopped>> {
    let heard = match answer {
        Answer::Heard(heard) => *heard,
        Answer::Cancelled(_)
        | Answer::Seen(_)
        | Answer::Admitted { .. }
        | Answer::Joined { .. }
        | Answer::PassThrough
        | Answer::Notified(_)
        | Answer::Closed(_) => None,
    };
    let until = heard.and_then(|heard| heard.checked_add(WINDOW).ok()).filter(|until| now < *until);
    let template = chat.template.as_ref().map(|template| template.name.clone());
    match (until, template) {
        (Some(until), _) => {
            let chat = Chat { free_until: Some(until), ..chat };
            Ok((Box::new(Content::Whatsapp(chat)), Some(Note::FreeText { until })))
        }
        (None, Some(template)) => Ok((Box::new(Content::Whatsapp(chat)), Some(Note::Approved { template }))),
        (None, None) => {
            Err(Box::new(Stopped { reason: Reason::OutsideWindow, note: Note::OutsideWindow { heard } }))
        }
    }
}

#[cfg(test)]
mod tests;
