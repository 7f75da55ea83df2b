//! Refusals and their answers.

use crate::problem::Problem;
use crate::router::Operation;

/// Why a caller is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The object does not exist for the caller.
    Absent,
    /// The id is used by a person of another tenant or without tenants.
    Taken,
    NeedsAdmin,
    SomebodyElse,
    /// The person also belongs to other tenants.
    KnownElsewhere,
    OtherTenant,
    /// An admin cannot mark another person's messages.
    LooksOn,
}

impl Refusal {
    /// The answer for this refusal.
    pub(crate) fn problem(self, operation: Operation) -> Problem {
        match self {
            Refusal::Absent => absent(operation),
            Refusal::Taken => Problem::new(409, "conflict", "this id is taken; choose another one"),
            Refusal::NeedsAdmin => Problem::forbidden("role: wanted admin"),
            Refusal::SomebodyElse => Problem::forbidden("another person's object: wanted the role admin"),
            Refusal::KnownElsewhere => Problem::forbidden(
                "other tenants know this person as well: change in_tenants and topics_in of your own",
            ),
            Refusal::OtherTenant => Problem::forbidden("a token reaches its own tenant alone"),
            Refusal::LooksOn => {
                Problem::forbidden("only the recipient and programs of the account may mark entries")
            }
        }
    }
}

fn absent(operation: Operation) -> Problem {
    match operation {
        Operation::ListRecipients
        | Operation::LookUpRecipients
        | Operation::GetRecipient
        | Operation::PutRecipient
        | Operation::PatchRecipient
        | Operation::DeleteRecipient
        | Operation::ListDevices
        | Operation::PutDevice
        | Operation::DeleteDevice
        | Operation::ListInbox
        | Operation::CountInbox
        | Operation::MarkInbox
        | Operation::ListReceived
        | Operation::GetPreferences
        | Operation::PutPreferences
        | Operation::PatchPreferences
        | Operation::GetTenant
        | Operation::PutTenant
        | Operation::CloseSockets
        | Operation::IssueTicket => Problem::no_recipient(),
        Operation::Publish | Operation::ListDeliveries | Operation::Retry => {
            Problem::new(404, "no_delivery", "no delivery of this key is known")
        }
        Operation::ListEndpoints
        | Operation::GetEndpoint
        | Operation::PutEndpoint
        | Operation::DeleteEndpoint
        | Operation::RotateSecret
        | Operation::EnableEndpoint
        | Operation::DisableEndpoint
        | Operation::PingEndpoint
        | Operation::VerifyEndpoint
        | Operation::ListAttempts
        | Operation::RetryMessage
        | Operation::RecoverMessages => Problem::no_endpoint(),
    }
}
