use super::*;

#[test]
fn reasons_are_stored_by_name() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
    }
}

#[test]
fn statuses_are_stored_by_name() {
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        assert_eq!(Status::from_name(status.name()), Some(status));
        assert!(status.is_final() || !status.was_sent());
    }
}
