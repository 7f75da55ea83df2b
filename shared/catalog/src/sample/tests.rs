use super::*;

const CLOUD: &str =
    r#"{"specversion":"1.0","id":"1","source":"/tasks","type":"task.created","time":"2026-11-20T11:25:00Z"}"#;

#[test]
fn cloud_event_keeps_its_source_and_type() {
    check(CLOUD, Ok(("/tasks", "task.created", CLOUD)));
    check(&CLOUD.replace("\"specversion\"", "\"SpecVersion\""), Ok(("/tasks", "task.created", CLOUD)));
    let loose = CLOUD.replace("\"specversion\"", "\"SpecVersion\"").replace("\"id\":\"1\",", "");
    check(&CLOUD.replace("\"id\":\"1\",", ""), Err("id"));
    assert!(BusEntry::read(&loose).is_err());
}

#[test]
fn older_body_keeps_its_source_and_type() {
    let hub = r#"{"eventId":"1","eventType":"queue.updated","source":"queue-service","payload":{}}"#;
    check(hub, Ok(("queue-service", "queue.updated", hub)));
    let circle = r#"{"id":"1","type":"shift.started","source":"care-circle-api","timestamp":"2026-11-20T11:01:10Z","data":{}}"#;
    check(circle, Ok(("care-circle-api", "shift.started", circle)));
}

#[test]
fn body_without_a_source_needs_an_eventbridge_event() {
    let body = r#"{"type":"booking.created","data":{},"timestamp":"2026-11-20T11:00:00Z"}"#;
    check(body, Err("source"));
    let round = format!(r#"{{"source":"booking-service","detail-type":"booking.created","detail":{body}}}"#);
    check(&round, Ok(("booking-service", "booking.created", body)));
}

#[test]
fn integration_event_has_its_service_and_routing_key() {
    let body = r#"{"service":"tasks","version":"1","userId":"u","routingKey":"task.completed","data":{}}"#;
    check(body, Ok(("tasks", "task.completed", body)));
    check(&body.replace(r#""routingKey":"task.completed","#, ""), Err("routingKey"));
    assert_eq!(BusEntry::read_as(body, Some("other")).unwrap().source, "other");
}

#[test]
fn socket_event_of_a_user_has_the_source_sockets() {
    let body =
        r#"{"id":"1","type":"task","event":"task.updated","data":{},"timestamp":1,"source":{"userId":"u"}}"#;
    check(body, Ok(("sockets", "task.updated", body)));
    assert_eq!(BusEntry::read_as(body, Some("gateway")).unwrap().source, "gateway");
    let named = body.replace(r#"{"userId":"u"}"#, r#""hub","target":{"id":"p"}"#);
    check(&named, Ok(("hub", "task.updated", &named)));
}

#[test]
fn bus_event_keeps_its_id_and_time() {
    let event = r#"{"id":"b-1","time":"2026-11-20T11:25:00Z","source":"a","detail-type":"t","detail":{}}"#;
    let (id, time) = named_by_the_bus(event);
    assert_eq!(
        (id.as_deref(), time.map(|time| time.to_string()).as_deref()),
        (Some("b-1"), Some("2026-11-20T11:25:00Z"))
    );
    for bare in [CLOUD, "", "[]", r#"{"source":"a","detail-type":"t","detail":{},"id":7,"time":"noon"}"#] {
        assert_eq!(named_by_the_bus(bare), (None, None), "{bare}");
    }
}

#[test]
fn eventbridge_event_is_unchanged() {
    let plain = r#"{"source":"a","detail-type":"user.created","detail":{"n":1.50}}"#;
    check(plain, Ok(("a", "user.created", r#"{"n":1.50}"#)));
    check(r#"{"source":"a","detail-type":"b","detail":[]}"#, Err("detail"));
    check(r#"{"source":"a","detail-type":"b"}"#, Err("detail"));
    check(r#"{"source":"a","detail":{}}"#, Err("detail-type"));
    check(r#"{"source":7,"detail-type":"b","detail":{}}"#, Err("source"));
    check(r#"{"source":"a","detail-type":"b","detail":{"specversion":"1.0"}}"#, Err("id"));
}

#[test]
fn other_text_is_refused() {
    check("", Err("body"));
    check("[]", Err("body"));
    check("{\"a\":", Err("body"));
    check("{\"a\":1}", Err("body"));
    check(r#"{"source":"a","source":"b"}"#, Err("source"));
}

#[test]
fn cloud_event_without_a_time_gets_that_of_the_bus() {
    let timeless = CLOUD.replace(r#","time":"2026-11-20T11:25:00Z""#, "");
    check(&timeless, Ok(("/tasks", "task.created", &timeless)));
    check(&CLOUD.replace(r#""2026-11-20T11:25:00Z""#, "null"), Ok(("/tasks", "task.created", &timeless)));
    let wrapped = format!(r#"{{"source":"/tasks","detail-type":"task.created","detail":{timeless}}}"#);
    check(&wrapped, Ok(("/tasks", "task.created", &timeless)));
    check(&CLOUD.replace("11:25:00Z", "11:25Z"), Err("time"));
}

#[test]
fn put_events_entry_has_the_aws_cli_format() {
    let entry = |more: &str| {
        format!(r#"{{"Source":"shop","DetailType":"order.paid","Detail":"{{\"n\":1.50}}"{more}}}"#)
    };
    check(&entry(""), Ok(("shop", "order.paid", r#"{"n":1.50}"#)));
    let full = entry(r#","Time":"2026-11-20T11:25:00Z","EventBusName":"carillon-dev","Resources":[]"#);
    let read = BusEntry::read(&full).unwrap();
    assert_eq!(read.time.map(|time| time.to_string()).as_deref(), Some("2026-11-20T11:25:00Z"));
    assert_eq!(read.bus.as_deref(), Some("carillon-dev"));
    assert!(BusEntry::read(&entry(r#","Time":1795000000"#)).unwrap().time.is_some());
    check(&entry(r#","Resources":["arn:x"]"#), Err("Resources"));
    check(&entry(r#","Colour":"red""#), Err("Colour"));
    check(&entry(r#","Time":"noon""#), Err("Time"));
    check(r#"{"Source":"s","DetailType":"t","Detail":"no json"}"#, Err("Detail"));
    check(r#"{"Source":"s","DetailType":"t","Detail":{}}"#, Err("Detail"));
    check(r#"{"Source":"s","Detail":"{}"}"#, Err("DetailType"));
    check(r#"{"Source":"s","DetailType":"t","Detail":"{\"specversion\":\"1.0\"}"}"#, Err("id"));
}

#[test]
fn requested_source_replaces_the_source_of_the_text() {
    let read = |text: &str| BusEntry::read_as(text, Some("/other")).unwrap();
    let sourceless = CLOUD.replace(r#""source":"/tasks","#, "");
    for text in [CLOUD, &sourceless, &CLOUD.replace("\"source\"", "\"Source\"")] {
        let read = read(text);
        assert_eq!((read.source.as_str(), &read.detail), ("/other", &CLOUD.replace("/tasks", "/other")));
    }
    let wrapped = read(&format!(r#"{{"detail-type":"task.created","detail":{CLOUD}}}"#));
    assert!(wrapped.source == "/other" && wrapped.detail.contains(r#""source":"/other""#), "{wrapped:?}");
    assert_eq!(read(r#"{"Source":"s","DetailType":"t","Detail":"{}"}"#).source, "/other");
    let body = r#"{"type":"booking.created","data":{},"timestamp":"2026-11-20T11:00:00Z"}"#;
    assert_eq!(read(body).source, "/other");
}

#[test]
fn invalid_attribute_is_noted() {
    let text = CLOUD.replace(r#""id":"1""#, r#""id":"1","priority":"p1""#);
    let notes = BusEntry::read(&text).unwrap().notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("priority: found a text of 2 characters"), "{notes:?}");
}

#[test]
fn entry_becomes_a_queue_message() {
    let entry = BusEntry::read(CLOUD).unwrap();
    let written = entry.to_bus_event("7", Timestamp::UNIX_EPOCH);
    let read = BusEvent::parse(&written).unwrap();
    assert_eq!((read.id.as_ref(), read.time.as_ref()), ("7", "1970-01-01T00:00:00Z"));
    assert_eq!(read.unverified_event(), Event::parse(CLOUD));
}

#[track_caller]
fn check(text: &str, expected: Result<(&str, &str, &str), &str>) {
    let read = BusEntry::read(text);
    let found = match &read {
        Ok(read) => Ok((read.source.as_str(), read.detail_type.as_str(), read.detail.as_str())),
        Err(refusal) => Err(refusal.attribute.as_str()),
    };
    assert_eq!(found, expected, "{text}");
}
