//! SMS: SNS `Publish` to a phone number, and End User Messaging's `SendTextMessage`.
//!
//! Two of the numbers that are reserved for fiction refuse messages.
//!
//! Source: SNS API reference, `Publish`; End User Messaging SMS API v2 reference, `SendTextMessage`, errors.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::records::Records;
use super::{Answer, Request, attributes, sns_answer, sns_error};

/// A number with an opt-out.
const OPTED_OUT: &str = "+15005550198";

/// A number whose price is above any limit.
const OVER_PRICE: &str = "+15005550199";

/// SNS `Publish`.
pub(super) fn publish(form: &BTreeMap<String, String>, records: &Records) -> Answer {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let to = field("PhoneNumber");
    if to == OPTED_OUT {
        let message = "Invalid parameter: PhoneNumber Reason: the phone number is opted out";
        return sns_error("InvalidParameter", message);
    }
    // SNS accepts a message above the price limit and does not send it. The receipt reports that.
    let message = json!({ "text": field("Message"), "attributes": attributes(form) });
    let id = records.add("sms", to, &message);
    sns_answer("Publish", &format!("<MessageId>{id}</MessageId>"))
}

/// End User Messaging `SendTextMessage`, in JSON.
pub(super) fn send_text_message(call: &Request<'_>, records: &Records) -> Answer {
    let target = call.headers.get("x-amz-target").and_then(|header| header.to_str().ok()).unwrap_or_default();
    if target != "PinpointSMSVoiceV2.SendTextMessage" {
        return refused("ValidationException", "UNKNOWN_OPERATION");
    }
    let request: Value = serde_json::from_slice(call.body).unwrap_or_default();
    match request["DestinationPhoneNumber"].as_str() {
        None => refused("ValidationException", "FIELD_VALIDATION_FAILED"),
        Some(OPTED_OUT) => refused("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        Some(OVER_PRICE) if request["MaxPrice"].is_string() => {
            refused("ValidationException", "PRICE_OVER_THRESHOLD")
        }
        Some(to) => {
            let id = records.add("sms", to, &json!({ "text": request["MessageBody"], "request": request }));
            Answer::json(200, &json!({ "MessageId": id }))
        }
    }
}

fn refused(error: &str, reason: &str) -> Answer {
    Answer::json(400, &json!({ "__type": error, "Message": reason, "Reason": reason }))
}
