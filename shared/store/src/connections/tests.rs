use super::*;
use crate::canned;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_smithy_mocks::mock;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn a_room_is_joined_by_its_name_or_by_the_beginning_of_one() {
    let who = Identity {
        user: "ann".into(),
        view: View::All,
        rooms: vec!["queue:triage-1".into(), "ward:*".into()],
    };
    for (room, allowed) in
        [("queue:triage-1", true), ("queue:triage-10", false), ("ward:7", true), ("theatre:1", false)]
    {
        assert_eq!(who.may_join(room), allowed, "{room}");
    }
}

#[tokio::test]
async fn a_socket_whose_time_is_over_is_nobodys_though_its_row_is_still_there() {
    for (ttl, expected) in [(0, Some("ann")), (1, Some("ann")), (-1, None)] {
        let who = Identity { user: "ann".into(), view: View::All, rooms: vec![] };
        let row = identity_item(&who).number("ttl", seconds(NOON) + ttl);
        let get = mock!(Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(row.clone().into_map())).build());
        let connections = Connections::new(&canned::client(&[&get]), "connections".into());
        let who = connections.who("c", NOON).await.unwrap();
        assert_eq!(who.as_ref().map(|it| it.user.as_str()), expected, "{ttl} s left");
    }
}
