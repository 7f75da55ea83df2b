//! A digest that is over, as an event: what was collected is told as one thing that happened when the window closed.

use jiff::Timestamp;
use serde_json::Value;

use crate::digest::Item;
use crate::event::{Data, Event};

/// Who says that a window closed.
pub const SOURCE: &str = "/carillon/digest";

/// The event of a closed window. It stands in for those that were collected: type, tenant and subject are those of the
/// one that opened the window, `data` is what all of them have in common (see [`crate::digest::summary`]), and the id is
/// the window's, so that everything that comes of it has the same keys however often it is closed.
#[must_use]
pub fn event(
    opener: &Event,
    window_id: &str,
    items: &[Item],
    summary: &Value,
    closed_at: Timestamp,
) -> Event {
    Event {
        id: window_id.to_owned(),
        source: SOURCE.to_owned(),
        time: closed_at,
        causation_id: items.last().map(|item| item.id.clone()),
        sequence: None,
        expiry_time: None,
        actor: None,
        auth_id: None,
        data: summary.get("data").map(Data::of),
        ..opener.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_closed_window_is_one_event_of_the_openers_type_and_tenant_with_an_id_of_its_own() {
        let opener = Event::parse(
            r#"{"specversion":"1.0","id":"e-1","source":"/board","type":"task.commented","time":"2026-11-20T12:00:00Z",
                "tenant":"north","actor":"ann","data":{"board":"7","text":"first"}}"#,
        )
        .unwrap();
        let closed_at = "2026-11-20T12:10:00Z".parse().unwrap();
        let items = [Item::of(&opener)];
        let event = event(&opener, "w-1", &items, &json!({ "data": { "board": "7" } }), closed_at);
        assert_eq!((event.id.as_str(), event.source.as_str()), ("w-1", SOURCE));
        assert_eq!((event.kind.as_str(), event.tenant.as_deref()), ("task.commented", Some("north")));
        assert_eq!((event.time, event.actor.as_deref()), (closed_at, None));
        assert_eq!(event.data.as_ref().unwrap().text(), r#"{"board":"7"}"#);
        assert_eq!(Event::parse(&event.to_json()).unwrap(), event);
    }
}
