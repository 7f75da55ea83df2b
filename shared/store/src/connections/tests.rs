use super::*;
use crate::canned;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_smithy_mocks::mock;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn room_is_joined_by_name_or_prefix() {
    let who = Identity {
        user: "ann".into(),
        view: View::All,
        rooms: vec!["queue:triage-1".into(), "ward:*".into()],
        until: None,
    };
    for (room, allowed) in
        [("queue:triage-1", true), ("queue:triage-10", false), ("ward:7", true), ("theatre:1", false)]
    {
        assert_eq!(who.may_join(room), allowed, "{room}");
    }
}

#[tokio::test]
async fn expired_socket_has_no_user_while_its_row_exists() {
    for (ttl, expected) in [(0, Some("ann")), (1, Some("ann")), (-1, None)] {
        let who = Identity { user: "ann".into(), view: View::All, rooms: vec![], until: None };
        let row = identity_item(&who).number("ttl", seconds(NOON) + ttl);
        let get = mock!(Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(row.clone().into_map())).build());
        let connections = Connections::new(&canned::client(&[&get]), "connections".into());
        let who = connections.who("c", NOON).await.unwrap();
        assert_eq!(who.as_ref().map(|who| who.user.as_str()), expected, "{ttl} s left");
    }
}

#[tokio::test]
async fn session_ends_with_its_token_and_an_older_row_with_its_ttl() {
    let who = Identity { user: "ann".into(), view: View::All, rooms: vec![], until: None };
    for (exp, is_open) in [(None, true), (Some(1), true), (Some(0), false), (Some(-1), false)] {
        let row = identity_item(&who).number("ttl", seconds(NOON) + 100);
        let row = exp.map_or(row.clone(), |exp| row.number("exp", seconds(NOON) + exp));
        assert_eq!(is_kept(&row, NOON), is_open, "{exp:?}");
    }
}

#[test]
fn session_rows_expire_with_the_token_or_after_the_longest_session() {
    let now = seconds(NOON);
    let longest = 2 * 3_600 + 15 * 60;
    for (until, end) in [(None, longest), (Some(8), 8), (Some(86_400), longest)] {
        let until = until.map(|until| NOON + SignedDuration::from_secs(until));
        let who = Identity { user: "ann".into(), view: View::All, rooms: vec![], until };
        assert_eq!(super::end(&who, NOON), now + end);
        let row = membership("user#ann", "c", &who, super::end(&who, NOON));
        assert_eq!((row.get_number("exp"), row.get_number("ttl")), (Some(now + end), Some(now + end)));
    }
    // A membership added late does not outlive the session.
    let until = Some(NOON + SignedDuration::from_secs(8));
    let who = Identity { user: "ann".into(), view: View::All, rooms: vec![], until };
    assert_eq!(identity(&identity_item(&who)).unwrap(), who);
}
