//! Every operation, role and relation, with the decisions as literals.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::caller::Person;
use crate::router::{ROUTES, Who};

/// The relations in the order of the letters of [`TABLE`].
const RELATIONS: [Relation; 7] = [
    Relation::Myself,
    Relation::MyselfShared,
    Relation::Exclusive,
    Relation::Shared,
    Relation::NoTenant,
    Relation::OtherTenant,
    Relation::Unknown,
];

const ROLES: [Role; 4] = [Role::Member, Role::Admin, Role::ProgramOfTenant, Role::Program];

/// The decisions of each operation for a member, an admin, a program with `?tenant=` and one without.
/// Each text has one letter per relation: myself, myself and shared, exclusive, shared, no tenant, other
/// tenant, unknown.
///
/// Grants: `W` whole, `P` the tenant's part, `O` one's own, `-` success without an object. Refusals: `4`
/// absent (404), `T` taken (409), and with 403: `A` needs admin, `S` other person, `K` known elsewhere,
/// `X` other tenant, `L` read-only.
const TABLE: [(Operation, [&str; 4]); ROUTES.len()] = [
    (Operation::ListRecipients, ["AAAAAAA", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::LookUpRecipients, ["AAAAAAA", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::GetRecipient, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::PutRecipient, ["AAAAAAA", "WKWKTTW", "WKWKTTW", "WWWWWWW"]),
    (Operation::PatchRecipient, ["OOSS444", "WOWP444", "OOWPTTW", "WWWWWWW"]),
    (Operation::DeleteRecipient, ["AAAAAAA", "WKWK---", "WKWK---", "WWWWWWW"]),
    (Operation::ListDevices, ["OOSS444", "OOWK444", "OOWK444", "OOWWWW4"]),
    (Operation::PutDevice, ["OOSS444", "OOWK444", "OOWK444", "OOWWWW4"]),
    (Operation::DeleteDevice, ["OOSS444", "OOWK444", "OOWK444", "OOWWWW4"]),
    (Operation::CloseSockets, ["OOSS444", "WOWP444", "OOWP444", "WWWWWWW"]),
    (Operation::ListInbox, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::CountInbox, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::MarkInbox, ["OOSS444", "WOLL444", "OOWP444", "WWWWWW4"]),
    (Operation::ListReceived, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::GetPreferences, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::PutPreferences, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::PatchPreferences, ["OOSS444", "WOWP444", "OOWP444", "WWWWWW4"]),
    (Operation::GetTenant, ["XXWXXXX", "XXWXXXX", "XXWXXXX", "WWWWWWW"]),
    (Operation::PutTenant, ["AAAAAAA", "XXWXXXX", "XXWXXXX", "WWWWWWW"]),
    (Operation::IssueTicket, ["OOSS444", "WOWP444", "OOWP444", "WWWWWWW"]),
    (Operation::Publish, ["AAAAAAA", "XXWXWXX", "XXWXWXX", "WWWWWWW"]),
    (Operation::ListDeliveries, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::Retry, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::ListEndpoints, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::GetEndpoint, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::PutEndpoint, ["AAAAAAA", "XXWXXXW", "XXWXXXW", "WWWWWWW"]),
    (Operation::DeleteEndpoint, ["AAAAAAA", "--W----", "--W----", "WWWWWW-"]),
    (Operation::RotateSecret, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::EnableEndpoint, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::DisableEndpoint, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::PingEndpoint, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::VerifyEndpoint, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::ListAttempts, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::RetryMessage, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
    (Operation::RecoverMessages, ["AAAAAAA", "44W4444", "44W4444", "WWWWWW4"]),
];

#[test]
fn every_operation_decides_for_every_role_and_relation_as_the_table_says() {
    for route in &ROUTES {
        let expected = row(route.operation);
        for (role, letters) in ROLES.into_iter().zip(expected) {
            let found: String = RELATIONS
                .iter()
                .map(|relation| letter(authorize(route.operation, role, *relation)))
                .collect();
            assert_eq!(found, letters, "{:?} {role:?}", route.operation);
        }
    }
}

#[test]
fn table_has_one_entry_for_every_route() {
    let of_routes: Vec<String> = ROUTES.iter().map(|route| format!("{:?}", route.operation)).collect();
    let of_table: Vec<String> = TABLE.iter().map(|(operation, _)| format!("{operation:?}")).collect();
    assert_eq!(of_table, of_routes, "a route was added without its decisions");
    assert_eq!(of_table.iter().collect::<BTreeSet<_>>().len(), of_table.len());
}

/// An id of another tenant, or of a person without tenants, is answered like an unknown id. Creating a
/// person with a used id fails visibly, because ids are unique over all tenants.
#[test]
fn other_tenants_ids_are_answered_like_unknown_ids() {
    for (operation, roles) in TABLE {
        for (role, letters) in ROLES.into_iter().zip(roles) {
            let letters: Vec<char> = letters.chars().collect();
            let [no_tenant, other, unknown] = letters[4..] else { panic!("seven relations") };
            let tells_taken = no_tenant == 'T' && other == 'T' && unknown == 'W';
            let creates = (operation == Operation::PutRecipient && role != Role::Member)
                || (operation == Operation::PatchRecipient && role == Role::ProgramOfTenant);
            // The relation of these operations comes from the request, not from a look-up.
            if [Operation::GetTenant, Operation::Publish, Operation::PutEndpoint].contains(&operation) {
                continue;
            }
            if role == Role::Program {
                continue;
            }
            if creates {
                assert!(tells_taken, "{operation:?} {role:?}");
            } else {
                assert_eq!((no_tenant, other), (unknown, unknown), "{operation:?} {role:?}");
            }
        }
    }
}

#[test]
fn column_who_of_a_route_says_what_is_decided() {
    for route in &ROUTES {
        let asks = |role, names_self| may_ask(route.operation, role, names_self).is_ok();
        let of_a_person = route.path.starts_with("/v1/recipients/{id}");
        assert!(asks(Role::Program, false) && asks(Role::ProgramOfTenant, false), "{route:?}");
        match route.who {
            Who::Admins => assert!(!asks(Role::Member, true) && !asks(Role::Member, false), "{route:?}"),
            Who::Own => assert!(asks(Role::Member, true) && !asks(Role::Member, false), "{route:?}"),
            Who::Members => {
                assert!(asks(Role::Member, route.operation == Operation::IssueTicket), "{route:?}");
            }
        }
        assert!(route.who != Who::Own || of_a_person, "{route:?}");
        assert!(route.operation == Operation::MarkInbox || asks(Role::Admin, false), "{route:?}");
    }
}

#[test]
fn relation_of_a_person_is_that_to_the_callers_tenant() {
    let member = |user: &str| {
        Caller::Person(Person { user: user.into(), tenant: "a".into(), is_admin: false, rooms: vec![] })
    };
    let scope = Scope::Tenant("a".into());
    for (tenants, of_other, of_self) in [
        (json!(["a"]), Relation::Exclusive, Relation::Myself),
        (json!(["a", "b"]), Relation::Shared, Relation::MyselfShared),
        (json!(["*"]), Relation::Shared, Relation::MyselfShared),
        (json!([]), Relation::NoTenant, Relation::NoTenant),
        (json!(["b"]), Relation::OtherTenant, Relation::OtherTenant),
    ] {
        let ann = person(&tenants);
        assert_eq!(Relation::of_person(Some(&ann), &member("ben"), &scope), of_other, "{tenants}");
        assert_eq!(Relation::of_person(Some(&ann), &program(), &scope), of_other, "{tenants}");
        assert_eq!(Relation::of_person(Some(&ann), &member("ann"), &scope), of_self, "{tenants}");
        let of_all = Relation::of_person(Some(&ann), &program(), &Scope::All);
        assert_eq!(of_all, Relation::Exclusive, "{tenants}");
    }
    assert_eq!(Relation::of_person(None, &member("ann"), &scope), Relation::Unknown);
}

#[test]
fn relation_of_a_row_is_that_of_its_tenant() {
    let scope = Scope::Tenant("a".into());
    for (tenant, expected) in
        [(Some("a"), Relation::Exclusive), (Some("b"), Relation::OtherTenant), (None, Relation::NoTenant)]
    {
        assert_eq!(Relation::of_tenant(tenant, &scope), expected);
        assert_eq!(Relation::of_tenant(tenant, &Scope::All), Relation::Exclusive);
    }
}

fn row(operation: Operation) -> [&'static str; 4] {
    TABLE.iter().find(|(name, _)| *name == operation).expect("an entry in TABLE for every operation").1
}

fn letter(decided: Result<Grant, Refusal>) -> char {
    match decided {
        Ok(Grant::Whole) => 'W',
        Ok(Grant::Part) => 'P',
        Ok(Grant::Own) => 'O',
        Ok(Grant::Nothing) => '-',
        Err(Refusal::Absent) => '4',
        Err(Refusal::Taken) => 'T',
        Err(Refusal::NeedsAdmin) => 'A',
        Err(Refusal::SomebodyElse) => 'S',
        Err(Refusal::KnownElsewhere) => 'K',
        Err(Refusal::OtherTenant) => 'X',
        Err(Refusal::LooksOn) => 'L',
    }
}

fn person(tenants: &Value) -> Recipient {
    serde_json::from_value(json!({ "id": "ann", "tenants": tenants })).unwrap()
}

fn program() -> Caller {
    Caller::Program("arn:aws:iam::000000000000:user/shop".into())
}
