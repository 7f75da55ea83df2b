//! The word STOP.

use serde_json::json;

use super::*;

#[test]
fn who_says_stop_to_texts_is_not_written_to_and_only_a_later_word_opens_the_channel() {
    let event = |source: &str| {
        let text = json!({
            "specversion": "1.0", "id": "e-1", "source": source, "type": OPTED_OUT, "time": NOON.to_string(),
            "data": { "recipient": "ann", "channel": "sms" },
        });
        Event::parse(&text.to_string()).unwrap()
    };
    assert!(read(&event("elsewhere"), NOON).is_err(), "nobody else may say so");
    let Ok(Notice::People(people)) = read(&event(SMS), NOON) else { panic!("it is about somebody") };
    let mut entry = Entry::default();
    entry.apply(&create(1, json!({ "id": "ann", "name": "Ann" }))).unwrap();
    let stop = Amendment { stamp: at(2), ..people[0].clone() };
    assert!(entry.apply(&stop).unwrap() && !entry.apply(&stop).unwrap(), "once");
    let closed = json!([{ "channel": "sms", "why": "opted_out" }]);
    check(&entry, json!({ "id": "ann", "name": "Ann", "suppressed": closed }));
    entry.apply(&create(3, json!({ "id": "ann", "name": "Ann Lee" }))).unwrap();
    check(&entry, json!({ "id": "ann", "name": "Ann Lee", "suppressed": closed }));
    entry.apply(&update("ann", 4, json!({ "suppressed": [] }))).unwrap();
    assert!(!entry.apply(&stop).unwrap(), "the later word counts");
    check(&entry, json!({ "id": "ann", "name": "Ann Lee" }));
}
