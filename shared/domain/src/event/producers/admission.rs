//! The check that an event's producer has the right to publish it.

use super::{
    DIGEST_SOURCE, Event, Found, Identity, Producer, Producers, REPLAY_SOURCE, Refusal, RefusalClass,
    Tenants, covers, is_api_source, is_own_program, is_people_type, is_reserved_source, is_reserved_type,
    is_source_of_tenant, own_types,
};

impl Producers {
    /// Admits an event from the bus, and completes it by the policy. The tenant is taken from the payload if the
    /// envelope names none ([`Producer::tenant`]). The type is the one behind the event's name.
    ///
    /// # Errors
    /// As for [`Producers::admit`]. Also if the payload names several tenants, or a value that is not a tenant's
    /// name.
    pub fn receive(&self, identity: Identity<'_>, event: Event) -> Result<Event, Refusal> {
        self.check_names(identity, self.entry(identity.source), &event)?;
        let event = self.with_tenant(identity.source, event)?;
        self.admit(identity, &event)?;
        Ok(self.aliases.apply(event))
    }

    /// Completes an event as [`Producers::receive`] does, without a check of rights. Used for recorded events and for
    /// events of decision tests. An invalid tenant is left out.
    #[must_use]
    pub fn completed(&self, event: Event) -> Event {
        let source = event.source.clone();
        let with_tenant = self.with_tenant(&source, event.clone()).unwrap_or(event);
        self.aliases.apply(with_tenant)
    }

    /// Adds the tenant that the payload names, if the policy has a path for the source and the envelope names no
    /// tenant. Carillon's own programs and the HTTP API's tenants name it in the envelope.
    fn with_tenant(&self, source: &str, event: Event) -> Result<Event, Refusal> {
        if event.tenant.is_some() || is_own_program(source) || source.starts_with("/tenants/") {
            return Ok(event);
        }
        let Some(path) = self.entry(source).and_then(|entry| entry.tenant.as_ref()) else { return Ok(event) };
        let mut names = path.find_names(&event.document()["detail"]);
        names.dedup();
        if names.len() > 1 {
            let wanted = "one tenant at the path that policy.yaml gives for the source";
            return Err(not_allowed("tenant", "several tenants in the payload", wanted));
        }
        let Some(tenant) = names.pop() else { return Ok(event) };
        crate::event::check_tenant(&tenant)?;
        Ok(Event { tenant: Some(tenant), ..event })
    }

    /// Checks that the producer may publish the event. The types of an entry are compared after aliases are applied.
    ///
    /// # Errors
    /// [`Refusal`] of the class [`RefusalClass::IdentityMismatch`] if the envelope names another source or type than
    /// the bus. [`Refusal`] of the class [`RefusalClass::ProducerNotAllowed`] if the source lacks the right.
    pub fn admit(&self, identity: Identity<'_>, event: &Event) -> Result<(), Refusal> {
        let entry = self.entry(identity.source);
        if identity.source == DIGEST_SOURCE {
            let wanted = "a source of the producer's own; no digest is published on the bus";
            return Err(not_allowed("source", Found::text(identity.source), wanted));
        }
        self.check_names(identity, entry, event)?;
        let kind = self.aliases.kind_of(&event.kind);
        if is_own_program(identity.source) {
            return check_own(identity.source, event);
        }
        if is_api_source(identity.source) {
            return check_api(identity.source, entry, event, kind);
        }
        if event.auth_id.is_some() {
            return Err(not_allowed("authid", "an authenticated user", "nothing: only the HTTP API sets it"));
        }
        let Some(entry) = entry else {
            if !self.is_absent() {
                let wanted = "a source that policy.yaml lists under `producers`";
                return Err(not_allowed("source", Found::text(identity.source), wanted));
            }
            return check_type(&Producer { tenants: Tenants::All, ..Producer::default() }, kind);
        };
        check_type(entry, kind)?;
        check_tenant(entry, event.tenant.as_deref())
    }

    /// Checks that the envelope names the source and type of the bus. An entry may map the names of older envelopes.
    /// A replay keeps the recorded source.
    fn check_names(
        &self,
        identity: Identity<'_>,
        entry: Option<&Producer>,
        event: &Event,
    ) -> Result<(), Refusal> {
        let Identity { source, detail_type, is_older_envelope } = identity;
        let is_mapped = |names: fn(&Producer) -> &std::collections::BTreeSet<String>, name: &str| {
            is_older_envelope && entry.is_some_and(|entry| names(entry).contains(name))
        };
        let is_kind_known = event.kind == detail_type || is_mapped(|entry| &entry.envelopes, detail_type);
        let is_replay = !is_older_envelope && self.may_replay(source) && event.replay_id().is_some();
        let is_mapped_source =
            is_mapped(|entry| &entry.speaks_as, &event.source) && !is_reserved_source(&event.source);
        if is_kind_known && (event.source == source || is_replay || is_mapped_source) {
            return Ok(());
        }
        // The record of the refusal keeps both pairs of names. The refusal itself quotes neither.
        let (attribute, found, wanted) = match is_kind_known {
            true => ("source", "another source than the bus has", "the Source of the EventBridge event"),
            false => ("type", "another type than the bus has", "the DetailType of the EventBridge event"),
        };
        Err(Refusal::new(attribute, found, wanted).of(RefusalClass::IdentityMismatch))
    }
}

/// Checks an event of a Carillon function or an operator. Each source has its types, and a replay names itself.
fn check_own(source: &str, event: &Event) -> Result<(), Refusal> {
    if source == REPLAY_SOURCE && event.replay_id().is_none() {
        return Err(not_allowed("replayid", "nothing", "the name of the replay"));
    }
    match own_types(source).iter().any(|pattern| covers(pattern, &event.kind)) {
        true => Ok(()),
        false => Err(not_allowed("type", Found::text(&event.kind), "a type that this function publishes")),
    }
}

/// Checks an event of the HTTP API. A tenant's source speaks for that tenant only, and may not use reserved types.
fn check_api(source: &str, entry: Option<&Producer>, event: &Event, kind: &str) -> Result<(), Refusal> {
    let any = Producer::default();
    // Sources of the HTTP API never get the right to change recipients, because tokens could use it.
    let entry = Producer { people: false, ..entry.unwrap_or(&any).clone() };
    check_type(&entry, kind)?;
    if !source.starts_with("/tenants/") {
        return Ok(());
    }
    match &event.tenant {
        Some(tenant) if is_source_of_tenant(source, tenant) => Ok(()),
        Some(_) => Err(not_allowed("tenant", "another tenant", "the tenant that the source names")),
        None => Err(not_allowed("tenant", "nothing", "the tenant that the source names")),
    }
}

fn check_type(entry: &Producer, kind: &str) -> Result<(), Refusal> {
    if is_reserved_type(kind) {
        if entry.people && is_people_type(kind) {
            return Ok(());
        }
        let wanted = "a type that is not reserved for Carillon's own events";
        return Err(not_allowed("type", Found::text(kind), wanted));
    }
    match entry.may_use(kind) {
        true => Ok(()),
        false => Err(not_allowed("type", Found::text(kind), "a type that policy.yaml lists for the source")),
    }
}

fn check_tenant(entry: &Producer, tenant: Option<&str>) -> Result<(), Refusal> {
    if entry.tenants.covers(tenant) {
        return Ok(());
    }
    let found = if tenant.is_some() { "a tenant that the source may not speak for" } else { "nothing" };
    Err(not_allowed("tenant", found, "a tenant that policy.yaml lists for the source"))
}

fn not_allowed(attribute: &'static str, found: impl Into<Found>, wanted: &'static str) -> Refusal {
    Refusal::new(attribute, found, wanted).of(RefusalClass::ProducerNotAllowed)
}
