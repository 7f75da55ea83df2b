//! One channel of one recipient: may it be used, where does it lead, and when.

use jiff::{SignedDuration, Timestamp};

use super::walk::Walk;
use super::{Note, Target};
use crate::channel::Channel;
use crate::event::{Event, Extension, Priority};
use crate::job::SocketTarget;
use crate::outcome::Reason;
use crate::plan::{Audience, Plan};
use crate::preference::{Layers, Preferences, Question, Scope};
use crate::recipient::{Device, EmailAddress, PhoneNumber, Recipient, SuppressedBecause};
use crate::rule::{Outside, Rule};
use crate::window::{Opening, Windows, spread};
use crate::zone::Zone;

/// Openings are spread over this, so that not everybody's phone rings at eight.
const SPREAD: SignedDuration = SignedDuration::from_mins(10);

/// What was found out about one channel.
pub(super) struct Judged {
    pub(super) channel: Channel,
    pub(super) verdict: Channelled,
    pub(super) notes: Vec<Note>,
}

/// What may happen on it.
pub(super) enum Channelled {
    /// It may go there, each place by a name that keeps its key apart.
    Go(Vec<(String, Target)>),
    No(Reason),
    /// Not before this.
    Hold(Timestamp),
    /// It is told with all others at this instant.
    Collect(Timestamp),
}

impl Walk<'_, '_> {
    /// The questions in the order in which they are asked; the first no stands.
    pub(super) fn judge(&self, channel: Channel) -> Judged {
        let mut notes = Vec::new();
        let verdict = match self.places(channel) {
            Err(reason) => Channelled::No(reason),
            Ok(places) => match self.hindrance(channel, &places, &mut notes) {
                Some(hindered) => hindered,
                None => Channelled::Go(places),
            },
        };
        Judged { channel, verdict, notes }
    }

    fn hindrance(
        &self,
        channel: Channel,
        places: &[(String, Target)],
        notes: &mut Vec<Note>,
    ) -> Option<Channelled> {
        if let Some(person) = self.person {
            if let Some(closed) = person.suppression(channel, self.facts.now) {
                notes.push(Note::Closed { why: closed.why.meaning(), until: closed.until });
                return Some(Channelled::No(match closed.why {
                    SuppressedBecause::OptedOut => Reason::OptedOut,
                    SuppressedBecause::Bounced | SuppressedBecause::Complained => Reason::SuppressedAddress,
                }));
            }
            if self.overrides() {
                notes.push(Note::Critical);
            } else if !self.is_wanted(person, channel, notes) {
                return Some(Channelled::No(Reason::Preference));
            }
        }
        if self.overrides() || !channel.disturbs() {
            return None;
        }
        self.quiet(channel, places, notes)
    }

    fn is_wanted(&self, person: &Recipient, channel: Channel, notes: &mut Vec<Note>) -> bool {
        let rule = self.matched.rule;
        let tenant = self.plan.event.tenant.as_deref();
        let in_tenant = tenant.and_then(|it| person.in_tenants.get(it));
        let layers = Layers {
            environment: self.plan.catalog.policy().preferences.as_ref(),
            tenant: self.facts.tenant.and_then(|it| it.preferences.as_ref()),
            recipient: person.preferences.as_ref(),
            recipient_in_tenant: in_tenant.and_then(|it| it.preferences.as_ref()),
        };
        if [layers.environment, layers.tenant, layers.recipient, layers.recipient_in_tenant]
            .into_iter()
            .flatten()
            .all(Preferences::is_empty)
        {
            return true;
        }
        let vote = layers.vote(&Question {
            rule: &rule.name,
            categories: &[&rule.category],
            channel: channel.name(),
            channel_id: None,
            commercial: rule.commercial,
            critical: false,
            has_tenant: tenant.is_some(),
            document: &self.plan.document,
        });
        let others = vote.votes.into_iter().filter(|it| *it != vote.because);
        notes.extend(others.map(Note::Preference));
        if vote.because.scope != Scope::Default {
            notes.push(Note::Preference(vote.because));
        }
        vote.allowed
    }

    fn quiet(
        &self,
        channel: Channel,
        places: &[(String, Target)],
        notes: &mut Vec<Note>,
    ) -> Option<Channelled> {
        let (windows, whose) = self.windows()?;
        let device = places.iter().find_map(|(_, it)| match it {
            Target::Push(device) => Some(device),
            Target::Email(_) | Target::Sms(_) | Target::Whatsapp(_) | Target::Socket(_) => None,
        });
        let (zone, from) = self.zone(device, notes);
        let opening = windows.opening(&zone, self.facts.now);
        if opening == Opening::Open {
            return None;
        }
        notes.push(Note::Zone { name: zone.name().to_owned(), from });
        let Opening::At(opens) = opening else {
            notes.push(Note::QuietHours { whose, until: None });
            return Some(Channelled::No(Reason::QuietHours));
        };
        let seed = self.key(Some(channel), self.matched.start.step, "spread");
        let until = opens.saturating_add(spread(seed.as_str(), SPREAD)).unwrap_or(opens);
        notes.push(Note::QuietHours { whose, until: Some(until) });
        if self.expires_at().is_some_and(|it| it < until) {
            return Some(Channelled::No(Reason::ExpiredInQuietHours));
        }
        Some(match self.matched.rule.outside {
            Outside::Defer => Channelled::Hold(until),
            Outside::Drop => Channelled::No(Reason::QuietHours),
            // The digest is of one address: it closes at the opening itself, the same for everything that joins.
            Outside::Digest => Channelled::Collect(opens),
        })
    }

    /// Whose windows count, and what they are called: the closest who said anything.
    fn windows(&self) -> Option<(&Windows, &'static str)> {
        let tenant = self.plan.event.tenant.as_deref();
        let in_tenant = self.person.zip(tenant).and_then(|(person, it)| person.in_tenants.get(it));
        let candidates = [
            (in_tenant.and_then(|it| it.quiet.as_ref()), "the recipient's (in this tenant)"),
            (self.person.and_then(|it| it.quiet.as_ref()), "the recipient's"),
            (self.facts.tenant.and_then(|it| it.quiet.as_ref()), "the tenant's"),
            (self.plan.catalog.policy().quiet.as_ref(), "everybody's"),
        ];
        candidates.into_iter().find_map(|(windows, whose)| Some((windows?, whose)))
    }

    /// The zone the recipient is in, and who says so. A zone that nobody knows counts as none.
    pub(super) fn zone(&self, device: Option<&Device>, notes: &mut Vec<Note>) -> (Zone, &'static str) {
        let tenant = self.plan.event.tenant.as_deref();
        let in_tenant = self.person.zip(tenant).and_then(|(person, it)| person.in_tenants.get(it));
        let candidates = [
            (device.and_then(|it| it.zone.as_deref()), "the device"),
            (event_zone(self.plan.event), "the event"),
            (in_tenant.and_then(|it| it.zone.as_deref()), "the recipient in this tenant"),
            (self.person.and_then(|it| it.zone.as_deref()), "the recipient"),
            (self.facts.tenant.and_then(|it| it.zone.as_deref()), "the tenant"),
        ];
        for (name, from) in candidates {
            let Some(name) = name else { continue };
            match Zone::parse(name) {
                Ok(zone) => return (zone, from),
                Err(error) => {
                    notes.push(Note::Unusable { what: error.to_string(), instead: "the next zone counts" })
                }
            }
        }
        (self.plan.catalog.policy().zone.clone(), "the policy")
    }

    /// Where the channel leads for this recipient: one place, or a device each.
    fn places(&self, channel: Channel) -> Result<Vec<(String, Target)>, Reason> {
        let one = |target| Ok(vec![(String::new(), target)]);
        match (self.audience, self.person) {
            (Audience::Room(room), _) => one(Target::Socket(SocketTarget::Room(room.clone()))),
            (Audience::Address { address, .. }, _) => one(written(channel, address)?),
            (Audience::User(_) | Audience::Member(_), None) => Err(Reason::UnknownRecipient),
            (Audience::User(_) | Audience::Member(_), Some(person)) => match channel {
                Channel::Push if person.devices.is_empty() => Err(Reason::NoAddress),
                Channel::Push => {
                    let devices = person.devices.iter();
                    Ok(devices.map(|it| (format!("device {}", it.id), Target::Push(it.clone()))).collect())
                }
                Channel::Email => one(written(channel, person.email.as_deref().ok_or(Reason::NoAddress)?)?),
                Channel::Sms => one(written(channel, person.phone.as_deref().ok_or(Reason::NoAddress)?)?),
                Channel::Whatsapp => {
                    one(written(channel, person.whatsapp.as_deref().ok_or(Reason::NoAddress)?)?)
                }
                Channel::Socket => one(Target::Socket(SocketTarget::User(person.id.clone()))),
            },
        }
    }

    pub(super) fn overrides(&self) -> bool {
        self.matched.rule.priority == Some(Priority::Critical)
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        expiry(self.plan, self.matched.rule)
    }
}

/// An address as somebody wrote it.
fn written(channel: Channel, address: &str) -> Result<Target, Reason> {
    let phone = || PhoneNumber::parse(address).map_err(|_| Reason::InvalidAddress);
    match channel {
        Channel::Email => EmailAddress::parse(address).map(Target::Email).map_err(|_| Reason::InvalidAddress),
        Channel::Sms => phone().map(Target::Sms),
        Channel::Whatsapp => phone().map(Target::Whatsapp),
        Channel::Push | Channel::Socket => Err(Reason::NoAddress),
    }
}

/// The extension `zone` of an event: where what it is about takes place.
fn event_zone(event: &Event) -> Option<&str> {
    match event.extensions.get("zone")? {
        Extension::Text(it) => Some(it),
        Extension::Bool(_) | Extension::Integer(_) => None,
    }
}

/// The earlier of what the event and the rule say.
fn expiry(plan: &Plan<'_>, rule: &Rule) -> Option<Timestamp> {
    let by_rule = rule.expires.and_then(|it| plan.event.time.checked_add(it).ok());
    match (plan.event.expiry_time, by_rule) {
        (Some(event), Some(rule)) => Some(event.min(rule)),
        (one, other) => one.or(other),
    }
}
