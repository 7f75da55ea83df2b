use super::*;

#[test]
fn push_notification_is_recorded_as_the_platform_reads_it() {
    let records = Records::in_memory();
    let message = r#"{"default":"T","GCM":"{\"fcmV1Message\":{}}"}"#;
    let answer = publish(&records, "arn:aws:sns:::endpoint/GCM/app/1", message);
    assert_eq!(answer.status, 200);
    let found = captured(&records, "channel=push");
    assert_eq!(found.len(), 1);
    assert!(answer.body.contains(&format!("<MessageId>{}</MessageId>", found[0]["id"].as_str().unwrap())));
    assert_eq!(found[0]["to"], "arn:aws:sns:::endpoint/GCM/app/1");
    assert_eq!(found[0]["message"]["GCM"], json!({ "fcmV1Message": {} }));
    assert_eq!(found[0]["attributes"], json!({ "AWS.SNS.MOBILE.FCM.TTL": "60" }));
}

#[test]
fn disabled_device_refuses_push_notifications() {
    let records = Records::in_memory();
    let answer = publish(&records, "arn:aws:sns:::endpoint/GCM/disabled/1", r#"{"default":"T"}"#);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("<Code>EndpointDisabled</Code>"));
    assert!(captured(&records, "").is_empty());
}

#[test]
fn device_is_created_read_changed_and_deleted() {
    let records = Records::in_memory();
    let call = |action: &str, more: &[(&str, &str)]| {
        let mut form = BTreeMap::from([("Action".to_owned(), action.to_owned())]);
        form.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        sns(&form, &records)
    };
    let creation = [("PlatformApplicationArn", "arn:aws:sns:::app/GCM/shop"), ("Token", "t-1")];
    let arn = "arn:aws:sns:::endpoint/GCM/shop/0";
    for _ in 0..2 {
        assert!(
            call("CreatePlatformEndpoint", &creation)
                .body
                .contains(&format!("<EndpointArn>{arn}</EndpointArn>"))
        );
    }
    let off =
        [("EndpointArn", arn), ("Attributes.entry.1.key", "Enabled"), ("Attributes.entry.1.value", "false")];
    assert_eq!(call("SetEndpointAttributes", &off).status, 200);
    assert!(call("CreatePlatformEndpoint", &creation).body.contains("already exists with the same Token"));
    assert!(publish(&records, arn, r#"{"default":"T"}"#).body.contains("EndpointDisabled"));
    assert!(call("GetEndpointAttributes", &off[..1]).body.contains("<value>false</value>"));
    assert_eq!(call("DeleteEndpoint", &off[..1]).status, 200);
    assert!(call("GetEndpointAttributes", &off[..1]).body.contains("NotFound"));
    assert!(publish(&records, arn, r#"{"default":"T"}"#).body.contains("No endpoint found"));
}

#[test]
fn sms_is_recorded_and_opted_out_number_refuses() {
    let records = Records::in_memory();
    let send = |to: &str| {
        let form = [("Action", "Publish"), ("PhoneNumber", to), ("Message", "Hi")];
        sns(&form.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), &records)
    };
    assert_eq!(send("+15550100").status, 200);
    assert_eq!(captured(&records, "channel=sms&to=%2B15550100")[0]["text"], "Hi");
    assert!(send("+15005550198").body.contains("opted out"));
    assert!(captured(&records, "channel=sms&to=%2B15005550198").is_empty());
}

#[test]
fn malformed_push_notification_is_refused() {
    for message in ["", "no json", "{}", r#"{"default":1}"#] {
        let answer = publish(&Records::in_memory(), "arn:aws:sns:::endpoint/GCM/app/1", message);
        assert!(answer.body.contains("<Code>InvalidParameter</Code>"), "{message:?}");
    }
}

#[test]
fn whatsapp_message_is_recorded_as_whatsapp_reads_it() {
    let records = Records::in_memory();
    let message = json!({ "messaging_product": "whatsapp", "to": "+15550100", "type": "text" });
    let body = json!({
        "message": STANDARD.encode(message.to_string()), "originationPhoneNumberId": "p", "metaApiVersion": "v20.0",
    });
    let answer = post(&records, "/v1/whatsapp/send", &body.to_string());
    assert_eq!(answer.status, 200);
    let found = captured(&records, "channel=whatsapp&to=%2B15550100");
    assert_eq!((&found[0]["message"], &found[0]["from"]), (&message, &json!("p")));
    assert!(captured(&records, "channel=whatsapp&to=%2B15550101").is_empty());
    assert_eq!(post(&records, "/v1/whatsapp/send", "{}").status, 400);
}

#[test]
fn webhook_message_is_recorded_with_its_headers() {
    let records = Records::in_memory();
    assert_eq!(post(&records, "/hooks/shop", "{}").status, 200);
    let found = captured(&records, "channel=webhook");
    assert_eq!((&found[0]["to"], &found[0]["body"]), (&json!("/hooks/shop"), &json!("{}")));
    assert_eq!(found[0]["headers"]["webhook-id"], "w-1");
    assert_eq!(post(&records, "/elsewhere", "{}").status, 404);
}

#[test]
fn receiver_answers_as_its_path_says() {
    let records = Records::in_memory();
    let status = |path: &str| post(&records, path, "{}").status;
    assert_eq!(
        [status("/hooks/fail/410/a"), status("/hooks/fail/99/a"), status("/hooks/fail")],
        [410, 500, 500]
    );
    let flaky = [status("/hooks/flaky/2/a"), status("/hooks/flaky/2/a"), status("/hooks/flaky/2/a")];
    assert_eq!(flaky, [500, 500, 200]);
    let busy = post(&records, "/hooks/busy/90/a", "{}");
    assert_eq!((busy.status, busy.header), (503, Some(("retry-after", "90".to_owned()))));
    assert_eq!(post(&records, "/hooks/redirect/a", "{}").status, 302);
    assert_eq!(
        post(&records, "/hooks/slow/999999/a", "{}").delay,
        Duration::from_secs(60),
        "the longest delay"
    );
    assert_eq!(post(&records, "/hooks/large/a", "{}").padding, 1 << 30);
}

#[test]
fn receiver_answers_a_challenge_if_its_path_says_so() {
    let records = Records::in_memory();
    let challenge = r#"{"type":"carillon.endpoint.verify","data":{"challenge":"abc"}}"#;
    assert_eq!(post(&records, "/hooks/prove/a", challenge).body, r#"{"challenge":"abc"}"#);
    assert!(!post(&records, "/hooks/a", challenge).body.contains("abc"));
    assert!(!post(&records, "/hooks/prove/a", "{}").body.contains("challenge"));
}

fn publish(records: &Records, target: &str, message: &str) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "Publish")
        .append_pair("TargetArn", target)
        .append_pair("Message", message)
        .append_pair("MessageStructure", "json")
        .append_pair("MessageAttributes.entry.1.Name", "AWS.SNS.MOBILE.FCM.TTL")
        .append_pair("MessageAttributes.entry.1.Value.DataType", "String")
        .append_pair("MessageAttributes.entry.1.Value.StringValue", "60")
        .finish();
    post(records, "/", &body)
}

fn post(records: &Records, path: &str, body: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", hyper::header::HeaderValue::from_static("w-1"));
    let request = Request { method: "POST", path, query: "", headers: &headers, body: body.as_bytes() };
    answer(&request, records)
}

fn captured(records: &Records, query: &str) -> Vec<Value> {
    let request = Request { method: "GET", path: "/captured", query, headers: &HeaderMap::new(), body: b"" };
    serde_json::from_str(&answer(&request, records).body).unwrap()
}
