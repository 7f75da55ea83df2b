//! Evaluation of one channel for one recipient: whether it may be used, its addresses, and the time.

use jiff::{SignedDuration, Timestamp};

use super::step_runner::StepRunner;
use super::{Note, Target};
use crate::base::channel::{AddressForm, Channel, Destination};
use crate::base::outcome::Reason;
use crate::base::sensitive::Sensitive;
use crate::catalog::rule::Outside;
use crate::decide::plan::Audience;
use crate::event::{Event, Extension, Priority};
use crate::recipient::preference::{Layers, Preferences, Question, Scope};
use crate::recipient::socket_target::SocketTarget;
use crate::recipient::unsubscribe;
use crate::recipient::{Device, EmailAddress, PhoneNumber, Recipient, SuppressedBecause};
use crate::time::quiet_hours::{Opening, Windows, spread};
use crate::time::zone::Zone;
use crate::webhook::endpoint::SkipReason;

/// The interval over which deferred notifications are spread after quiet hours, to avoid a burst at the opening.
const SPREAD: SignedDuration = SignedDuration::from_mins(10);

/// The evaluation of one channel.
pub(super) struct ChannelEvaluation {
    pub(super) channel: Channel,
    pub(super) verdict: ChannelOutcome,
    pub(super) notes: Vec<Note>,
}

/// The result for one channel.
pub(super) enum ChannelOutcome {
    /// Send to these addresses. The name of each keeps its key distinct. Addresses in `held` are deferred to their
    /// time.
    Go {
        places: Vec<(String, Target)>,
        held: Vec<(String, Timestamp)>,
    },
    No(Reason),
    /// Deferred to this time.
    Hold(Timestamp),
    /// Collected into a digest that closes at this time.
    Collect(Timestamp),
}

impl StepRunner<'_, '_> {
    /// Evaluates the channel. The first refusal counts.
    pub(super) fn judge(&self, channel: Channel, outside: Outside) -> ChannelEvaluation {
        let mut notes = Vec::new();
        if let Audience::Endpoint(_) = self.audience {
            let verdict = self.endpoint(&mut notes);
            return ChannelEvaluation { channel, verdict, notes };
        }
        let verdict = match (self.places(channel, &mut notes), self.refusal(channel, &mut notes)) {
            (Err(reason), _) | (Ok(_), Some(reason)) => ChannelOutcome::No(reason),
            (Ok(places), None) if !self.serves(&places) => {
                notes.push(Note::Country);
                ChannelOutcome::No(Reason::CountryNotAllowed)
            }
            (Ok(places), None) if self.overrides() || !channel.disturbs() => {
                ChannelOutcome::Go { places, held: Vec::new() }
            }
            (Ok(places), None) => self.quiet(places, outside, &mut notes),
        };
        ChannelEvaluation { channel, verdict, notes }
    }

    /// Whether the SMS policy allows the destination. The policy applies to critical messages too, because SMS pumping
    /// fraud uses one-time codes.
    fn serves(&self, places: &[(String, Target)]) -> bool {
        let texting = &self.plan.catalog.policy().texting;
        places.iter().all(|(_, target)| match target {
            Target::Sms(number) => texting.serves(number),
            Target::Email(_)
            | Target::Push(_)
            | Target::Whatsapp(_)
            | Target::Message { .. }
            | Target::Socket(_)
            | Target::Broadcast(_)
            | Target::Webhook { .. } => true,
        })
    }

    /// Evaluates an endpoint. Endpoints have no quiet hours and no preferences besides their pattern.
    fn endpoint(&self, notes: &mut Vec<Note>) -> ChannelOutcome {
        let Some(endpoint) = self.plan.endpoints.get(&self.recipient) else {
            return ChannelOutcome::No(Reason::UnknownRecipient);
        };
        match endpoint.skip_reason(&self.plan.document) {
            Some(SkipReason::Disabled(disabled)) => {
                notes.push(Note::Disabled { why: disabled.why.meaning(), at: disabled.at });
                ChannelOutcome::No(Reason::EndpointDisabled)
            }
            Some(SkipReason::Unverified(_)) => ChannelOutcome::No(Reason::EndpointUnverified),
            Some(SkipReason::Pattern) => ChannelOutcome::No(Reason::EndpointPattern),
            None if self.matched.rule.exposed_in(endpoint.version.as_deref()).is_none() => {
                ChannelOutcome::No(Reason::EndpointVersion)
            }
            None => {
                let target = Target::Webhook { to: endpoint.id.clone(), version: endpoint.version.clone() };
                ChannelOutcome::Go { places: vec![(String::new(), target)], held: Vec::new() }
            }
        }
    }

    /// The first refusal by suppression or preferences.
    fn refusal(&self, channel: Channel, notes: &mut Vec<Note>) -> Option<Reason> {
        let closed = self
            .person
            .and_then(|person| person.suppression(channel, self.facts.now, self.plan.catalog.hashes()));
        if let Some(closed) = closed.or(self.closed.as_ref()) {
            notes.push(Note::Closed { why: closed.why.meaning(), until: closed.until });
            return Some(match closed.why {
                SuppressedBecause::OptedOut => Reason::OptedOut,
                SuppressedBecause::Bounced | SuppressedBecause::Complained => Reason::SuppressedAddress,
            });
        }
        if let Some(person) = self.person {
            if self.overrides() {
                notes.push(Note::Critical);
            } else if !self.is_wanted(person, channel, notes) {
                return Some(Reason::Preference);
            }
        }
        None
    }

    fn is_wanted(&self, person: &Recipient, channel: Channel, notes: &mut Vec<Note>) -> bool {
        let rule = self.matched.rule;
        let layers = self.layers(person);
        let sets = [layers.environment, layers.tenant, layers.recipient, layers.recipient_in_tenant];
        if person.unsubscribed.is_empty() && sets.into_iter().flatten().all(Preferences::is_empty) {
            return true;
        }
        let vote = layers.vote(&Question {
            rule: &rule.name,
            categories: &[&rule.category],
            channel: channel.name(),
            channel_id: None,
            commercial: rule.commercial,
            critical: false,
            has_tenant: self.plan.event.tenant.is_some(),
            document: &self.plan.document,
        });
        let named = [layers.recipient, layers.recipient_in_tenant].into_iter().flatten();
        if named.into_iter().any(Preferences::names_unknown_channel) {
            let problem = "the recipient's preferences name an unknown channel".to_owned();
            notes.push(Note::Unusable { what: problem, instead: "that entry is ignored" });
        }
        let others = vote.votes.into_iter().filter(|other| *other != vote.because);
        notes.extend(others.map(Note::Preference));
        if vote.because.scope != Scope::Default {
            notes.push(Note::Preference(vote.because));
        }
        vote.allowed
    }

    /// The preference layers that apply to this person.
    fn layers<'p>(&'p self, person: &'p Recipient) -> Layers<'p> {
        let tenant = self.plan.event.tenant.as_deref();
        let in_tenant = tenant.and_then(|tenant| person.in_tenants.get(tenant));
        Layers {
            environment: self.plan.catalog.policy().preferences.as_ref(),
            tenant: self.facts.tenant.and_then(|tenant| tenant.preferences.as_ref()),
            recipient: person.preferences.as_ref(),
            recipient_in_tenant: in_tenant.and_then(|in_tenant| in_tenant.preferences.as_ref()),
            unsubscribed: Some(&person.unsubscribed),
        }
    }

    /// The unsubscribe scope of an e-mail.
    pub(super) fn way_out(&self, target: &Target) -> Option<unsubscribe::Scope> {
        let Target::Email(_) = target else { return None };
        let (layers, policy) = (self.layers(self.person?), self.plan.catalog.policy());
        let has_tenant = self.plan.event.tenant.is_some();
        self.matched.rule.unsubscribe_scope(&layers, &policy.email.unsubscribe, has_tenant)
    }

    /// Applies quiet hours to each address. Each device has its own time zone.
    fn quiet(
        &self,
        places: Vec<(String, Target)>,
        outside: Outside,
        notes: &mut Vec<Note>,
    ) -> ChannelOutcome {
        let Some((windows, whose)) = self.windows() else {
            return ChannelOutcome::Go { places, held: Vec::new() };
        };
        let mut open = Vec::new();
        let mut closed: Vec<(String, Option<(Timestamp, Timestamp)>)> = Vec::new();
        for (name, target) in places {
            let (zone, from) = self.zone(device(&target), notes);
            let opens = match windows.opening(&zone, self.facts.now) {
                Opening::Open => {
                    open.push((name, target));
                    continue;
                }
                Opening::At(opens) => Some((self.spread_out(windows, &zone, opens), opens)),
                Opening::Never => None,
            };
            notes.push(Note::Zone { name: zone.name().to_owned(), from });
            closed.push((name, opens));
        }
        let first = closed.iter().filter_map(|(_, opening)| *opening).min();
        if !closed.is_empty() {
            // A digest closes exactly at the opening.
            let until = first.map(|(until, opens)| if outside == Outside::Digest { opens } else { until });
            notes.push(Note::QuietHours { whose, until, opens: first.map(|(_, opens)| opens) });
        }
        let expires = self.expires_at();
        let is_in_time = |until: Timestamp| expires.is_none_or(|expires| until <= expires);
        if !open.is_empty() {
            let later = closed.into_iter().filter_map(|(name, opening)| Some((name, opening?.0)));
            let later = later.filter(|(_, until)| outside != Outside::Drop && is_in_time(*until));
            return ChannelOutcome::Go { places: open, held: later.collect() };
        }
        match (first, outside) {
            (None, _) => ChannelOutcome::No(Reason::QuietHours),
            (Some((until, _)), _) if !is_in_time(until) => ChannelOutcome::No(Reason::ExpiredInQuietHours),
            (Some(_), Outside::Drop) => ChannelOutcome::No(Reason::QuietHours),
            (Some((until, _)), Outside::Defer) => ChannelOutcome::Hold(until),
            // A digest has one closing time for everything that joins, so it closes exactly at the opening.
            (Some((_, opens)), Outside::Digest) => ChannelOutcome::Collect(opens),
        }
    }

    /// A recipient-specific time shortly after the opening, and well before the next closing.
    fn spread_out(&self, windows: &Windows, zone: &Zone, opens: Timestamp) -> Timestamp {
        let closes = windows.closing(zone, opens);
        let most = closes.map_or(SPREAD, |closes| SPREAD.min(closes.duration_since(opens) / 2));
        // The same for all steps and channels, so notifications deferred together arrive together.
        let seed = self.key(None, 0, "spread");
        opens.saturating_add(spread(seed.as_str(), most)).unwrap_or(opens)
    }

    /// The quiet hours that apply, with their name: the most specific ones that are set.
    pub(super) fn windows(&self) -> Option<(&Windows, &'static str)> {
        let tenant = self.plan.event.tenant.as_deref();
        let in_tenant = self.person.zip(tenant).and_then(|(person, tenant)| person.in_tenants.get(tenant));
        let candidates = [
            (in_tenant.and_then(|in_tenant| in_tenant.quiet.as_ref()), "the recipient's (in this tenant)"),
            (self.person.and_then(|person| person.quiet.as_ref()), "the recipient's"),
            (self.facts.tenant.and_then(|tenant| tenant.quiet.as_ref()), "the tenant's"),
            (self.plan.catalog.policy().quiet.as_ref(), "the policy's"),
        ];
        candidates.into_iter().find_map(|(windows, whose)| Some((windows?, whose)))
    }

    /// The recipient's time zone and its source. An unknown zone name is skipped.
    pub(super) fn zone(&self, device: Option<&Device>, notes: &mut Vec<Note>) -> (Zone, &'static str) {
        let tenant = self.plan.event.tenant.as_deref();
        let in_tenant = self.person.zip(tenant).and_then(|(person, tenant)| person.in_tenants.get(tenant));
        let candidates = [
            (device.and_then(|device| device.zone.as_deref()), "the device"),
            (event_zone(self.plan.event), "the event"),
            (in_tenant.and_then(|in_tenant| in_tenant.zone.as_deref()), "the recipient in this tenant"),
            (self.person.and_then(|person| person.zone.as_deref()), "the recipient"),
            (self.facts.tenant.and_then(|tenant| tenant.zone.as_deref()), "the tenant"),
        ];
        for (name, from) in candidates {
            let Some(name) = name else { continue };
            match Zone::parse(name) {
                Ok(zone) => return (zone, from),
                Err(error) => {
                    notes.push(Note::Unusable { what: error.to_string(), instead: "the next zone counts" });
                }
            }
        }
        (self.plan.catalog.policy().zone.clone(), "the policy")
    }

    /// The recipient's addresses on the channel: one, or one for each device.
    fn places(&self, channel: Channel, notes: &mut Vec<Note>) -> Result<Vec<(String, Target)>, Reason> {
        let one = |target| Ok(vec![(String::new(), target)]);
        match (self.audience, self.person) {
            (Audience::Room(room), _) => one(Target::Socket(SocketTarget::Room(room.clone()))),
            (Audience::Address { address, .. }, _) => one(written(channel, address.as_deref(), notes)?),
            (Audience::User(_) | Audience::Member(_) | Audience::Endpoint(_), None) => {
                Err(Reason::UnknownRecipient)
            }
            (Audience::Endpoint(_), Some(_)) => Err(Reason::NoAddress),
            (Audience::User(_) | Audience::Member(_), Some(person)) => match &channel.spec().destination {
                Destination::Devices => self.devices(person),
                Destination::Address(_) => {
                    one(written(channel, person.address(channel).ok_or(Reason::NoAddress)?, notes)?)
                }
                Destination::Sockets => one(Target::Socket(SocketTarget::User(person.id.clone()))),
                Destination::Endpoints => Err(Reason::NoAddress),
            },
        }
    }

    /// The devices of this run. Devices that another tenant registered are excluded.
    fn devices(&self, person: &Recipient) -> Result<Vec<(String, Target)>, Reason> {
        let only = self.matched.start.device.as_deref();
        let tenant = self.plan.event.tenant.as_deref();
        let devices = person.devices.iter().filter(|device| device.serves(person, tenant));
        // The job does not need the device's tenant, and the last release cannot read it.
        let devices =
            devices.map(|device| (device.place(), Target::Push(Device { tenant: None, ..device.clone() })));
        let devices: Vec<_> = devices.filter(|(name, _)| only.is_none_or(|only| only == name)).collect();
        if devices.is_empty() { Err(Reason::NoAddress) } else { Ok(devices) }
    }

    pub(super) fn overrides(&self) -> bool {
        self.matched.rule.priority == Some(Priority::Critical)
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.expires
    }
}

/// The device if the target is one.
fn device(target: &Target) -> Option<&Device> {
    match target {
        Target::Push(device) => Some(device),
        Target::Email(_)
        | Target::Sms(_)
        | Target::Whatsapp(_)
        | Target::Message { .. }
        | Target::Socket(_)
        | Target::Broadcast(_)
        | Target::Webhook { .. } => None,
    }
}

/// Parses an address. A note reports an invalid address without quoting it.
fn written(channel: Channel, address: Sensitive<&str>, notes: &mut Vec<Note>) -> Result<Target, Reason> {
    let mut refuse = |problem: String| {
        notes.push(Note::Unusable { what: problem, instead: "nothing is sent there" });
        Reason::InvalidAddress
    };
    let Some(spec) = channel.address() else { return Err(Reason::NoAddress) };
    let address = *address.expose();
    match spec.form {
        AddressForm::Email => EmailAddress::parse(address)
            .map(Target::Email)
            .map_err(|refused| refuse(format!("the e-mail address cannot be used: {}", refused.why()))),
        AddressForm::Phone => PhoneNumber::parse(address)
            .map(if channel == Channel::Whatsapp { Target::Whatsapp } else { Target::Sms })
            .map_err(|refused| refuse(format!("the number cannot be used: {}", refused.why()))),
        AddressForm::Id(parse) => parse(address)
            .map(|to| Target::Message { channel, to: to.into() })
            .map_err(|why| refuse(format!("the {} cannot be used: {why}", spec.noun))),
    }
}

/// The extension `zone` of an event: the time zone of the event's place.
fn event_zone(event: &Event) -> Option<&str> {
    match event.extensions.get("zone")? {
        Extension::Text(text) => Some(text),
        Extension::Bool(_) | Extension::Integer(_) => None,
    }
}
