//! Verification of an audit: records already read are hashed and compared with their seals.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::audit::seal::{Due, Leaf, Sealed, Statement, check, in_order};

/// Records of one minute: 17 events a second.
const PER_MINUTE: usize = 1_000;

const BEGIN: i64 = 1_800_000_000;

/// Seals, and the attributes of the records that they cover.
pub struct Audit {
    seals: Vec<Sealed>,
    records: Vec<(Timestamp, String, BTreeMap<String, String>)>,
}

impl Audit {
    pub fn of(records: usize) -> Audit {
        let records: Vec<_> = (0..records).map(record).collect();
        let mut seals: Vec<Sealed> = Vec::new();
        for (minute, leaves) in leaves(&records) {
            let statement =
                Statement::of("bench", minute, &leaves, seals.last().map(|seal| &seal.statement), minute);
            seals.push(Sealed { statement, signature: String::new(), leaves });
        }
        Audit { seals, records }
    }

    /// Number of findings for the records' attributes, without reads and signature checks.
    pub fn findings(&self) -> usize {
        let due = Due { sealed_until: at(0), expired_until: at(0) };
        check(&self.seals, None, &leaves(&self.records), due, |_, _| true).len()
    }
}

/// Prints the duration of one verification: wall-clock time and CPU time, because other processes may use the core.
pub fn run(records: usize) -> bool {
    let audit = Audit::of(records);
    let (began, worked) = (Instant::now(), on_core());
    let findings = black_box(&audit).findings();
    let (took, worked) = (began.elapsed(), on_core().saturating_sub(worked));
    let each = worked.as_nanos() / u128::try_from(records.max(1)).unwrap_or(1);
    let seals = audit.seals.len();
    println!(
        "verify {records} records, {seals} seals: {took:.2?}; {worked:.2?} on the core, {each} ns a record"
    );
    findings == 0
}

/// CPU time of this process on Linux; zero elsewhere.
fn on_core() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|part| part.parse().ok()).unwrap_or(0))
}

fn leaves(records: &[(Timestamp, String, BTreeMap<String, String>)]) -> BTreeMap<Timestamp, Vec<Leaf>> {
    let mut leaves: BTreeMap<Timestamp, Vec<Leaf>> = BTreeMap::new();
    for (minute, place, attributes) in records {
        leaves.entry(*minute).or_default().push(Leaf::of(place.clone(), attributes, None));
    }
    leaves.values_mut().for_each(|item| in_order(item));
    leaves
}

/// A record as the audit stores it: 12 attributes, about 900 bytes.
fn record(number: usize) -> (Timestamp, String, BTreeMap<String, String>) {
    let event = crate::samples::event();
    let attributes = [
        ("pk", format!("Sstream#t-1#order/{}", number % 5_000)),
        ("sk", format!("Sevent#shop#e-{number}#0a1b2c3d")),
        ("id", format!("Se-{number}")),
        ("source", "Sshop".to_owned()),
        ("type", "Sorder.paid".to_owned()),
        ("time", "S2027-01-15T08:00:00Z".to_owned()),
        ("tenant", "St-1".to_owned()),
        ("bus_id", format!("S00000000-0000-0000-0000-{number:012}")),
        ("recorded_at", "S2027-01-15T08:00:01.123456789Z".to_owned()),
        ("bucket", "S2027-01-15#3".to_owned()),
        ("digest", "Ssha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".to_owned()),
        ("event", format!("S{event}")),
    ];
    let attributes = attributes.map(|(name, item)| (name.to_owned(), item)).into();
    (
        at(number / PER_MINUTE),
        format!("stream#t-1#order/{}\nevent#shop#e-{number}", number % 5_000),
        attributes,
    )
}

fn at(minute: usize) -> Timestamp {
    Timestamp::from_second(BEGIN + 60 * i64::try_from(minute).expect("a small number"))
        .expect("a time of our age")
}
