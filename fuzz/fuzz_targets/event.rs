//! Envelopes: a CloudEvent, the bus's event around any envelope, and the text of an outbox entry. An accepted event is
//! written and read again without a difference.
#![no_main]

use catalog::BusEntry;
use domain::event::Event;
use domain::event::bus::BusEvent;
use domain::event::producers::Producers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(event) = Event::parse(text) {
        check_round_trip(&event);
    }
    if let Ok(bus_event) = BusEvent::parse(text) {
        if let Ok(event) = bus_event.event(&Producers::default()) {
            check_round_trip(&event);
        }
        let _ = bus_event.named_inside();
    }
    if let Ok(entry) = BusEntry::read(text) {
        let wrapped = entry.to_bus_event("id", domain::Timestamp::UNIX_EPOCH);
        BusEvent::parse(&wrapped).expect("our own event is an EventBridge event");
    }
});

fn check_round_trip(event: &Event) {
    let text = event.to_json();
    let stored = Event::stored(&text).expect("a written event is readable");
    assert_eq!(stored.to_json(), text);
    let _ = event.document();
}
