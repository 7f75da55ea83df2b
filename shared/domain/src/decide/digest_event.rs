//! The digest event: a closed digest window as one event that happened when the window closed.

use jiff::Timestamp;
use serde_json::Value;

use crate::event::own_events::DIGEST_SOURCE;
use crate::event::{Data, Event};
use crate::limits::digest::Item;

/// Builds the event of a closed window from the opening event. Type, tenant and subject are those of the opening
/// event. `data` holds the values that all collected events share (see [`crate::limits::digest::summary`]). The id is the
/// window's id, so all keys derived from the event stay the same if the window is closed twice.
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
        source: DIGEST_SOURCE.to_owned(),
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
    fn digest_event_keeps_type_and_tenant_and_has_the_window_id() {
        let opener = Event::parse(
            r#"{"specversion":"1.0","id":"e-1","source":"/board","type":"task.commented","time":"2026-11-20T12:00:00Z",
                "tenant":"north","actor":"ann","data":{"board":"7","text":"first"}}"#,
        )
        .unwrap();
        let closed_at = "2026-11-20T12:10:00Z".parse().unwrap();
        let items = [Item::of(&opener)];
        let event = event(&opener, "w-1", &items, &json!({ "data": { "board": "7" } }), closed_at);
        assert_eq!((event.id.as_str(), event.source.as_str()), ("w-1", DIGEST_SOURCE));
        assert_eq!((event.kind.as_str(), event.tenant.as_deref()), ("task.commented", Some("north")));
        assert_eq!((event.time, event.actor.as_deref()), (closed_at, None));
        assert_eq!(event.data.as_ref().unwrap().text(), r#"{"board":"7"}"#);
        assert_eq!(Event::parse(&event.to_json()).unwrap(), event);
    }
}
