use super::*;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_smithy_mocks::{RuleMode, mock, mock_client};

#[tokio::test]
async fn only_the_entries_that_may_still_work_are_offered_again() {
    let first = mock!(Client::put_events).match_requests(|it| it.entries().len() == 3).then_output(|| {
        PutEventsOutput::builder()
            .failed_entry_count(2)
            .entries(PutEventsResultEntry::builder().event_id("a").build())
            .entries(PutEventsResultEntry::builder().error_code("ThrottlingException").build())
            .entries(PutEventsResultEntry::builder().error_code("MalformedDetail").build())
            .build()
    });
    let second = mock!(Client::put_events)
        .match_requests(|it| it.entries().len() == 1 && it.entries()[0].detail() == Some("{\"n\":1}"))
        .then_output(|| {
            let entry = PutEventsResultEntry::builder().event_id("b").build();
            PutEventsOutput::builder().failed_entry_count(0).entries(entry).build()
        });
    let client = mock_client!(aws_sdk_eventbridge, RuleMode::Sequential, [&first, &second]);
    let entries: Vec<Entry> = (0..3)
        .map(|n| Entry { source: "s".into(), detail_type: "t".into(), detail: format!("{{\"n\":{n}}}") })
        .collect();
    let results = Bus::with_client(client, "bus".into()).put(&entries).await;
    assert_eq!(results[0].as_ref().unwrap(), "a");
    assert_eq!(results[1].as_ref().unwrap(), "b");
    assert_eq!(results[2].as_ref().unwrap_err().verdict, Verdict::Permanent);
}
