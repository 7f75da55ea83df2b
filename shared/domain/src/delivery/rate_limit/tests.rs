use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn full_bucket_gives_a_burst_then_one_token_per_interval() {
    let quota = Quota::per_second(2).unwrap();
    let slice = Bucket::default().take(&quota, 5, NOON, Duration::from_secs(10));
    let after: Vec<i128> = slice.tokens.iter().map(|token| token.duration_since(NOON).as_millis()).collect();
    assert_eq!(after, [0, 0, 500, 1_000, 1_500]);
}

#[test]
fn tokens_too_far_ahead_are_not_given() {
    let quota = Quota::per_second(1).unwrap();
    let slice = Bucket::default().take(&quota, 10, NOON, Duration::from_secs(3));
    assert_eq!(slice.tokens.len(), 3);
    let none = slice.next.take(&quota, 1, NOON, Duration::from_secs(1));
    assert_eq!((none.tokens.len(), &none.next), (0, &slice.next), "and nothing is written");
}

#[test]
fn zero_rate_is_refused() {
    assert_eq!(Quota::per_second(0), None);
    assert_eq!(Quota::per_second(MAX_PER_SECOND + 1), None);
    assert_eq!(Quota::per_second(14).unwrap().burst(), 14);
}

#[test]
fn bucket_round_trips() {
    let quota = Quota::per_second(3).unwrap();
    let bucket = Bucket::default().take(&quota, 2, NOON, Duration::ZERO).next;
    let text = serde_json::to_string(&bucket).unwrap();
    assert_eq!(serde_json::from_str::<Bucket>(&text).unwrap(), bucket);
}

#[test]
fn parses_the_operators_notation() {
    let pings = Quota::parse("6/min:3").unwrap();
    assert_eq!((pings.burst(), pings.cost(2)), (3, SignedDuration::from_secs(20)));
    assert_eq!(Quota::parse("10/s:50").unwrap().cost(1), SignedDuration::from_millis(100));
    for text in
        ["", "10", "10/s", "0/s:5", "5/s:0", "5/h:5", "-1/s:5", "5/s:x", "100001/s:1", "1/s:100001", "5/s 5"]
    {
        assert_eq!(Quota::parse(text), Err(InvalidQuota), "{text}");
    }
}

#[test]
fn latest_and_wait_agree() {
    let quota = Quota::parse("1/s:3").unwrap();
    let at = |seconds: i64| NOON + SignedDuration::from_secs(seconds);
    assert_eq!(quota.latest(1, NOON), at(2));
    assert_eq!(quota.latest(3, NOON), NOON);
    assert_eq!(quota.wait(at(2), NOON), Duration::ZERO);
    assert_eq!(quota.wait(at(3), NOON), Duration::from_secs(1));
    assert_eq!(quota.wait(NOON, at(60)), Duration::ZERO, "a full bucket");
}

proptest! {
    /// Senders take slices in any order, with different clocks and outdated states. A write over an outdated state is
    /// refused. No window may have more tokens than rate × window + burst.
    #[test]
    fn no_window_exceeds_rate_and_burst(
        rate in 1_u32..50,
        acts in vec((0_usize..3, 1_usize..12, 0_i64..2_000, any::<bool>()), 1..80),
    ) {
        let quota = Quota::per_second(rate).unwrap();
        let mut row = (Bucket::default(), 0_u32);
        let mut views = vec![row.clone(); 3];
        let mut granted: Vec<Timestamp> = Vec::new();
        let mut now = NOON;
        for (who, n, millis, looks) in acts {
            now = now.saturating_add(SignedDuration::from_millis(millis)).unwrap();
            if looks {
                views[who] = row.clone();
            }
            let (bucket, version) = views[who].clone();
            let slice = bucket.take(&quota, n, now, Duration::from_secs(5));
            if !slice.tokens.is_empty() && version == row.1 {
                row = (slice.next, version + 1);
                granted.extend(slice.tokens);
            }
        }
        granted.sort();
        for (first, from) in granted.iter().enumerate() {
            for (last, to) in granted.iter().enumerate().skip(first) {
                let window = to.duration_since(*from).as_secs_f64();
                let most = f64::from(rate) * window + f64::from(quota.burst());
                let found = (last - first + 1) as f64;
                prop_assert!(found <= most + 1e-6, "{found} in {window} s at {rate}");
            }
        }
    }

    #[test]
    fn bucket_refills_over_time(rate in 1_u32..50, taken in 1_usize..200) {
        let quota = Quota::per_second(rate).unwrap();
        let empty = Bucket::default().take(&quota, taken, NOON, Duration::from_secs(3_600)).next;
        let later = NOON + SignedDuration::from_secs(600);
        let burst = usize::try_from(rate).unwrap();
        prop_assert_eq!(empty.take(&quota, burst, later, Duration::ZERO).tokens.len(), burst);
    }
}
