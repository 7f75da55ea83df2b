use super::*;

#[test]
fn a_file_is_of_the_kind_that_the_event_says_or_else_the_bucket() {
    let (pdf, odd) = (Some("application/pdf"), Some("text/plain\r\nX: 1"));
    check(None, answer(206, pdf, 3, None), Ok(pdf));
    check(Some("text/csv"), answer(200, pdf, 3, None), Ok(Some("text/csv")));
    check(None, answer(200, Some("text/html; charset=utf-8"), 3, None), Ok(Some("text/html")));
    check(None, answer(200, odd, 3, None), Ok(None));
}

#[test]
fn missing_attachment_fails_and_unavailable_one_is_retried() {
    for (status, reason) in [
        (301, Some(Reason::NoAttachment)),
        (403, Some(Reason::ForbiddenAttachment)),
        (404, Some(Reason::NoAttachment)),
        (416, Some(Reason::NoAttachment)),
        (400, Some(Reason::NoAttachment)),
        (503, None),
        (500, None),
    ] {
        check(None, answer(status, None, 0, None), Err(reason));
    }
}

#[test]
fn attachments_over_the_limit_are_refused() {
    check(None, answer(206, None, ROOM, Some("bytes 0-9/10")), Ok(None));
    check(None, answer(206, None, ROOM, Some("bytes 0-9/11")), Err(Some(Reason::TooLarge)));
    check(None, answer(200, None, ROOM + 1, None), Err(Some(Reason::TooLarge)));
}

#[test]
fn a_key_is_escaped_as_the_signature_wants_it() {
    assert_eq!(escaped("2026/R 7+ü.pdf"), "2026/R%207%2B%C3%BC.pdf");
    assert_eq!(escaped("a/../b~c"), "a/../b~c");
}

#[tokio::test]
async fn unlisted_bucket_is_not_called() {
    let config = SdkConfig::builder().region(aws_types::region::Region::new("eu-central-1")).build();
    let buckets = AttachmentStore::new(&config, BTreeSet::from(["bills".to_owned()]), Prefixes::default());
    let refused = buckets.fetch(&[attachment("others", None)], Some("a")).await;
    assert!(is_forbidden(&refused), "it lies elsewhere");
    assert!(buckets.s3.get().is_none(), "no client was made");
}

#[tokio::test]
async fn foreign_file_is_refused_before_any_file_is_fetched() {
    let config = SdkConfig::builder().region(aws_types::region::Region::new("eu-central-1")).build();
    let buckets = AttachmentStore::new(&config, BTreeSet::from(["bills".to_owned()]), Prefixes::default());
    let file = |key: &str| Attachment { key: key.to_owned(), ..attachment("bills", None) };
    for (tenant, key) in [
        (Some("ten-a"), "tenants/ten-b/lab.pdf"),
        (Some("ten-a"), "tenants/ten-a/../ten-b/lab.pdf"),
        (None, "tenants/ten-b/lab.pdf"),
    ] {
        let files = [file("tenants/ten-a/own.pdf"), file(key)];
        let refused = buckets.fetch(&files, tenant).await;
        assert!(is_forbidden(&refused), "{tenant:?} {key}");
    }
    assert!(buckets.s3.get().is_none(), "no client was made");
}

fn is_forbidden(found: &Result<Vec<File>, Failure>) -> bool {
    matches!(found, Err(Failure::Permanent { reason: Reason::ForbiddenAttachment, .. }))
}

/// `None` in the error stands for a retryable failure.
#[track_caller]
fn check(kind: Option<&str>, answer: Answer, expected: Result<Option<&str>, Option<Reason>>) {
    let found =
        read(&attachment("bills", kind), answer, ROOM).map(|file| file.kind).map_err(|error| match error {
            Failure::Permanent { reason, .. } => Some(reason),
            Failure::Transient(_) | Failure::Throttled { .. } | Failure::Expired => None,
        });
    assert_eq!(found.as_ref().map(|found| found.as_deref()).map_err(Clone::clone), expected);
}

const ROOM: usize = 10;

fn attachment(bucket: &str, kind: Option<&str>) -> Attachment {
    let text = |value: &str| value.to_owned();
    Attachment {
        bucket: text(bucket),
        key: text("7"),
        name: "7.pdf".into(),
        kind: kind.map(text),
        inline: None,
    }
}

fn answer(status: u16, kind: Option<&str>, bytes: usize, range: Option<&str>) -> Answer {
    Answer { status, kind: kind.map(str::to_owned), range: range.map(str::to_owned), body: vec![b'x'; bytes] }
}
