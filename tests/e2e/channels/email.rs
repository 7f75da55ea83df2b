//! E-mails in detail as SES receives them: sender, headers, attachments, unsubscribe links.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::base::outcome::{Reason, Status};
use domain::delivery::job::Job;
use serde_json::{Value, json};
use store::LedgerRow;
use testkit::cloud::{Cloud, cloud_event, entry, now_text};
use testkit::until::{quiet, until};
use workspace::{root, unique};

/// Bucket from which e-mails of the local cloud may attach files.
const BUCKET: &str = "carillon-local-files";

/// Tenant of the jobs that these tests put into the queue.
const TENANT: &str = "tests";

#[tokio::test]
async fn one_click_unsubscribe_stops_offers_and_keeps_transactional_mail() {
    let cloud = Cloud::connect();
    let (market, reader) = (unique("market"), unique("reader"));
    let email =
        follower(&cloud, &reader, &format!("offers:{market}"), json!({ "commercial_subscribed": true }))
            .await;
    let first = offer(&cloud, &market, &email).await;
    let link = link_in(&first);
    let shown = format!("Unsubscribe: {link}");
    assert!(first["text"].as_str().unwrap().lines().any(|line| line == shown), "it can be seen too: {first}");

    // A GET by a mail scanner changes no preference.
    for _ in 0..2 {
        let page = ask("GET", &link, Some("de-AT,de;q=0.9"));
        assert_eq!(page.status, 200);
        assert!(
            page.body.contains("<form method=\"post\">") && page.body.contains("Abmelden"),
            "{}",
            page.body
        );
        assert_eq!(page.kind, "text/html; charset=utf-8");
    }
    let second = offer(&cloud, &market, &email).await;
    assert_ne!(link_in(&second), link, "each letter has a link of its own");

    // A mail program and a person both post, and the link of an older e-mail is posted too.
    for link in [&link, &link, &link_in(&second)] {
        let page = ask("POST", link, None);
        assert_eq!((page.status, page.body.contains("<form")), (200, false), "{}", page.body);
    }
    let event = unique("offer");
    put_offer(&cloud, &market, &event).await;
    let rows = outcomes(&cloud, &event).await;
    assert_eq!((rows[0].status, rows[0].reason), (Status::Suppressed, Some(Reason::Preference)));
    assert_eq!(rows[0].note.as_deref(), Some("unsubscribed from commercial messages (recipient)"));

    let id = unique("hello");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [reader], "message": "Still here." }))]).await;
    let hello = until("a letter", async || captured(&cloud, &email, "hello").into_iter().next()).await;
    let headers = json!([{ "Name": "Auto-Submitted", "Value": "auto-generated" }]);
    assert_eq!(hello["headers"], headers, "what is transactional cannot be left");

    let kind = "preference.unsubscribed";
    let notified = || async {
        let records = cloud.all_records().await;
        let of_reader = |record: &&store::Record| {
            record.get("type") == Some(kind) && record.get("subject") == Some(&reader)
        };
        records
            .iter()
            .filter(of_reader)
            .map(|record| record.get("event").unwrap_or_default().to_owned())
            .collect()
    };
    let notified: Vec<String> =
        until("the audit", async || Some(notified().await).filter(|text: &Vec<String>| !text.is_empty()))
            .await;
    assert_eq!(notified.len(), 1, "once, by the first letter");
    let event: Value = serde_json::from_str(&notified[0]).unwrap();
    assert_eq!(event["data"]["scope"], "commercial");
    let person = cloud.people.find(&[reader.as_str()].into()).await.unwrap().remove(&reader).unwrap();
    assert_eq!(person.unsubscribed.len(), 1);
}

#[tokio::test]
async fn unsubscribing_from_one_category_keeps_the_others() {
    let cloud = Cloud::connect();
    let (audience, reader) = (unique("audience"), unique("reader"));
    let email = follower(&cloud, &reader, &format!("news:{audience}"), json!({})).await;
    let news = async |id: &str| {
        let data = json!({ "audience": audience, "title": "News" });
        cloud.put(&[cloud_event("core.announcement", id, &data)]).await;
    };
    news(&unique("news")).await;
    let email = until("a letter", async || captured(&cloud, &email, "announcement").into_iter().next()).await;
    let page = ask("GET", &link_in(&email), None);
    assert!(page.body.contains("“news”"), "{}", page.body);
    assert_eq!(ask("POST", &link_in(&email), None).status, 200);
    let id = unique("news");
    news(&id).await;
    let rows =
        until("outcomes", async || Some(cloud.outcomes(&id).await).filter(|found| found.len() == 2)).await;
    for row in rows {
        assert_eq!(
            row.note.as_deref(),
            Some("unsubscribed from category news (recipient)"),
            "{:?}",
            row.channel
        );
    }
}

#[tokio::test]
async fn forged_unsubscribe_link_is_not_found_and_changes_no_preference() {
    let cloud = Cloud::connect();
    let (market, reader) = (unique("market"), unique("reader"));
    let email =
        follower(&cloud, &reader, &format!("offers:{market}"), json!({ "commercial_subscribed": true }))
            .await;
    let link = link_in(&offer(&cloud, &market, &email).await);
    let (base, token) = link.rsplit_once('/').unwrap();
    let mut bytes = token.as_bytes().to_vec();
    let at = bytes.len() / 2;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(bytes).unwrap();
    for forged in [changed.as_str(), "AQ", "x", &token[..token.len() - 4]] {
        for method in ["GET", "POST"] {
            let page = ask(method, &format!("{base}/{forged}"), None);
            assert_eq!((page.status, page.body.contains("<form")), (404, false), "{method} {forged}");
        }
    }
    let person = cloud.people.find(&[reader.as_str()].into()).await.unwrap().remove(&reader).unwrap();
    assert!(person.unsubscribed.is_empty());
}

#[tokio::test]
async fn invoice_arrives_with_its_attachment_and_reply_to() {
    let cloud = Cloud::connect();
    let (clinic, ann) = (unique("clinic"), unique("user"));
    let key = format!("tenants/{clinic}/R 7+ü.pdf");
    upload(&key, "%PDF-1.4 a file", 1);
    let email = format!("{ann}@example.com");
    let ann = json!({ "id": ann, "name": "Ann", "email": email, "tenants": [clinic] });
    let ann = cloud.new_recipient_with(ann).await;
    let file = json!({ "bucket": BUCKET, "key": key, "name": "Invoice 7.pdf" });
    let data = json!({
        "userId": ann.id, "invoiceId": "i-7", "number": "7", "total": 12.5, "currency": "EUR",
        "dueDate": "2026-12-11", "document": file, "contact": "billing@westend.example.com",
    });
    let mut invoice = cloud_event("billing.invoice.created", &unique("invoice"), &data);
    invoice.detail = invoice.detail.replacen('{', &format!("{{\"tenant\":\"{clinic}\","), 1);
    cloud.put(&[invoice]).await;
    let email =
        until("a letter", async || captured(&cloud, &email, "invoice-ready").into_iter().next()).await;
    assert_eq!(email["reply_to"], json!(["billing@westend.example.com"]));
    let file = &email["attachments"][0];
    assert_eq!((&file["name"], &file["type"]), (&json!("Invoice 7.pdf"), &json!("application/pdf")));
    assert_eq!(file["disposition"], "ATTACHMENT");
    assert_eq!(STANDARD.decode(file["base64"].as_str().unwrap()).unwrap(), b"%PDF-1.4 a file");
}

#[tokio::test]
async fn unreadable_attachment_fails_with_a_reason_and_no_email_goes_out() {
    let cloud = Cloud::connect();
    let large = format!("tenants/{TENANT}/{}", unique("file"));
    upload(&large, "x", 10 * 1024 * 1024 + 1);
    for (bucket, key, reason) in [
        (BUCKET, "tenants/tests/nothing/here.pdf", Reason::NoAttachment),
        ("somebody-elses-bucket", "tenants/tests/a.pdf", Reason::ForbiddenAttachment),
        (BUCKET, "tenants/others/a.pdf", Reason::ForbiddenAttachment),
        (BUCKET, "tenants/tests/../others/a.pdf", Reason::ForbiddenAttachment),
        (BUCKET, large.as_str(), Reason::TooLarge),
    ] {
        let files = json!([{ "bucket": bucket, "key": key, "name": "a.pdf" }]);
        let row = deliver(&cloud, &json!({ "attachments": files })).await;
        assert_eq!((row.status, row.reason), (Status::Failed, Some(reason)), "{bucket}/{key}");
    }
    quiet().await;
    for queue in ["email", "email-critical"] {
        assert!(
            cloud.dead_letters(queue, "somebody-elses-bucket").await.is_empty(),
            "a tenant's own mistake"
        );
    }
}

#[tokio::test]
async fn job_content_adds_no_header() {
    let cloud = Cloud::connect();
    for members in [
        json!({ "subject": "Hello\r\nBcc: all@example.com" }),
        json!({ "unsubscribe": "https://u.example/\r\nBcc: all@example.com" }),
    ] {
        let row = deliver(&cloud, &members).await;
        assert_eq!((row.status, row.reason), (Status::Failed, Some(Reason::Rejected)), "{members}");
    }
}

/// Counterpart: Python's `email` library with its strictest policy writes and reads the message that SES makes of the
/// request.
#[tokio::test]
async fn another_mail_library_reads_every_header_and_file() {
    let cloud = Cloud::connect();
    let (email, link) = (format!("{}@example.com", unique("ann")), "https://u.example/v1/unsubscribe/AQ");
    let members = json!({
        "to": email, "from": "Carillon Offers <offers@example.com>", "reply_to": "help@example.com",
        "unsubscribe": link, "subject": "Für Zoë: Bcc: all@example.com", "text": format!("Leave: {link}"),
    });
    assert_eq!(deliver(&cloud, &members).await.status, Status::Sent);
    let email = cloud.captured("email", &email).remove(0);
    let read = parsed(&email);
    assert_eq!(read["defects"], json!([]));
    assert_eq!(read["From"], "Carillon Offers <offers@example.com>");
    assert_eq!(read["Subject"], "Für Zoë: Bcc: all@example.com");
    assert_eq!(read["Reply-To"], "help@example.com");
    assert_eq!(read["List-Unsubscribe"], format!("<{}>", link_in(&email)));
    assert_eq!(read["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let order: Vec<&str> = read["order"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let at = |name: &str| order.iter().position(|item| *item == name).unwrap();
    assert!(at("List-Unsubscribe") < at("List-Unsubscribe-Post"));
    assert!(!read.contains_key("Bcc") && read["text"].as_str().unwrap().contains(link), "{read:?}");
}

#[tokio::test]
async fn styles_of_an_email_are_inline() {
    let cloud = Cloud::connect();
    let (market, reader) = (unique("market"), unique("reader"));
    let email =
        follower(&cloud, &reader, &format!("offers:{market}"), json!({ "commercial_subscribed": true }))
            .await;
    let email = offer(&cloud, &market, &email).await;
    let html = email["html"].as_str().unwrap();
    assert!(html.contains("<p style=\"margin:0 0 16px;color:#1d232c;\" class=\"text line\">Hello"), "{html}");
    assert!(html.contains("<strong style=\"font-size:20px;color:#8a6420;\""), "{html}");
    assert!(!html.contains("data-inline"), "{html}");
    assert!(html.contains("prefers-color-scheme"), "an ordinary sheet stays");
}

#[tokio::test]
async fn receipts_name_the_email_by_its_tags() {
    let cloud = Cloud::connect();
    let ann = cloud.new_recipient().await;
    let id = unique("hello");
    cloud.put(&[cloud_event("core.hello", &id, &json!({ "to": [ann.id], "message": "Hi." }))]).await;
    let email = ann.email.unwrap().into_exposed();
    let email = until("a letter", async || captured(&cloud, &email, "hello").into_iter().next()).await;
    let rows =
        until("an outcome", async || Some(cloud.outcomes(&id).await).filter(|found| found.len() == 2)).await;
    let row = rows.iter().find(|row| row.provider_id.as_deref() == email["message_id"].as_str()).unwrap();
    assert_eq!(tag(&email, "carillon-key"), Some(row.key.as_str()));
    assert_eq!(tag(&email, "carillon-event"), Some(id.as_str()));
}

/// A person who reads English and follows a topic.
pub(crate) async fn follower(cloud: &Cloud, id: &str, topic: &str, preferences: Value) -> String {
    let email = format!("{id}@example.com");
    let person =
        json!({ "id": id, "name": "Ann", "email": email, "topics": [topic], "preferences": preferences });
    cloud.new_recipient_with(person).await;
    email
}

/// Publishes a new offer and returns the e-mail that results.
pub(crate) async fn offer(cloud: &Cloud, market: &str, email: &str) -> Value {
    let event = unique("offer");
    put_offer(cloud, market, &event).await;
    until("an offer", async || {
        captured(cloud, email, "booking-offers")
            .into_iter()
            .find(|email| tag(email, "carillon-event") == Some(&event))
    })
    .await
}

async fn put_offer(cloud: &Cloud, market: &str, event: &str) {
    let data = json!({ "offerId": "o-1", "market": market, "title": "Cheaper nights", "text": "In winter.", "price": 20 });
    let detail = json!({
        "specversion": "1.0", "id": event, "source": "/marketing/tests", "type": "offer.published",
        "time": now_text(), "data": data,
    });
    cloud.put(&[entry("/marketing/tests", "offer.published", &detail)]).await;
}

async fn outcomes(cloud: &Cloud, event: &str) -> Vec<LedgerRow> {
    until("an outcome", async || Some(cloud.outcomes(event).await).filter(|rows| !rows.is_empty())).await
}

/// Requests to SES for an address by a rule.
fn captured(cloud: &Cloud, to: &str, rule: &str) -> Vec<Value> {
    cloud
        .captured("email", to)
        .into_iter()
        .filter(|request| tag(request, "carillon-rule") == Some(rule))
        .collect()
}

fn tag<'a>(email: &'a Value, name: &str) -> Option<&'a str> {
    let tags = email["tags"].as_array()?;
    tags.iter().find(|tag| tag["Name"] == name)?["Value"].as_str()
}

pub(crate) fn link_in(email: &Value) -> String {
    let headers = email["headers"].as_array().unwrap();
    let value = headers[0]["Value"].as_str().unwrap();
    assert_eq!(headers[0]["Name"], "List-Unsubscribe");
    value.trim_start_matches('<').trim_end_matches('>').to_owned()
}

pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: String,
}

/// Sends an unsigned HTTP request as a browser or a mail program does, without following redirects.
pub(crate) fn ask(method: &str, url: &str, languages: Option<&str>) -> HttpResponse {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let languages = languages.unwrap_or("en");
    let answer = match method {
        "POST" => agent
            .post(url)
            .header("accept-language", languages)
            .header("content-type", "application/x-www-form-urlencoded")
            .send("List-Unsubscribe=One-Click"),
        "HEAD" => agent.head(url).header("accept-language", languages).call(),
        _ => agent.get(url).header("accept-language", languages).call(),
    };
    let mut answer = answer.unwrap();
    let kind = answer.headers().get("content-type").map_or("", |header| header.to_str().unwrap()).to_owned();
    HttpResponse { status: answer.status().as_u16(), kind, body: answer.body_mut().read_to_string().unwrap() }
}

/// Uploads a file to the bucket: `text`, repeated `times` times.
pub(crate) fn upload(key: &str, text: &str, times: usize) {
    let script = "import boto3, sys
bucket, key, text, times = sys.argv[1:]
boto3.client('s3').put_object(Bucket=bucket, Key=key, Body=(text * int(times)).encode(), ContentType='application/pdf')";
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let variables = environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let put = Command::new(root().join(".local/sam/bin/python"))
        .args(["-c", script, BUCKET, key, text, &times.to_string()])
        .envs(variables)
        .output()
        .unwrap();
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
}

/// Sends an e-mail job to its queue and waits for the outcome.
async fn deliver(cloud: &Cloud, members: &Value) -> LedgerRow {
    let mut email = json!({
        "to": format!("{}@example.com", unique("ann")), "subject": "S", "html": "<p>H</p>", "text": "T", "locale": "en",
    });
    for (name, value) in members.as_object().unwrap() {
        email[name] = value.clone();
    }
    let text = json!({
        "version": 1, "key": unique("key"), "rule": "tests", "catalog": "tests", "recipient": "ann",
        "event": {
            "id": unique("event"), "source": "tests", "type": "t", "time": now_text(), "tenant": TENANT,
        },
        "priority": "normal", "on_unknown": "hold", "content": { "email": email },
    });
    let job: Job = serde_json::from_value(text.clone()).unwrap();
    cloud.send("email", &text.to_string()).await;
    until("an outcome", async || {
        cloud.ledger.find(&job.key).await.unwrap().filter(|row| row.status.is_final())
    })
    .await
}

/// The message that SES makes of a request, written and read again by Python's `email`.
fn parsed(email: &Value) -> BTreeMap<String, Value> {
    let script = include_str!("build_email.py");
    let mut python = Command::new(root().join(".local/sam/bin/python"))
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(email.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "the library refused it");
    serde_json::from_slice(&output.stdout).unwrap()
}
