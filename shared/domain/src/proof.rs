//! The last questions about a message, which only its words can put: may a text cost so much, and does WhatsApp take
//! free text from us now?
//!
//! [`Proof::of`] asks, [`Proof::pass`] says what the answer makes of the message. Both are pure; who answers is
//! somebody else's business, as with [`decide`](mod@crate::decide).

use jiff::{SignedDuration, Timestamp};

use crate::channel::Channel;
use crate::decide::{Answer, Ask, Decision, Note, Order};
use crate::event::Priority;
use crate::job::{Chat, Content};
use crate::key::Key;
use crate::keyed_hash::former;
use crate::money::Micros;
use crate::outcome::Reason;
use crate::plan::Plan;
use crate::texting::{self, Bill};
use crate::zone::Zone;

/// How long after somebody's last message WhatsApp takes free text for them.
///
/// Source: WhatsApp Business Platform, "Customer service windows"; semantics 4.11.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A message whose words are known, and what must be known before it may go. No `Debug`: it holds what somebody is told.
pub struct Proof {
    pub key: Key,
    pub ask: Ask,
    content: Content,
    bill: Option<Bill>,
}

/// A message that does not go.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    pub reason: Reason,
    pub note: Note,
}

impl Proof {
    /// What has to be asked about a message; the message itself, where there is nothing to ask. `zone` is where the
    /// calendar is read that a budget goes by.
    ///
    /// # Errors
    /// Nothing has to be asked.
    pub fn of(
        plan: &Plan<'_>,
        decision: &Decision<'_>,
        order: &Order<'_>,
        content: Content,
        zone: &Zone,
    ) -> Result<Proof, Box<Content>> {
        let key = decision.key.clone();
        match content {
            Content::Sms(mut text) => {
                let (policy, tenant) = (plan.catalog.policy(), plan.event.tenant.as_deref());
                let senders = &policy.texting.senders;
                text.sender = senders.name(tenant, &order.rule.category).map(str::to_owned);
                let overrides = order.rule.priority == Some(Priority::Critical);
                let bill = texting::bill(policy, order.rule, tenant, &decision.recipient, &text, overrides);
                let content = Content::Sms(text);
                let Some(bill) = bill else { return Err(Box::new(content)) };
                let wants = vec![bill.wanted.clone()];
                let ask =
                    Ask::Admit { key: key.clone(), wants, channels: vec![Channel::Sms], zone: zone.clone() };
                Ok(Proof { key, ask, content, bill: Some(bill) })
            }
            Content::Whatsapp(chat) => {
                let caller = plan.catalog.hashes().caller(&chat.to);
                let ask = Ask::Heard { caller, former: former::caller(&chat.to) };
                Ok(Proof { key, ask, content: Content::Whatsapp(chat), bill: None })
            }
            content @ (Content::Email(_)
            | Content::Push(_)
            | Content::Message(_)
            | Content::Socket(_)
            | Content::Webhook(_)
            | Content::Broadcast(_)) => Err(Box::new(content)),
        }
    }

    /// What the answer makes of the message, and what was weighed.
    ///
    /// # Errors
    /// [`Stopped`]: it must not go.
    pub fn pass(self, answer: &Answer, now: Timestamp) -> Result<(Box<Content>, Option<Note>), Box<Stopped>> {
        match (self.content, self.bill, answer) {
            (Content::Whatsapp(chat), _, answer) => windowed(chat, answer, now),
            (content, Some(bill), Answer::Admitted { refused, .. }) => match refused.first() {
                Some((_, it)) => {
                    let note = Note::Unaffordable {
                        budget: it.limit.clone(),
                        price: bill.price,
                        spent: Micros(it.n),
                        most: Micros(it.most),
                        currency: bill.currency,
                        until: it.until,
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

/// Free text while WhatsApp takes it, the approved template otherwise.
fn windowed(
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
        | Answer::Told(_)
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
