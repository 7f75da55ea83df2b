//! The receipts of AWS's simulator addresses, as EventBridge delivers them.
//!
//! Source: SES developer guide, "Using the mailbox simulator"; End User Messaging SMS user guide, "SMS simulator phone
//! numbers". WhatsApp has no simulator, so the same numbers are used.

use domain::Timestamp;
use serde_json::{Value, json};

const MAILBOX: &str = "simulator.amazonses.com";

const REACHED: &str = "+14254147755";
const BLOCKED: &str = "+14254147167";

/// The receipts of an e-mail to the mailbox simulator; none for other addresses. A label after `+` is ignored.
pub(super) fn email(to: &str, id: &str, now: Timestamp) -> Vec<Value> {
    let Some((local, MAILBOX)) = to.rsplit_once('@') else { return Vec::new() };
    let name = local.split('+').next().unwrap_or(local).to_lowercase();
    let send = || ses("Email Sent", "Send", to, id, now, json!({ "send": {} }));
    let delivered = || {
        let delivery = json!({ "timestamp": now, "processingTimeMillis": 500, "recipients": [to],
            "smtpResponse": "250 2.6.0 Message received", "reportingMTA": "mta.example.com" });
        ses("Email Delivered", "Delivery", to, id, now, json!({ "delivery": delivery }))
    };
    let bounced = |kind: &str, sub: &str, status: &str| {
        let bounce = json!({ "feedbackId": id, "bounceType": kind, "bounceSubType": sub, "timestamp": now,
            "bouncedRecipients": [{ "emailAddress": to, "action": "failed", "status": status,
                "diagnosticCode": "smtp; 550 5.1.1 user unknown" }], "reportingMTA": "dsn; mta.example.com" });
        ses("Email Bounced", "Bounce", to, id, now, json!({ "bounce": bounce }))
    };
    let complained = || {
        let complaint = json!({ "feedbackId": id, "complaintSubType": null, "timestamp": now, "arrivalDate": now,
            "complainedRecipients": [{ "emailAddress": to }], "complaintFeedbackType": "abuse",
            "userAgent": "Amazon SES Mailbox Simulator" });
        ses("Email Complaint Received", "Complaint", to, id, now, json!({ "complaint": complaint }))
    };
    match name.as_str() {
        "success" => vec![send(), delivered()],
        "bounce" => vec![send(), bounced("Permanent", "General", "5.1.1")],
        "suppressionlist" => vec![send(), bounced("Permanent", "Suppressed", "5.1.1")],
        "ooto" => vec![send(), delivered(), bounced("Transient", "General", "4.0.0")],
        "complaint" => vec![send(), delivered(), complained()],
        _ => Vec::new(),
    }
}

fn ses(detail_type: &str, event_type: &str, to: &str, id: &str, now: Timestamp, detail: Value) -> Value {
    let mut detail = detail;
    detail["eventType"] = event_type.into();
    detail["mail"] = json!({ "timestamp": now, "messageId": id, "destination": [to], "headersTruncated": false,
        "headers": [], "commonHeaders": { "to": [to] }, "tags": {} });
    bus("aws.ses", detail_type, now, &detail)
}

/// The receipt of an SMS.
pub(super) fn sms(to: &str, id: &str, now: Timestamp) -> Vec<Value> {
    let (event_type, status) = match to {
        REACHED => ("TEXT_DELIVERED", "DELIVERED"),
        BLOCKED => ("TEXT_BLOCKED", "BLOCKED"),
        _ => return Vec::new(),
    };
    let detail = json!({ "eventType": event_type, "eventVersion": "1.0", "isFinal": true,
        "eventTimestamp": now.as_millisecond(), "messageId": id, "messageStatus": status, "isoCountryCode": "US" });
    vec![bus("aws.sms-voice", "Text Message Delivery Status Updated", now, &detail)]
}

/// The receipts of a WhatsApp message.
pub(super) fn whatsapp(to: &str, id: &str, now: Timestamp) -> Vec<Value> {
    let to = format!("+{}", to.trim_start_matches('+'));
    let statuses: &[(&str, &str)] = match to.as_str() {
        REACHED => &[("Sent", "sent"), ("Delivered", "delivered"), ("Read", "read")],
        BLOCKED => &[("Sent", "sent"), ("Failed", "failed")],
        _ => return Vec::new(),
    };
    let receipts = statuses.iter().map(|(name, status)| {
        let mut detail = json!({ "messageId": id, "status": status, "originationPhoneNumber": "15815555555",
            "eventTimestamp": now.as_second().to_string() });
        if *name == "Failed" {
            detail["errors"] = json!([{ "code": 131_026, "title": "Message undeliverable" }]);
        }
        bus("aws.social-messaging", &format!("WhatsApp Message {name}"), now, &detail)
    });
    receipts.collect()
}

fn bus(source: &str, detail_type: &str, now: Timestamp, detail: &Value) -> Value {
    json!({ "version": "0", "id": format!("played-{}", now.as_nanosecond()), "detail-type": detail_type,
        "source": source, "account": "000000000000", "time": now, "region": "us-east-1", "resources": [],
        "detail": detail })
}

#[cfg(test)]
mod tests {
    use domain::base::outcome::Reason;
    use domain::feedback::receipt::{self, ProviderEvent, StatusUpdate};

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn feedback_reads_the_simulated_receipts() {
        let simulated = |name: &str| email(&format!("{name}@{MAILBOX}"), "m-1", NOON);
        check(&simulated("bounce"), &[StatusUpdate::Accepted, StatusUpdate::Bounced]);
        check(&simulated("bounce+label"), &[StatusUpdate::Accepted, StatusUpdate::Bounced]);
        check(
            &simulated("complaint"),
            &[StatusUpdate::Accepted, StatusUpdate::Delivered, StatusUpdate::Complained],
        );
        check(&simulated("success+x"), &[StatusUpdate::Accepted, StatusUpdate::Delivered]);
        let late = StatusUpdate::Undelivered(Reason::Undeliverable);
        check(&simulated("ooto"), &[StatusUpdate::Accepted, StatusUpdate::Delivered, late]);
        check(&simulated("other"), &[]);
        check(&email("bounce@example.com", "m-1", NOON), &[]);
        check(&sms(REACHED, "m-1", NOON), &[StatusUpdate::Delivered]);
        check(&sms(BLOCKED, "m-1", NOON), &[StatusUpdate::Undelivered(Reason::Blocked)]);
        check(
            &whatsapp(&REACHED[1..], "m-1", NOON),
            &[StatusUpdate::Accepted, StatusUpdate::Delivered, StatusUpdate::Seen],
        );
        check(&whatsapp(BLOCKED, "m-1", NOON), &[StatusUpdate::Accepted, StatusUpdate::Bounced]);
        check(&whatsapp("+491", "m-1", NOON), &[]);
    }

    #[track_caller]
    fn check(receipts: &[Value], expected: &[StatusUpdate]) {
        let read = receipts.iter().map(|receipt| match receipt::read(&receipt.to_string()) {
            Ok(ProviderEvent::Receipt(receipt)) if receipt.provider_id.as_deref() == Some("m-1") => {
                receipt.news
            }
            Ok(_) => panic!("no receipt of this message: {receipt}"),
            Err(refusal) => panic!("{refusal}: {receipt}"),
        });
        assert_eq!(read.collect::<Vec<_>>(), expected);
    }
}
