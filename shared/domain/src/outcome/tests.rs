use super::*;

#[test]
fn reasons_are_stored_by_the_name_they_give_themselves() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
    }
}

#[test]
fn a_status_is_stored_by_the_name_it_gives_itself() {
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        assert_eq!(Status::from_name(status.name()), Some(status));
        assert!(status.is_final() || !status.was_sent());
    }
}
