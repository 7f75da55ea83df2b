//! People managed by programs over HTTP.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use testkit::cloud::Cloud;
use workspace::{root, unique};

#[tokio::test]
async fn program_of_the_account_manages_people_by_http_and_other_callers_may_not() {
    let cloud = Cloud::connect();
    let id = unique("user");
    let (status, person) =
        http("PUT", &id, Some(&json!({ "name": "Ann", "email": "ann@example.com", "topics": ["x:1"] })));
    assert_eq!((status, &person["id"], &person["name"]), (200, &json!(id), &json!("Ann")));
    let (status, person) = http("PATCH", &id, Some(&json!({ "email": null, "zone": "Asia/Tokyo" })));
    assert_eq!((status, &person["email"], &person["zone"]), (200, &Value::Null, &json!("Asia/Tokyo")));
    assert_eq!(http("GET", &id, None).0, 200);
    let (status, problem) = http("PATCH", &id, Some(&json!({ "zone": 7 })));
    assert_eq!((status, problem["title"].as_str()), (422, Some("refused")), "{problem}");
    let nowhere = json!({ "zone": "Mars/Phobos" });
    for (method, body) in
        [("PATCH", json!({ "in_tenants": { "t": nowhere } })), ("PATCH", nowhere.clone()), ("PUT", nowhere)]
    {
        let (status, problem) = http(method, &id, Some(&body));
        let notified = problem["detail"].as_str().unwrap();
        assert!(
            status == 422 && notified.contains("zone: found a text that names no time zone"),
            "{problem}"
        );
    }
    for (member, value) in [
        ("email", json!("a@b.c\r\nBcc: x@example.com")),
        ("email", json!("")),
        ("phone", json!("+1900")),
        ("whatsapp", json!("+44\u{202e}2079460000")),
        ("name", json!("n".repeat(257))),
        ("locale", json!("l".repeat(36))),
    ] {
        for method in ["PATCH", "PUT"] {
            let (status, problem) = http(method, &id, Some(&json!({ member: value })));
            let notified = problem["detail"].as_str().unwrap();
            assert!(status == 422 && notified.starts_with(&format!("{member}: found ")), "{problem}");
            assert!(!notified.contains("Bcc"), "{problem}");
        }
    }
    assert_eq!(http("GET", &id, None).1["zone"], "Asia/Tokyo", "it stays as it was");
    assert_eq!(http("PUT", &id, Some(&json!({ "id": "somebody-else" }))).0, 422);
    assert_eq!(http("DELETE", &id, None).0, 204);
    assert_eq!(http("GET", &id, None).0, 404);
    assert!(cloud.people.find(&BTreeSet::from([id.as_str()])).await.unwrap().is_empty());
    let url = http_url();
    let stranger =
        ureq::get(format!("{url}/v1/recipients/{id}")).config().http_status_as_error(false).build().call();
    assert_eq!(stranger.unwrap().status().as_u16(), 403);
}

/// Release 0.1.0 accepted a name and a language tag of 190 KB each. Further members then exceeded the item size limit.
#[tokio::test]
async fn person_at_the_edge_of_an_earlier_release_is_repaired_by_a_patch() {
    let cloud = Cloud::connect();
    let (name, locale) = ("n".repeat(190_000), "l".repeat(190_000));
    let ann = cloud.new_recipient_with(json!({ "id": unique("user"), "name": name, "locale": locale })).await;
    let (status, problem) = http("PATCH", &ann.id, Some(&json!({ "phone": "+49 30 1234567" })));
    assert_eq!((status, problem["title"].as_str()), (422, Some("refused")));
    let (status, person) = http("PATCH", &ann.id, Some(&json!({ "name": "Ann", "locale": "de" })));
    assert_eq!((status, &person["name"]), (200, &json!("Ann")));
    assert_eq!(http("PATCH", &ann.id, Some(&json!({ "phone": "+49 30 1234567" }))).0, 200);
}

/// Calls the HTTP API with a signed request, as a program of the account does.
pub(crate) fn http(method: &str, id: &str, body: Option<&Value>) -> (u16, Value) {
    let script = "import json, os, sys, urllib.request, urllib.error
from botocore.session import Session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
method, url, body = sys.argv[1:4]
request = AWSRequest(method=method, url=url, data=body.encode() or None, headers={'content-type': 'application/json'})
SigV4Auth(Session().get_credentials(), 'execute-api', os.environ['AWS_REGION']).add_auth(request)
prepared = request.prepare()
asked = urllib.request.Request(url, data=body.encode() or None, headers=dict(prepared.headers), method=method)
try:
    answer = urllib.request.urlopen(asked)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode()]))";
    let environment = std::fs::read_to_string(root().join(".local/env")).unwrap();
    let output = Command::new(root().join(".local/ministack/bin/python"))
        .args(["-c", script, method, &format!("{}/v1/recipients/{id}", http_url())])
        .arg(body.map(Value::to_string).unwrap_or_default())
        .envs(environment.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (status, text): (u16, String) = serde_json::from_slice(&output.stdout).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// URL of the HTTP API from the stack's outputs.
fn http_url() -> String {
    let stacks =
        testkit::aws_cli::aws(&["cloudformation", "describe-stacks", "--stack-name", "carillon-local"]);
    let outputs = stacks["Stacks"][0]["Outputs"].as_array().unwrap().clone();
    let found =
        outputs.iter().find(|output| output["OutputKey"] == "HttpUrl").expect("the stack has an HTTP API");
    found["OutputValue"].as_str().unwrap().to_owned()
}
