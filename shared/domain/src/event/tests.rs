use super::Event;
use crate::pattern::Pattern;
use crate::pattern::index::Index;

#[test]
fn patterns_match_an_invalid_value() {
    let event = Event::parse(
        r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","time":"2026-11-20T12:00:00Z",
            "priority":"p1","data":{"a":1},"labels":{"team":"a"}}"#,
    )
    .unwrap();
    for (pattern, matches) in [
        (r#"{"detail":{"priority":["p1"]}}"#, true),
        (r#"{"detail":{"priority":[{"exists":false}]}}"#, false),
        (r#"{"detail":{"labels":{"team":["a"]},"data":{"a":[1]}}}"#, true),
        (r#"{"detail":{"priority":["high"]}}"#, false),
    ] {
        let source = serde_json::from_str(pattern).unwrap();
        let pattern = Pattern::compile(&source).unwrap();
        assert_eq!(pattern.matches(&event.document()), matches, "{source}");
        let found = Index::from_iter([pattern]).matching(&event);
        assert_eq!(!found.is_empty(), matches, "{source}");
    }
}
