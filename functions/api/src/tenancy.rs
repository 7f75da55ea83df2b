//! Permissions: one function, [`authorize`], decides for every operation of the API.
//!
//! A person can belong to several tenants. A person of a single tenant is managed by that tenant. Of a
//! person with several tenants, each tenant sees and changes only its own part. The shared part is for
//! the person and for programs of the account. For a tenant, a person without tenants or of other
//! tenants only does not exist, and is answered like an unknown id.
//!
//! Routes check twice. Before the look-up, the router checks whether the caller may use the operation at
//! all. After the look-up, the route checks the [`Relation`] of the object. [`change`] defines the
//! members that a grant allows to write, [`view`] those it shows.

use domain::recipient::Recipient;

use crate::caller::{Caller, Scope};
use crate::router::Operation;

pub(crate) mod change;
mod refusal;
pub(crate) mod view;

pub(crate) use refusal::Refusal;

/// The role of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A person with a token and without the role `admin`.
    Member,
    /// A person with a token and the role `admin` in their tenant.
    Admin,
    /// A program of the account that names a tenant with `?tenant=`.
    ProgramOfTenant,
    /// A program of the account that names no tenant.
    Program,
}

impl Role {
    pub(crate) fn of(caller: &Caller, scope: &Scope) -> Role {
        match (caller, scope) {
            (Caller::Person(person), _) if person.is_admin => Role::Admin,
            (Caller::Person(_), _) => Role::Member,
            (Caller::Program(_), Scope::Tenant(_)) => Role::ProgramOfTenant,
            (Caller::Program(_), Scope::All) => Role::Program,
        }
    }
}

/// The relation of a person or another object to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The caller, who belongs to the caller's tenant only.
    Myself,
    /// The caller, who also belongs to other tenants.
    MyselfShared,
    /// An object of the caller's tenant only. For a program without a tenant, every object.
    Exclusive,
    /// An object of the caller's tenant and of others.
    Shared,
    /// An object without a tenant.
    NoTenant,
    /// An object of other tenants only.
    OtherTenant,
    /// No such object exists.
    Unknown,
}

impl Relation {
    /// The relation of a person to a caller.
    pub(crate) fn of_person(person: Option<&Recipient>, caller: &Caller, scope: &Scope) -> Relation {
        let Some(person) = person else { return Relation::Unknown };
        let Scope::Tenant(tenant) = scope else { return Relation::Exclusive };
        if !person.belongs_to(Some(tenant)) {
            let has_none = person.tenants.is_empty();
            return if has_none { Relation::NoTenant } else { Relation::OtherTenant };
        }
        let is_self = matches!(caller, Caller::Person(caller) if caller.user == person.id);
        match (is_self, person.is_only_of(tenant)) {
            (true, true) => Relation::Myself,
            (true, false) => Relation::MyselfShared,
            (false, true) => Relation::Exclusive,
            (false, false) => Relation::Shared,
        }
    }

    /// The relation of an object with at most one tenant: an event, a delivery, the settings of a
    /// tenant.
    pub(crate) fn of_tenant(tenant: Option<&str>, scope: &Scope) -> Relation {
        match (scope, tenant) {
            (Scope::All, _) => Relation::Exclusive,
            (Scope::Tenant(_), None) => Relation::NoTenant,
            (Scope::Tenant(own), Some(tenant)) if own == tenant => Relation::Exclusive,
            (Scope::Tenant(_), Some(_)) => Relation::OtherTenant,
        }
    }
}

/// The part of the object that the caller may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The whole object.
    Whole,
    /// The part of the caller's tenant.
    Part,
    /// The part that a person may see and change of themselves.
    Own,
    /// The object does not exist for this caller, and the answer reports success.
    Nothing,
}

/// Decides for every operation.
///
/// # Errors
/// [`Refusal`] gives the reason.
pub(crate) fn authorize(operation: Operation, role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match operation {
        Operation::ListRecipients | Operation::LookUpRecipients => {
            only_admins(role).and_then(|()| reads_person(role, relation))
        }
        Operation::GetRecipient
        | Operation::ListInbox
        | Operation::CountInbox
        | Operation::ListReceived
        | Operation::GetPreferences
        | Operation::PutPreferences
        | Operation::PatchPreferences => reads_person(role, relation),
        Operation::IssueTicket => match (role, relation) {
            // A program may issue tickets for any user, even one who is described later.
            (Role::Program, Relation::Unknown) => Ok(Grant::Whole),
            _ => reads_person(role, relation),
        },
        Operation::CloseSockets => match (role, relation) {
            // A program may also end the sessions of a deleted user.
            (Role::Program, Relation::Unknown) => Ok(Grant::Whole),
            _ => reads_person(role, relation),
        },
        Operation::MarkInbox => match (role, relation) {
            (Role::Admin, Relation::Exclusive | Relation::Shared) => Err(Refusal::LooksOn),
            _ => reads_person(role, relation),
        },
        Operation::ListDevices | Operation::PutDevice | Operation::DeleteDevice => {
            let grant = reads_person(role, relation)?;
            if is_self(relation) {
                return Ok(Grant::Own);
            }
            // Devices are shared between tenants. If the person has other tenants, only the person may
            // change them.
            if grant == Grant::Part { Err(Refusal::KnownElsewhere) } else { Ok(grant) }
        }
        Operation::PutRecipient => only_admins(role).and_then(|()| puts_person(role, relation)),
        Operation::PatchRecipient => patches_person(role, relation),
        Operation::DeleteRecipient => only_admins(role).and_then(|()| deletes_person(role, relation)),
        Operation::GetTenant => has_tenant(role, relation),
        Operation::PutTenant => only_admins(role).and_then(|()| has_tenant(role, relation)),
        // An event without a tenant gets the caller's tenant.
        Operation::Publish => only_admins(role).and_then(|()| {
            if relation == Relation::NoTenant { Ok(Grant::Whole) } else { has_tenant(role, relation) }
        }),
        Operation::ListDeliveries
        | Operation::Retry
        | Operation::ListEndpoints
        | Operation::GetEndpoint
        | Operation::RotateSecret
        | Operation::EnableEndpoint
        | Operation::DisableEndpoint
        | Operation::PingEndpoint
        | Operation::VerifyEndpoint
        | Operation::ListAttempts
        | Operation::RetryMessage
        | Operation::RecoverMessages => only_admins(role).and_then(|()| has_row(role, relation)),
        // Endpoint ids are unique within a tenant, so another tenant's endpoint is no conflict.
        Operation::PutEndpoint => only_admins(role).and_then(|()| {
            if relation == Relation::Unknown { Ok(Grant::Whole) } else { has_tenant(role, relation) }
        }),
        Operation::DeleteEndpoint => only_admins(role).and_then(|()| {
            let decided = has_row(role, relation);
            if decided == Err(Refusal::Absent) { Ok(Grant::Nothing) } else { decided }
        }),
    }
}

fn only_admins(role: Role) -> Result<(), Refusal> {
    match role {
        Role::Member => Err(Refusal::NeedsAdmin),
        Role::Admin | Role::ProgramOfTenant | Role::Program => Ok(()),
    }
}

fn is_self(relation: Relation) -> bool {
    matches!(relation, Relation::Myself | Relation::MyselfShared)
}

/// Operations that read a person or change only the tenant's own part.
fn reads_person(role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match (role, relation) {
        (_, Relation::Unknown)
        | (Role::Member | Role::Admin | Role::ProgramOfTenant, Relation::NoTenant | Relation::OtherTenant) => {
            Err(Refusal::Absent)
        }
        (Role::Program, _)
        | (Role::Admin, Relation::Myself)
        | (Role::Admin | Role::ProgramOfTenant, Relation::Exclusive) => Ok(Grant::Whole),
        (Role::Member, Relation::Exclusive | Relation::Shared) => Err(Refusal::SomebodyElse),
        (_, Relation::Myself | Relation::MyselfShared) => Ok(Grant::Own),
        (_, Relation::Shared) => Ok(Grant::Part),
    }
}

fn puts_person(role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match (role, relation) {
        (Role::Program, _) | (_, Relation::Myself | Relation::Exclusive | Relation::Unknown) => {
            Ok(Grant::Whole)
        }
        (_, Relation::MyselfShared | Relation::Shared) => Err(Refusal::KnownElsewhere),
        (_, Relation::NoTenant | Relation::OtherTenant) => Err(Refusal::Taken),
    }
}

fn patches_person(role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match (role, relation) {
        (Role::Program, _) | (Role::ProgramOfTenant, Relation::Unknown) => Ok(Grant::Whole),
        (Role::ProgramOfTenant, Relation::NoTenant | Relation::OtherTenant) => Err(Refusal::Taken),
        // A token cannot create a person by a patch. The answer would distinguish an unknown id from
        // another tenant's.
        (Role::Member | Role::Admin | Role::ProgramOfTenant, _) => reads_person(role, relation),
    }
}

fn deletes_person(role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match (role, relation) {
        (Role::Program, _) | (_, Relation::Myself | Relation::Exclusive) => Ok(Grant::Whole),
        (_, Relation::MyselfShared | Relation::Shared) => Err(Refusal::KnownElsewhere),
        (_, Relation::NoTenant | Relation::OtherTenant | Relation::Unknown) => Ok(Grant::Nothing),
    }
}

/// Operations on a tenant itself: the caller's own only.
fn has_tenant(role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match (role, relation) {
        (Role::Program, _) | (_, Relation::Exclusive) => Ok(Grant::Whole),
        (
            _,
            Relation::Myself
            | Relation::MyselfShared
            | Relation::Shared
            | Relation::NoTenant
            | Relation::OtherTenant
            | Relation::Unknown,
        ) => Err(Refusal::OtherTenant),
    }
}

/// Operations on rows with one tenant: deliveries, endpoints.
fn has_row(role: Role, relation: Relation) -> Result<Grant, Refusal> {
    match (role, relation) {
        (_, Relation::Unknown)
        | (
            Role::Member | Role::Admin | Role::ProgramOfTenant,
            Relation::Myself
            | Relation::MyselfShared
            | Relation::Shared
            | Relation::NoTenant
            | Relation::OtherTenant,
        ) => Err(Refusal::Absent),
        (Role::Program, _) | (_, Relation::Exclusive) => Ok(Grant::Whole),
    }
}

/// Whether the caller may use an operation at all, before any look-up. `names_self` is true if the path
/// names the caller, or if the operation is about the caller by default.
///
/// # Errors
/// The [`Refusal`] that [`authorize`] gives for the most favourable relation.
pub(crate) fn may_ask(operation: Operation, role: Role, names_self: bool) -> Result<Grant, Refusal> {
    let best = if names_self { Relation::Myself } else { Relation::Exclusive };
    authorize(operation, role, best)
}

#[cfg(test)]
mod tests;
