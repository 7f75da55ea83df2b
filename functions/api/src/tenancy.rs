//! Who may do what with what belongs to whom: one function, [`authorize`], for every operation of the API.
//!
//! A person can belong to several tenants. A person of one tenant alone is that tenant's. Of a person whom other tenants
//! know as well, a tenant sees and changes its own part only; what holds everywhere is for the person and for programs
//! of the account. A person without tenants, or of other tenants only, does not exist for a tenant: every answer is the
//! one for an unknown id.
//!
//! Routes ask twice. Before anything is looked up, the router asks whether the caller may use the operation at all.
//! After the look-up, the route asks with the [`Relation`] of what was found. [`change`] says which members a grant lets
//! the caller write, [`view`] which ones it shows.

use domain::recipient::Recipient;

use crate::caller::{Caller, Scope};
use crate::router::Operation;

pub(crate) mod change;
mod refusal;
pub(crate) mod view;

pub(crate) use refusal::Refusal;

/// As what a caller asks.
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

/// What a person, or anything else that a tenant can own, is to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The caller, who belongs to the caller's tenant alone.
    Myself,
    /// The caller, whom other tenants know as well.
    MyselfShared,
    /// The caller's tenant alone has it. For a program without a tenant: everything.
    Exclusive,
    /// The caller's tenant has it, and others have it as well.
    Shared,
    /// No tenant has it.
    NoTenant,
    /// Only other tenants have it.
    OtherTenant,
    /// There is no such thing.
    Unknown,
}

impl Relation {
    /// What a person is to a caller.
    pub(crate) fn of_person(person: Option<&Recipient>, caller: &Caller, scope: &Scope) -> Relation {
        let Some(person) = person else { return Relation::Unknown };
        let Scope::Tenant(tenant) = scope else { return Relation::Exclusive };
        if !person.belongs_to(Some(tenant)) {
            let has_none = person.tenants.is_empty();
            return if has_none { Relation::NoTenant } else { Relation::OtherTenant };
        }
        let is_self = matches!(caller, Caller::Person(it) if it.user == person.id);
        match (is_self, person.is_only_of(tenant)) {
            (true, true) => Relation::Myself,
            (true, false) => Relation::MyselfShared,
            (false, true) => Relation::Exclusive,
            (false, false) => Relation::Shared,
        }
    }

    /// What something that has one tenant or none is to a caller: an event, a delivery, the settings of a tenant.
    pub(crate) fn of_tenant(tenant: Option<&str>, scope: &Scope) -> Relation {
        match (scope, tenant) {
            (Scope::All, _) => Relation::Exclusive,
            (Scope::Tenant(_), None) => Relation::NoTenant,
            (Scope::Tenant(own), Some(tenant)) if own == tenant => Relation::Exclusive,
            (Scope::Tenant(_), Some(_)) => Relation::OtherTenant,
        }
    }
}

/// How much of it the caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// All of it.
    Whole,
    /// The part of the caller's tenant.
    Part,
    /// What is for a person to see and to say of themselves.
    Own,
    /// Nothing is there for this caller, and the answer says that it was done.
    Nothing,
}

/// Decides for every operation.
///
/// # Errors
/// [`Refusal`] says why not.
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
            // A program may let anyone connect, also a person who is described later.
            (Role::Program, Relation::Unknown) => Ok(Grant::Whole),
            _ => reads_person(role, relation),
        },
        Operation::CloseSockets => match (role, relation) {
            // A program ends the sessions of an id that is no longer known, too.
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
            // Devices hold everywhere. Where others know the person, they are for the person.
            if grant == Grant::Part { Err(Refusal::KnownElsewhere) } else { Ok(grant) }
        }
        Operation::PutRecipient => only_admins(role).and_then(|()| puts_person(role, relation)),
        Operation::PatchRecipient => patches_person(role, relation),
        Operation::DeleteRecipient => only_admins(role).and_then(|()| deletes_person(role, relation)),
        Operation::GetTenant => has_tenant(role, relation),
        Operation::PutTenant => only_admins(role).and_then(|()| has_tenant(role, relation)),
        // An event that names no tenant becomes one of the caller's.
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
        // Ids of endpoints are unique within a tenant: nobody else's stands in the way.
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

/// What only looks at a person, and what changes only the tenant's own part.
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
        // A token creates nobody by a patch: the answer would tell an unknown id from another tenant's.
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

/// What names a tenant itself: the caller's own, or a refusal.
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

/// Rows that have one tenant: deliveries, endpoints.
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

/// Whether the caller may use an operation at all, before anything is looked up. `names_self` says that the path names
/// the caller, or that the operation is about the caller when nothing else is said.
///
/// # Errors
/// [`Refusal`] as [`authorize`] gives it for the most that the caller could hope for.
pub(crate) fn may_ask(operation: Operation, role: Role, names_self: bool) -> Result<Grant, Refusal> {
    let best = if names_self { Relation::Myself } else { Relation::Exclusive };
    authorize(operation, role, best)
}

#[cfg(test)]
mod tests;
