//! One event and any number of rules, the same on every run.

use serde_json::{Value, json};

/// A CloudEvent of 480 bytes, as P6 reads it.
pub fn event() -> String {
    let text = concat!(
        r#"{"specversion":"1.0","id":"ec7ac8ad-1b2b-406b-aae1-2c972399d29d","source":"ehr-service","#,
        r#""type":"ehr.lab_report.created","time":"2026-11-20T11:05:31Z","subject":"report/b61e6ba5","#,
        r#""tenant":"clinic-0","priority":"high","datacontenttype":"application/json","data":{"#,
        r#""reportId":"b61e6ba5-3682-4dd6","orderedBy":"clinician-no","userId":"patient-lena","#,
        r#""panel":"Lipid panel","status":"final","urgency":"routine","flag":"abnormal","#,
        r#""results":[{"code":"2093-3","value":6.4,"unit":"mmol/L"}]}}"#,
    );
    assert_eq!(text.len(), 480);
    text.to_owned()
}

/// The same event as a rule sends it to a queue, 760 bytes, as P5 matches it.
pub fn envelope() -> String {
    let text = format!(
        concat!(
            r#"{{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"ehr.lab_report.created","#,
            r#""source":"ehr-service","account":"123456789012","time":"2026-11-20T11:05:32Z","#,
            r#""region":"eu-west-1","resources":["arn:aws:events:eu-west-1:123456789012:event-bus/carillon"],"#,
            r#""detail":{}}}"#,
        ),
        event()
    );
    assert_eq!(text.len(), 760);
    text
}

/// An event that is refused at its last attribute. All others are valid.
pub fn refused() -> String {
    event().replace(r#""datacontenttype":"application/json""#, r#""datacontenttype":"application/json!""#)
}

/// This many patterns, in the forms and proportions of `config/rules`. [`MATCHES`] of them match [`envelope`] for any
/// count.
pub fn patterns(count: usize) -> Vec<Value> {
    (0..count).map(|at| pattern(at % 14, at / 14)).collect()
}

/// Number of patterns, of 14 or more, that match the event.
pub const MATCHES: usize = 5;

/// This many patterns on the detail-type alone, equivalent to [`regexes`].
pub fn types(count: usize) -> Vec<Value> {
    let kind = |at: usize| {
        let n = at / 14;
        match at % 14 {
            0 => json!([format!("billing.invoice{n}.created")]),
            1 => json!(["booking.created"]),
            2 => json!([{ "prefix": format!("medication{n}.") }, { "prefix": format!("shift{n}.") }]),
            3 => json!([{ "wildcard": format!("ehr{}.*.created", suffix(n)) }]),
            4 => json!([format!("ehr.lab_report{}.created", suffix(n))]),
            5 | 12 => json!([format!("ehr.vital_sign{n}.created")]),
            6 => json!([format!("task{n}.created")]),
            7 => json!([format!("appointment{n}.created")]),
            8 => json!([format!("billing.invoice{n}.sent")]),
            9 => json!([{ "suffix": format!(".completed{n}") }]),
            10 => json!([{ "suffix": format!("report{}.created", suffix(n)) }]),
            11 => json!([{ "prefix": format!("ehr{}.", suffix(n)) }]),
            _ => json!([format!("user{n}.created"), format!("user{n}.deleted")]),
        }
    };
    (0..count).map(|at| json!({ "detail-type": kind(at) })).collect()
}

/// Number of [`types`] or [`regexes`], of 14 or more, that match the event.
pub const TYPE_MATCHES: usize = 4;

/// Regular expressions equivalent to [`types`], as a regex-based system would use.
pub fn regexes(count: usize) -> Vec<String> {
    (0..count)
        .map(|at| {
            let n = at / 14;
            match at % 14 {
                0 => format!(r"^billing\.invoice{n}\.created$"),
                1 => r"^booking\.created$".to_owned(),
                2 => format!(r"^(medication{n}\.|shift{n}\.)"),
                3 => format!(r"^ehr{}\..*\.created$", suffix(n)),
                4 => format!(r"^ehr\.lab_report{}\.created$", suffix(n)),
                5 | 12 => format!(r"^ehr\.vital_sign{n}\.created$"),
                6 => format!(r"^task{n}\.created$"),
                7 => format!(r"^appointment{n}\.created$"),
                8 => format!(r"^billing\.invoice{n}\.sent$"),
                9 => format!(r"\.completed{n}$"),
                10 => format!(r"report{}\.created$", suffix(n)),
                11 => format!(r"^ehr{}\.", suffix(n)),
                _ => format!(r"^(user{n}\.created|user{n}\.deleted)$"),
            }
        })
        .collect()
}

fn pattern(shape: usize, n: usize) -> Value {
    match shape {
        0 => json!({ "detail-type": [format!("billing.invoice{n}.created")] }),
        1 => json!({ "source": [format!("booking-service-{n}")], "detail-type": ["booking.created"] }),
        2 => json!({ "detail-type": [
            { "prefix": format!("medication{n}.") }, { "prefix": format!("shift{n}.") },
        ] }),
        // matches
        3 => json!({ "detail-type": [{ "wildcard": format!("ehr{}.*.created", suffix(n)) }] }),
        // matches
        4 => json!({
            "detail-type": [format!("ehr.lab_report{}.created", suffix(n))],
            "detail": { "data": { "flag": ["abnormal", "critical"] } },
        }),
        // matches; one type, many tenants
        5 => {
            json!({ "detail-type": ["ehr.lab_report.created"], "detail": { "tenant": [format!("clinic-{n}")] } })
        }
        6 => json!({ "detail-type": [format!("task{n}.created")], "detail": { "data": {
            "orderedBy": [{ "exists": true }],
            "$or": [{ "flag": ["abnormal"] }, { "urgency": [{ "equals-ignore-case": "stat" }] }],
        } } }),
        7 => json!({ "detail-type": [format!("appointment{n}.created")], "detail": { "data": {
            "status": [{ "anything-but": ["draft", "cancelled"] }],
        } } }),
        8 => json!({ "detail-type": [format!("billing.invoice{n}.sent")], "detail": { "data": {
            "total": [{ "numeric": [">=", 1000] }],
        } } }),
        9 => json!({ "detail-type": [{ "suffix": format!(".completed{n}") }] }),
        // no type, only a value of the payload
        10 => json!({ "detail-type": [{ "suffix": ".created" }], "detail": { "data": {
            "reportId": [format!("report-{n}")],
        } } }),
        // matches
        11 => json!({ "source": [{ "equals-ignore-case": format!("EHR-Service{}", suffix(n)) }] }),
        // matches; one type, many values of the payload
        12 => json!({ "detail-type": ["ehr.lab_report.created"], "detail": { "data": {
            "userId": [if n == 0 { "patient-lena".to_owned() } else { format!("patient-{n}") }],
            "status": [{ "anything-but": "draft" }],
        } } }),
        _ => json!({ "detail-type": [format!("user{n}.created"), format!("user{n}.deleted")] }),
    }
}

fn suffix(n: usize) -> String {
    if n == 0 { String::new() } else { n.to_string() }
}
