//! The writes behind the golden rows: one row of each kind, with every attribute that it can have.

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::base::sensitive::Sensitive;
use domain::base::stack_secret::StackSecret;
use domain::decide::Wanted;
use domain::delivery::breaker::Breaker;
use domain::delivery::job::Job;
use domain::delivery::rate_limit::Quota;
use domain::event::Event;
use domain::event::bus::BusEvent;
use domain::event::key::Key;
use domain::event::outbox_mark::{MarkKey, MarkedEntry};
use domain::event::producers::Tenants;
use domain::event::replay::received;
use domain::inbox::{Kept, Mark, View, Viewer};
use domain::limits::cancel::{CancelKey, Cancellation};
use domain::limits::counter::{Limit, Scope};
use domain::limits::digest::{self, DigestPolicy};
use domain::recipient::keyed_hash::KeyedHashes;
use domain::recipient::recipient_changes::{Change, RecipientChange, Stamp, Topic};
use domain::recipient::{PhoneNumber, Recipient, Settings, Suppression};
use domain::time::zone::Zone;
use domain::webhook::endpoint::secret::stored::{StoredSecret, StoredSecrets};
use domain::webhook::endpoint::secret::{Scheme, Secret};
use domain::webhook::endpoint::{DisabledBecause, Endpoint, EndpointId};
use jiff::SignedDuration;
use publish::Outbox;
use serde_json::json;

use super::table::Table;
use crate::*;

pub(super) const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);
pub(super) const KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
pub(super) const OTHER_KEY: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFH";

/// The tables, by the names of their golden files.
pub(super) const TABLES: [&str; 7] =
    ["ledger", "people", "inbox", "connections", "counters", "endpoints", "events"];

/// The rows of `table`.
pub(super) async fn write(table: &str) -> Vec<Item> {
    let rows = Table::default();
    let client = rows.client();
    match table {
        "ledger" => ledger(&Ledger::new(&client, "t".into())).await,
        "people" => people(&People::new(&client, "t".into())).await,
        "inbox" => {
            inbox(&Inbox::new(&client, "t".into()), &Ledger::new(&Table::default().client(), "t".into()))
                .await;
        }
        "connections" => connections(&Connections::new(&client, "t".into())).await,
        "counters" => counters(&Counters::new(&client, "t".into())).await,
        "endpoints" => endpoints(&Endpoints::new(&client, "t".into())).await,
        _ => events(&client).await,
    }
    rows.items()
}

/// A golden job of the domain, under the key `KEY`.
pub(super) fn job(name: &str) -> Job {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/fixtures/0.1.0/jobs");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()).unwrap()
}

fn job_under(name: &str, key: &str) -> Job {
    Job { key: Key::parse(key).unwrap(), ..job(name) }
}

pub(super) fn event() -> Event {
    Event::parse(
        r#"{"specversion":"1.0","id":"e-1","source":"/clinic","type":"appointment.booked","time":"2026-11-20T12:00:00Z",
            "subject":"appointment/7","tenant":"clinic-7","correlationid":"c-1","causationid":"e-0","actor":"dr-lee",
            "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"price":1.50}}"#,
    )
    .unwrap()
}

async fn ledger(ledger: &Ledger) {
    let lease = NOON + SignedDuration::from_secs(60);
    let sms = job_under("sms", OTHER_KEY);
    ledger.claim(&[&job("email"), &sms], "token-1", NOON, lease).await.unwrap();
    let settled = Settlement {
        key: sms.key.clone(),
        status: Status::Failed,
        reason: Some(Reason::RetriesExhausted),
        provider_id: Some("p-1".into()),
        tries: Some(3),
        note: Some("it takes the place of push: the device is gone".into()),
    };
    ledger.settle(&[settled], "token-1", NOON).await.unwrap();
    let row = LedgerRow {
        key: Key::parse(&KEY.replace('G', "I")).unwrap(),
        status: Status::Deferred,
        reason: Some(Reason::Merged),
        origin: sms.event.clone(),
        rule: "booked".into(),
        catalog: "0123456789ab".into(),
        recipient: "ann".into(),
        channel: Some(Channel::Email),
        step: 1,
        until: Some(NOON),
        joined: Some("wi-1".into()),
        note: Some("quiet hours until 07:00".into()),
        provider_id: Some("p-2".into()),
        marks: Default::default(),
        set: sms.set.clone(),
        times: Default::default(),
    };
    ledger.record(&[row], NOON).await.into_iter().for_each(|written| written.unwrap());
    // Sent, delivered and seen.
    let heard = job_under("sms", &KEY.replace('G', "J"));
    ledger.claim(&[&heard], "token-1", NOON, lease).await.unwrap();
    let sent =
        Settlement { provider_id: Some("p-3".into()), ..Settlement::new(&heard.key, Status::Sent, None) };
    ledger.settle(&[sent], "token-1", NOON).await.unwrap();
    let stored = ledger.stored(&heard.key).await.unwrap().unwrap();
    let to = stored.progress.hear(domain::feedback::receipt::StatusUpdate::Delivered, NOON);
    assert!(ledger.advance(&stored, &to, Some("p-3"), NOON).await.unwrap());
    let how = domain::catalog::rule::Unless::Acknowledged;
    ledger.notice(&heard.key, "ann", Some("clinic-7"), how, NOON).await.unwrap();
}

pub(super) fn ann() -> Recipient {
    let person = json!({
        "id": "ann", "name": "Ann", "email": "ann@example.com", "phone": "+493012345678", "whatsapp": "+493012345678",
        "devices": [{ "id": "d-1", "platform": "fcm", "endpoint": "arn:e", "zone": "Europe/Berlin" }], "locale": "de",
        "zone": "Europe/Berlin", "tenants": ["clinic-7", "clinic-8"],
        "roles": [{ "role": "staff", "in": "clinic-7" }], "topics": ["ward:3"],
        "topics_in": { "clinic-8": ["ward:4"] },
        "preferences": { "channels": { "email": false } }, "quiet": [{ "day": "sun", "type": "do_not_send" }],
        "in_tenants": { "clinic-7": { "zone": "Europe/London", "preferences": { "channels": { "sms": false } },
            "quiet": [{ "day": "sat", "type": "do_not_send" }] } },
        "suppressed": [{ "channel": "sms", "why": "opted_out" },
            { "channel": "email", "why": "bounced", "until": "2027-01-01T00:00:00Z", "address": "h-1" }],
        "unsubscribed": { "commercial": { "at": "2026-11-20T12:00:00Z", "message": "k-1" } },
    });
    serde_json::from_value(person).unwrap()
}

/// Addresses that release 0.1.0 accepted and that no address parser accepts.
pub(super) fn bad_addresses() -> Recipient {
    let person = json!({
        "id": "bad", "email": "a@b.c\r\nBcc: x@example.com", "phone": "+1900", "whatsapp": "none",
        "name": "n".repeat(2_000),
    });
    serde_json::from_value(person).unwrap()
}

async fn people(people: &People) {
    let stamp = |second| Stamp { at: NOON + SignedDuration::from_secs(second), by: "crm e-1".into() };
    let one = |id: &str, change, second| RecipientChange {
        id: id.into(),
        change,
        stamp: stamp(second),
        reach: Tenants::All,
    };
    let closed: Suppression = serde_json::from_value(json!({
        "channel": "whatsapp", "why": "bounced", "until": "2027-01-01T00:00:00Z", "address": "h-2" }))
    .unwrap();
    let changes = vec![
        one("ann", Change::Create(Box::new(ann())), 0),
        one("ann", Change::Update(serde_json::from_value(json!({ "name": "Ann Lee" })).unwrap()), 1),
        one("ann", Change::Join(Topic { tenant: Some("clinic-7".into()), name: "news:all".into() }), 2),
        one("ann", Change::Close(closed), 3),
        one("ann", Change::Unregister("d-2".into()), 4),
        one("bad", Change::Create(Box::new(bad_addresses())), 0),
        one("ben", Change::Remove, 5),
    ];
    people.apply(&changes).await.into_iter().for_each(|applied| assert!(applied.unwrap()));
    let settings: Settings = serde_json::from_value(json!({
        "zone": "Europe/London", "preferences": { "channels": { "sms": false } },
        "quiet": [{ "day": "sun", "type": "do_not_send" }] }))
    .unwrap();
    assert!(people.put_tenant("clinic-7", &settings, &stamp(0)).await.unwrap());
}

async fn inbox(inbox: &Inbox, ledger: &Ledger) {
    let mut stored = job("socket");
    if let domain::delivery::job::Content::Socket(socket) = &mut stored.content {
        socket.ephemeral = false;
    }
    let (user, kept) = Kept::of(&stored).unwrap();
    inbox.store(user, Some("clinic-7"), &kept, NOON).await.unwrap();
    let other = Kept { id: Key::parse(OTHER_KEY).unwrap(), data: None, truncated: true, ..kept.clone() };
    inbox.store(user, None, &other, NOON).await.unwrap();
    let viewer = Viewer { user: "ann".into(), view: View::All };
    let how = Some(domain::catalog::rule::Unless::Seen);
    let marked = mark(inbox, ledger, &viewer, vec![other.id.clone()], Mark::Read, how, NOON).await.unwrap();
    assert!(marked.changed);
}

async fn connections(connections: &Connections) {
    let who = |user: &str, view| Identity {
        user: user.into(),
        view,
        rooms: vec!["clinic:7".into(), "ward:*".into()],
        until: None,
    };
    let ann = who("ann", View::Tenant("clinic-7".into()));
    let admin = who("ben", View::Only("clinic-7".into()));
    let ticket = Ticket {
        text: "ticket-1".into(),
        identity: ann.clone(),
        issued_at: NOON,
        expires_at: NOON + SignedDuration::from_secs(30),
    };
    connections.issue(&ticket).await.unwrap();
    connections.open("c-1", &ann, NOON).await.unwrap();
    connections.join("c-1", &ann, "clinic:7", NOON).await.unwrap();
    connections.open("c-2", &admin, NOON).await.unwrap();
    connections.open("c-3", &Identity { rooms: Vec::new(), ..who("cid", View::All) }, NOON).await.unwrap();
}

async fn counters(counters: &Counters) {
    let key = Key::parse(KEY).unwrap();
    let limit: Limit =
        serde_json::from_value(json!({ "name": "hourly", "most": 3, "period": { "fixed": "1h" } })).unwrap();
    let wanted = Wanted { id: "limit-1".into(), limit, scope: Scope::Step, weight: 2 };
    counters.admit(&key, &[wanted], &[Channel::Email], &Zone::utc(), NOON).await.unwrap();
    let cancel = CancelKey::of(Some("clinic-7"), "booked", &["7".into()], &KeyedHashes::development());
    counters.cancel(&cancel, &Cancellation { at: NOON, by: "abcdefghijklmnop".into() }, NOON).await.unwrap();
    let joining = DigestArrival {
        key: &key,
        window: "w-1",
        policy: &DigestPolicy::default(),
        ends: NOON + SignedDuration::from_secs(600),
        item: &digest::Item::of(&event()),
        cancel: Some(&cancel),
    };
    counters.join(&joining, NOON).await.unwrap();
    let closed: Suppression = serde_json::from_value(json!({
        "channel": "email", "why": "bounced", "until": "2027-01-01T00:00:00Z", "address": "h-1" }))
    .unwrap();
    counters.suppress_address(&closed).await.unwrap();
    counters
        .hear(&KeyedHashes::development().caller(&PhoneNumber::parse("+493012345678").unwrap()), NOON)
        .await
        .unwrap();
    let mut tally = domain::delivery::breaker::Tally::default();
    (0..20).for_each(|_| tally.count(true, NOON));
    let broken = Breaker::default().record(&tally, NOON);
    counters.keep_breaker("ses", &KeptValue::default(), broken, NOON).await.unwrap();
    let slice = domain::delivery::rate_limit::Bucket::default().take(
        &Quota::per_second(10).unwrap(),
        3,
        NOON,
        std::time::Duration::from_secs(1),
    );
    counters.keep_bucket("ses", &KeptValue::default(), slice.next, NOON).await.unwrap();
    counters.page_done("p-1", NOON).await.unwrap();
    counters.rate(&["/clinic"], 7, 1_000, NOON).await.unwrap();
    let once = Once {
        scope: Sensitive::new(&["clinic-7", "POST", "/v1/events", "k-1"]),
        body: "hash",
        holder: "r-1",
        lease_until: NOON,
        expires_at: NOON + SignedDuration::from_secs(60),
    };
    counters.begin(&once, NOON).await.unwrap();
    counters.finish(&once, 202, "{\"id\":\"e-1\"}").await.unwrap();
    let once = Once { scope: Sensitive::new(&["clinic-7", "POST", "/v1/events", "k-2"]), ..once };
    counters.begin(&once, NOON).await.unwrap();
}

/// A value of the counters table. The inbox has a `Kept` of its own.
type KeptValue<T> = crate::Kept<T>;

async fn endpoints(endpoints: &Endpoints) {
    let id = EndpointId { tenant: Some("clinic-7".into()), id: "crm".into() };
    let endpoint: Endpoint = serde_json::from_value(json!({
        "tenant": "clinic-7", "id": "crm", "url": "https://example.com/hooks", "description": "CRM",
        "when": { "detail-type": [{ "prefix": "appointment." }] }, "version": "2026-05" }))
    .unwrap();
    let secret = |byte| Secret::new(Scheme::Hmac, vec![byte; 32]).unwrap();
    assert!(
        endpoints.put(&endpoint, &StoredSecrets::of(StoredSecret::Plain(secret(1))), NOON).await.unwrap()
    );
    endpoints
        .rotate(&id, async |old| Ok(old.rotated(StoredSecret::Plain(secret(2)), NOON)))
        .await
        .unwrap()
        .unwrap();
    assert!(endpoints.disable(&id, DisabledBecause::Failing, NOON).await.unwrap());
    let health = serde_json::from_value(json!({
        "failures": 12, "since": NOON, "last": NOON, "clock": NOON, "told": true, "exhausted_at": NOON }))
    .unwrap();
    assert!(endpoints.put_health(&id, &health, None).await.unwrap());
    let failed = Message { state: MessageState::Retrying, attempts: 2, next_at: Some(NOON) };
    assert!(endpoints.failed(&id, &job("webhook"), &failed, NOON).await.unwrap());
    let other = job_under("webhook", OTHER_KEY);
    assert!(endpoints.failed(&id, &other, &failed, NOON).await.unwrap());
    endpoints.delivered(&id, &other.key, NOON).await.unwrap();
    let attempt = Attempt {
        to: id,
        at: NOON,
        message: other.key,
        event_id: "e-1".into(),
        event_type: "appointment.booked".into(),
        attempt: 2,
        by_hand: true,
        status: Some(503),
        took_ms: 120,
        error: Some("no answer within 15 s".into()),
        response: Some("busy".into()),
        location: None,
        next_at: Some(NOON),
    };
    endpoints.keep(&[attempt]).await.unwrap();
}

async fn events(client: &Client) {
    let table = Events::new(client, "t".into());
    let marks = MarkKey::of(&StackSecret::read(&"0".repeat(32)).unwrap());
    let by_operator = |event, bus: &BusEvent<'_>| received(event, bus, |_| true);
    let bus = |detail: &str, resources: &str| {
        format!(
            r#"{{"version":"0","id":"b-1","detail-type":"appointment.booked","source":"/clinic","account":"1",
                "time":"2026-11-20T12:00:01Z","region":"eu-central-1","resources":{resources},"detail":{detail}}}"#
        )
    };
    let plain = bus(&event().to_json(), "[]");
    let plain = BusEvent::parse(&plain).unwrap();
    let mut replay = event();
    replay.extensions.insert("replayid".into(), domain::event::Extension::Text("r-1".into()));
    replay.extensions.insert("renotify".into(), domain::event::Extension::Bool(true));
    let replayed = bus(&replay.to_json(), "[]");
    let replayed = BusEvent::parse(&replayed).unwrap();
    let wrong = bus(r#"{"specversion":"0.3"}"#, "[]");
    let wrong = BusEvent::parse(&wrong).unwrap();
    let refusal = wrong.unverified_event().err().unwrap();
    let records = vec![
        Record::of(&by_operator(event(), &plain), &plain, &marks, NOON).kept_for(Some(30), NOON),
        Record::of(&by_operator(replay, &replayed), &replayed, &marks, NOON),
        Record::refused(&wrong, &refusal, NOON),
    ];
    table.append(&records).await.unwrap().into_iter().for_each(|kept| assert!(kept.unwrap().is_new));
    let stream = Stream::new(Some("clinic-7"), "appointment/7");
    let mut transaction = Vec::new();
    let outbox = Outbox::new("t");
    let some = [Event { id: "e-2".into(), ..event() }, Event { id: "e-3".into(), ..event() }];
    outbox.append(&mut transaction, &stream, 0, &some, NOON).unwrap();
    client.transact_write_items().set_transact_items(Some(transaction)).send().await.unwrap();
    // The first of the two has crossed the bus.
    let acknowledged = Event { sequence: Some(domain::event::Sequence::of_version(1)), ..some[0].clone() };
    let (place, text) = (Place::of(&acknowledged), acknowledged.to_json());
    let entry = MarkedEntry { source: "/clinic", id: "e-2", pk: &place.pk, sk: &place.sk };
    let mark = marks.sign(entry, &text).unwrap();
    let back = bus(&text, &json!([mark]).to_string());
    let back = BusEvent::parse(&back).unwrap();
    let record = Record::of(&by_operator(acknowledged, &back), &back, &marks, NOON);
    assert!(table.append(&[record]).await.unwrap().remove(0).unwrap().is_new);
    let snapshot = Snapshot { version: 1, state: "{}".into() };
    table.keep_snapshot(&stream, &snapshot, NOON).await.unwrap();
}
