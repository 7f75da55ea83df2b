use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const DUE: Due = Due {
    sealed_until: Timestamp::constant(1_800_000_000 + 60 * 50, 0),
    expired_until: Timestamp::constant(1_800_000_000 + 60 * 50, 0),
};

/// An audit of some minutes with its seals.
struct Audit {
    records: BTreeMap<Timestamp, Vec<Leaf>>,
    seals: Vec<Sealed>,
}

#[test]
fn tree_follows_rfc_9162() {
    // The entries d[0..3] of the RFC's example in section 2.1.5, with hashes as leaves.
    let leaf = |text: &str| Hash::of(&[&[0], text.as_bytes()]);
    let node = |a: Hash, b: Hash| Hash::of(&[&[1], a.bytes(), b.bytes()]);
    let [a, b, c] = ["a", "b", "c"].map(leaf);
    assert_eq!(root(&[a, b, c]), node(node(a, b), c));
    let five: Vec<Hash> = ["a", "b", "c", "d", "e"].map(leaf).into();
    let four = node(node(five[0], five[1]), node(five[2], five[3]));
    assert_eq!(root(&five), node(four, five[4]));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(root(&[]).to_string(), empty);
}

#[test]
fn untouched_audit_has_no_findings() {
    let audit = audit(&[3, 1, 7]);
    assert_eq!(audit.findings(), []);
}

#[test]
fn every_kind_of_tampering_is_reported() {
    type Tampering = fn(&mut Audit);
    let cases: [(Kind, &str, Tampering); 11] = [
        (Kind::Changed, "event 1/1", |audit| audit.minute(1)[1].hash = Hash::of(&[b"x"])),
        (Kind::Removed, "event 1/0", |audit| drop(audit.minute(1).remove(0))),
        (Kind::Inserted, "event x", |audit| audit.minute(0).push(leaf("event x"))),
        (Kind::Moved, "event 0/0", |audit| {
            let record = audit.minute(0).remove(0);
            audit.minute(1).push(record);
        }),
        (Kind::BrokenChain, "seal 3 stands where seal 2 is expected", |audit| drop(audit.seals.remove(1))),
        (Kind::BadSignature, "seal 2", |audit| audit.seals[1].statement.records = 9),
        (Kind::BadSeal, "seal 1", |audit| drop(audit.seals[0].leaves.pop())),
        (Kind::BadSeal, "seal 2", |audit| audit.seals[1].leaves.swap(0, 1)),
        (Kind::BadSeal, "seal 1", |audit| audit.seals[0].leaves[0].record.push('x')),
        (Kind::BadSeal, "seal 1", |audit| audit.seals[0].leaves[0].expires = Some(1)),
        (Kind::Unsealed, "event late", |audit| {
            audit.records.insert(minute(9), vec![leaf("event late")]);
        }),
    ];
    for (kind, what, harm) in cases {
        let mut audit = audit(&[3, 2, 2]);
        harm(&mut audit);
        let found = audit.findings();
        assert!(
            found.iter().any(|finding| finding.kind == kind && finding.what == what),
            "{kind:?} {what}: {found:?}"
        );
    }
}

#[test]
fn expired_record_may_be_missing_but_not_earlier() {
    for (expires, expected) in [(DUE.expired_until, 0), (minute(51), 1)] {
        let mut audit = audit(&[0]);
        let lasting = Leaf { expires: Some(expires.as_second()), ..leaf("event 0/0") };
        audit.seals = vec![sealed(0, &[lasting], None)];
        assert_eq!(audit.findings().len(), expected);
    }
}

#[test]
fn cut_chain_is_found_within_an_hour() {
    let audit = audit(&[1, 1]);
    let missing = |sealed_until| {
        let due = Due { sealed_until, ..DUE };
        check(&audit.seals, None, &audit.records, due, |text, signature| signature == sign(text))
    };
    assert_eq!(missing(minute(61)), []);
    let what = "there is no seal after seal 2".to_owned();
    assert_eq!(missing(minute(62)), [Finding { minute: minute(61), kind: Kind::Missing, what }]);
}

#[test]
fn records_before_the_first_seal_are_not_reported() {
    let mut audit = audit(&[2]);
    let earlier = minute(0) - jiff::SignedDuration::from_mins(9);
    audit.records.insert(earlier, vec![leaf("event before")]);
    assert_eq!(audit.findings(), []);
}

#[test]
fn move_between_checked_parts_is_reported_once() {
    let at = |kind, what: &str| Finding { minute: minute(0), kind, what: what.to_owned() };
    let parts = vec![at(Kind::Removed, "a"), at(Kind::Inserted, "a"), at(Kind::Removed, "b")];
    assert_eq!(moved(parts), [at(Kind::Moved, "a"), at(Kind::Removed, "b")]);
}

#[test]
fn move_to_an_unsealed_minute_is_reported_as_moved() {
    let mut audit = audit(&[2, 1]);
    let one = audit.minute(0).remove(0);
    let late = ["a", "b"].map(leaf);
    audit.records.insert(minute(9), [vec![one], late.into()].concat());
    let expected = [
        Finding { minute: minute(0), kind: Kind::Moved, what: "event 0/0".to_owned() },
        Finding { minute: minute(9), kind: Kind::Unsealed, what: "2 records, such as a".to_owned() },
    ];
    assert_eq!(audit.findings(), expected);
}

#[test]
fn duplicate_seal_hides_no_findings() {
    let mut audit = audit(&[1, 1]);
    audit.seals.insert(1, audit.seals[0].clone());
    audit.minute(1).push(leaf("event x"));
    audit.minute(1).remove(0);
    let kinds: Vec<Kind> = audit.findings().iter().map(|finding| finding.kind).collect();
    assert!([Kind::Removed, Kind::Inserted].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

#[test]
fn recreated_seal_breaks_the_chain() {
    let mut audit = audit(&[2, 2, 2]);
    audit.minute(0)[0].hash = Hash::of(&[b"forged"]);
    let leaves = audit.records[&minute(0)].clone();
    audit.seals[0] = sealed(0, &leaves, None);
    assert_eq!(audit.findings().iter().map(|finding| finding.kind).collect::<Vec<_>>(), [Kind::BrokenChain]);
}

proptest! {
    #[test]
    fn any_changed_record_is_reported(
        sizes in vec(1_usize..6, 1..6), at in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(),
    ) {
        let mut audit = audit(&sizes);
        let at = at.index(sizes.len());
        let which = which.index(sizes[at]);
        audit.minute(at)[which].hash = Hash::of(&[b"other"]);
        let named = audit.minute(at)[which].record.clone();
        let found = audit.findings();
        prop_assert_eq!(found, [Finding { minute: minute(at), kind: Kind::Changed, what: named }]);
    }

    #[test]
    fn different_records_have_different_hashes(a in vec(("[a-c]{0,2}", "[a-c]{0,2}"), 0..4), b in vec(("[a-c]{0,2}", "[a-c]{0,2}"), 0..4)) {
        let a: BTreeMap<String, String> = a.into_iter().collect();
        let b: BTreeMap<String, String> = b.into_iter().collect();
        let [one, other] = [&a, &b].map(|attributes| Leaf::of("r".into(), attributes, None).hash);
        prop_assert_eq!(one == other, a == b);
    }
}

impl Audit {
    fn minute(&mut self, at: usize) -> &mut Vec<Leaf> {
        self.records.get_mut(&minute(at)).unwrap()
    }

    fn findings(&self) -> Vec<Finding> {
        check(&self.seals, None, &self.records, DUE, |text, signature| signature == sign(text))
    }
}

fn audit(sizes: &[usize]) -> Audit {
    let mut audit = Audit { records: BTreeMap::new(), seals: Vec::new() };
    for (minute_index, size) in sizes.iter().enumerate() {
        let leaves: Vec<Leaf> = (0..*size).map(|n| leaf(&format!("event {minute_index}/{n}"))).collect();
        let seal = sealed(minute_index, &leaves, audit.seals.last().map(|seal| &seal.statement));
        audit.records.insert(minute(minute_index), leaves);
        audit.seals.push(seal);
    }
    audit
}

fn sealed(at: usize, leaves: &[Leaf], before: Option<&Statement>) -> Sealed {
    let statement = Statement::of("test", minute(at), leaves, before, minute(at + 3));
    Sealed { signature: sign(&statement.text()), statement, leaves: leaves.to_vec() }
}

fn leaf(record: &str) -> Leaf {
    Leaf::of(record.to_owned(), &BTreeMap::from([("event".to_owned(), format!("S{record}"))]), None)
}

fn sign(text: &str) -> String {
    format!("signed {}", Hash::of(&[text.as_bytes()]))
}

fn minute(at: usize) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * i64::try_from(at).unwrap()).unwrap()
}
