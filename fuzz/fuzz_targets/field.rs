//! Small fields from clients and configuration: times, windows, addresses, URLs, paths, headers, keys.
#![no_main]

use domain::base::channel::Channel;
use domain::base::money::Micros;
use domain::base::path::Path;
use domain::delivery::attachment::Prefixes;
use domain::delivery::rate_limit::Quota;
use domain::event::key::Key;
use domain::event::retention::Retention;
use domain::recipient::parse_address;
use domain::time::moment::Moment;
use domain::time::quiet_hours::Windows;
use domain::time::recurrence::Recurrence;
use domain::time::span::Span;
use domain::time::zone::Zone;
use domain::webhook::endpoint::headers::CustomHeaders;
use domain::webhook::endpoint::secret::Secret;
use domain::webhook::endpoint::target::{Allow, Target};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::from_value as of;

fuzz_target!(|text: &str| {
    let allow = Allow::parse(text).unwrap_or_default();
    let _ = (Target::read(text, &allow), Endpoint::read(text, &allow), EndpointId::parse(text));
    let _ = (CustomHeaders::parse(text), Secret::parse(text), Key::parse(text), Path::parse(text));
    let _ = (Moment::parse(text), Zone::parse(text), Micros::parse(text), Retention::parse(text));
    let _ = (Quota::parse(text), Prefixes::read(text, text));
    for channel in Channel::ALL {
        let _ = parse_address(channel, text);
    }
    let value: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    let _ = (of::<Windows>(value.clone()), of::<Recurrence>(value.clone()), of::<Span>(value.clone()));
    let _ = CustomHeaders::read(&value);
});
