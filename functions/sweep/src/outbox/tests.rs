use std::cell::RefCell;

use domain::base::stack_secret::StackSecret;
use domain::event::Event;
use publish::InOrder;
use store::Item;

use super::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOON.as_second() + seconds).unwrap()
}

fn backlog(pending: &[(&str, i64)]) -> Backlog {
    let mut pending: Vec<_> = pending.iter().map(|(sk, seconds)| (place(sk), at(*seconds))).collect();
    pending.sort_by(|(a, a_at), (b, b_at)| (a_at, a).cmp(&(b_at, b)));
    Backlog { pending, failed: vec![(place("outbox#5"), at(-1))], is_cut: false }
}

/// `b` is version 11 of another stream.
fn place(name: &str) -> Place {
    let place = |pk: &str, sk: &str| Place { pk: pk.into(), sk: sk.into() };
    match name.parse::<u64>() {
        Ok(version) => Place::of_version("stream#-#a", version),
        Err(_) if name == "b" => Place::of_version("stream#-#b", 11),
        Err(_) => place("stream#-#a", name),
    }
}

#[track_caller]
fn check(pending: &[(&str, i64)], expected: &[&str]) {
    let expected: Vec<Place> = expected.iter().map(|entry| place(entry)).collect();
    assert_eq!(due(&backlog(pending), NOON, MIN_AGE), expected);
}

#[test]
fn young_entries_are_skipped_and_future_times_are_not() {
    let pending = [("outbox#1", -61), ("outbox#2", -59), ("outbox#3", 60), ("outbox#4", 86_400)];
    check(&pending, &["outbox#1", "outbox#4"]);
    let counted = counted(&backlog(&pending), NOON);
    assert_eq!((counted.pending, counted.oldest_seconds, counted.failed), (4, 61, 1));
}

#[test]
fn versions_go_in_their_order_whatever_the_clocks_of_their_producers_said() {
    check(&[("1", -70), ("2", -3_600), ("3", -65)], &["1", "2", "3"]);
    check(&[("9", -70), ("10", -3_600)], &["9", "10"]);
    check(&[("1", -70), ("2", -3_600), ("b", -80)], &["1", "b", "2"]);
}

#[test]
fn pending_predecessors_are_published_too() {
    check(&[("1", -5), ("2", -3_600), ("3", -4)], &["1", "2"]);
    check(&[("1", 200), ("2", -61)], &["1", "2"]);
    check(&[("1", -5), ("2", -4)], &[]);
}

#[test]
fn only_versions_have_one_before_them() {
    assert_eq!(before(&[place("1"), place("outbox#1")]), []);
    assert_eq!(
        before(&[place("2"), place("3"), place("b")]),
        [place("1"), Place::of_version("stream#-#b", 10)]
    );
}

/// A table whose index shows only some rows.
struct Table {
    rows: Vec<Place>,
    shown: Backlog,
}

impl OutboxView for Table {
    async fn backlog(&self) -> Result<Backlog, CallError> {
        Ok(self.shown.clone())
    }

    async fn read(&self, places: &[Place]) -> Result<Vec<Pending>, CallError> {
        let pending = places.iter().filter(|place| self.rows.contains(place)).map(|place| {
            let (subject, version) = (place.pk.strip_prefix("stream#-#").unwrap(), place.version().unwrap());
            let event = serde_json::json!({
                "specversion": "1.0", "id": format!("e-{version}"), "source": "/shop", "type": "order.paid",
                "subject": subject, "time": NOON.to_string(), "sequence": version.to_string(), "data": {},
            });
            let row = Item::default().text("pk", &place.pk).text("sk", &place.sk).text("pending", "0");
            Pending::read(&row.text("event", event.to_string())).unwrap()
        });
        Ok(pending.collect())
    }
}

impl Quarantine for Table {
    async fn quarantine(&self, place: &Place, cause: &str, _: Timestamp) -> Result<(), CallError> {
        panic!("{place:?} is put aside: {cause}")
    }
}

/// A bus that records the published events.
#[derive(Default)]
struct Said(RefCell<Vec<String>>);

impl PublishCalls for &Said {
    async fn put_call(&self, entries: &[&InOrder]) -> Vec<Result<String, CallError>> {
        let ids = entries.iter().map(|entry| Event::parse(&entry.entry.detail).unwrap().id);
        self.0.borrow_mut().extend(ids);
        entries.iter().map(|_| Ok(String::new())).collect()
    }
}

#[tokio::test]
async fn predecessors_missing_in_the_index_go_first() {
    let said = Said::default();
    let marks = MarkKey::of(&StackSecret::read(&"x".repeat(32)).unwrap());
    let table = || Table { rows: ["2", "3", "4"].map(place).to_vec(), shown: backlog(&[("4", -3_600)]) };
    let outbox = StaleOutbox::new(table(), Relay::new(&said, table()), marks, MIN_AGE);
    let (swept, _) = outbox.publish(NOON, || true).await.unwrap();
    assert_eq!(said.0.take(), ["e-2", "e-3", "e-4"]);
    assert_eq!(swept.published, 3);
}
