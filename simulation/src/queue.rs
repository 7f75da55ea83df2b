//! A queue: at-least-once delivery in any order, with a dead-letter queue after too many receives.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use domain::Timestamp;
use runtime::Message;
use serde_json::json;
use tokio::sync::Notify;

use crate::clock::{now, until};
use crate::world::World;

/// Visibility timeout as in the template: six times the functions' timeout.
pub(crate) const VISIBILITY: Duration = Duration::from_secs(180);

/// Maximum receives, as in the template.
const MAX_RECEIVES: u32 = 10;

/// Largest number of messages per receive call.
const PER_CALL: usize = 10;

#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    pub(crate) body: Rc<str>,
    tenant: Option<String>,
    sent_at: Timestamp,
    visible_at: Timestamp,
    receives: u32,
}

pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) messages: RefCell<Vec<Waiting>>,
    /// The dead-letter queue.
    pub(crate) dead: RefCell<Vec<Rc<str>>>,
    news: Notify,
}

impl Line {
    pub(crate) fn new(name: &'static str) -> Rc<Line> {
        let (messages, dead) = (RefCell::default(), RefCell::default());
        Rc::new(Line { name, messages, dead, news: Notify::new() })
    }

    pub(crate) fn push(&self, world: &World, body: &str, tenant: Option<String>, delay: Duration) {
        let now = now();
        self.messages.borrow_mut().push(Waiting {
            id: world.new_id(),
            body: body.into(),
            tenant,
            sent_at: now,
            visible_at: now.saturating_add(delay).unwrap_or(Timestamp::MAX),
            receives: 0,
        });
        self.news.notify_one();
    }

    /// Waits for messages and returns a batch.
    pub(crate) async fn receive(&self, world: &World) -> Vec<Message> {
        loop {
            let found = self.take(world);
            if !found.is_empty() {
                return found;
            }
            let next = self.messages.borrow().iter().map(|message| message.visible_at).min();
            match next {
                Some(at) => {
                    let _ = tokio::time::timeout(
                        Duration::try_from(at.duration_since(now())).unwrap_or_default()
                            + Duration::from_millis(1),
                        self.news.notified(),
                    )
                    .await;
                }
                None => self.news.notified().await,
            }
        }
    }

    fn take(&self, world: &World) -> Vec<Message> {
        let now = now();
        let mut messages = self.messages.borrow_mut();
        messages.retain(|message| {
            let is_over = message.visible_at <= now && message.receives >= MAX_RECEIVES;
            if is_over {
                world.tell(|| format!("{} #{} is a dead letter", self.name, message.id));
                self.dead.borrow_mut().push(Rc::clone(&message.body));
            }
            !is_over
        });
        let mut visible: Vec<usize> =
            (0..messages.len()).filter(|index| messages[*index].visible_at <= now).collect();
        let mut chance = world.chance.borrow_mut();
        let mut taken = Vec::new();
        let most = usize::try_from(chance.between(1, PER_CALL as u64 + 1)).unwrap_or(1);
        while taken.len() < most && !visible.is_empty() {
            let at = usize::try_from(chance.below(visible.len() as u64)).unwrap_or(0);
            let message = &mut messages[visible.swap_remove(at)];
            message.receives += 1;
            let hidden = if chance.hits(world.faults().twice) {
                Duration::from_millis(chance.below(3_000))
            } else {
                VISIBILITY
            };
            message.visible_at = now.saturating_add(hidden).unwrap_or(Timestamp::MAX);
            taken.push(self.message(message));
        }
        taken
    }

    fn message(&self, waiting: &Waiting) -> Message {
        let mut attributes = json!({
            "ApproximateReceiveCount": waiting.receives.to_string(),
            "SentTimestamp": waiting.sent_at.as_millisecond().to_string(),
        });
        if let Some(tenant) = &waiting.tenant {
            attributes["MessageGroupId"] = tenant.as_str().into();
        }
        serde_json::from_value(json!({
            "messageId": format!("m-{}", waiting.id), "receiptHandle": waiting.id.to_string(), "body": &*waiting.body,
            "attributes": attributes, "eventSourceARN": format!("arn:aws:sqs:eu-central-1:1:{}", self.name),
        }))
        .expect("it is written as Lambda writes it")
    }

    pub(crate) fn delete(&self, message: &Message) {
        let id: u64 = message.receipt_handle.parse().unwrap_or(0);
        self.messages.borrow_mut().retain(|message| message.id != id);
    }

    pub(crate) fn show_after(&self, receipt: &str, pause: Duration) {
        let id: u64 = receipt.parse().unwrap_or(0);
        let at = now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.messages
            .borrow_mut()
            .iter_mut()
            .filter(|message| message.id == id)
            .for_each(|message| message.visible_at = at);
        self.news.notify_one();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.borrow().is_empty()
    }
}

/// Action of a schedule at its time.
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) line: Rc<Line>,
    pub(crate) body: String,
}

/// Fires a schedule once, sometimes twice, and deletes it.
pub(crate) async fn fire(world: Rc<World>, name: String) {
    let Some(at) = world.schedules.borrow().get(&name).map(|schedule| schedule.at) else { return };
    until(at).await;
    let twice = world.chance.borrow_mut().hits(world.faults().twice);
    let Some(due) = world.schedules.borrow_mut().remove(&name) else { return };
    for _ in 0..=usize::from(twice) {
        due.line.push(&world, &due.body, None, Duration::ZERO);
    }
}
