//! Texts: SNS `Publish` to a phone number, and End User Messaging's `SendTextMessage`.
//!
//! Two numbers refuse, as numbers do: nobody has them, for they are among those that are kept for fiction.
//!
//! Source: SNS API reference, `Publish`; End User Messaging SMS API v2 reference, `SendTextMessage`, errors.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::record::Records;
use super::{Answer, Asked, attributes, sns_answer, sns_error};

/// Whose owner said stop.
const OPTED_OUT: &str = "+15005550198";

/// Where a text costs more than any limit.
const TOO_DEAR: &str = "+15005550199";

/// SNS.
pub(super) fn text(form: &BTreeMap<String, String>, records: &Records) -> Answer {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let to = field("PhoneNumber");
    if to == OPTED_OUT {
        let said = "Invalid parameter: PhoneNumber Reason: the phone number is opted out";
        return sns_error("InvalidParameter", said);
    }
    // SNS says yes to a text that costs too much, and does not send it: only a receipt tells.
    let what = json!({ "text": field("Message"), "attributes": attributes(form) });
    let id = records.keep("sms", to, &what);
    sns_answer("Publish", &format!("<MessageId>{id}</MessageId>"))
}

/// End User Messaging, in JSON.
pub(super) fn voice(asked: &Asked<'_>, records: &Records) -> Answer {
    let target =
        asked.headers.get("x-amz-target").and_then(|header| header.to_str().ok()).unwrap_or_default();
    if target != "PinpointSMSVoiceV2.SendTextMessage" {
        return refused("ValidationException", "UNKNOWN_OPERATION");
    }
    let request: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    match request["DestinationPhoneNumber"].as_str() {
        None => refused("ValidationException", "FIELD_VALIDATION_FAILED"),
        Some(OPTED_OUT) => refused("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        Some(TOO_DEAR) if request["MaxPrice"].is_string() => {
            refused("ValidationException", "PRICE_OVER_THRESHOLD")
        }
        Some(to) => {
            let id = records.keep("sms", to, &json!({ "text": request["MessageBody"], "request": request }));
            Answer::json(200, &json!({ "MessageId": id }))
        }
    }
}

fn refused(error: &str, reason: &str) -> Answer {
    Answer::json(400, &json!({ "__type": error, "Message": reason, "Reason": reason }))
}
