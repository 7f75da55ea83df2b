//! The receivers of `examples/webhooks` and requests that they must refuse. The reference library of Standard Webhooks
//! signs the requests.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{command, lines, run};
use workspace::root;

/// Sends a request for each case, and prints the status of the answer.
const SENDER: &str = r#"
import base64, datetime, json, sys, urllib.error, urllib.request
from standardwebhooks.webhooks import Webhook

url, old, new, foreign = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc)
body = json.dumps({"type": "order.shipped", "timestamp": now.isoformat(), "data": {"orderId": "o-1"}})

def send(name, keys, id="m-1", age=0, sent=None, header=None):
    time = now - datetime.timedelta(seconds=age)
    signature = header or " ".join(Webhook(key).sign(id, time, body) for key in keys)
    headers = {"webhook-id": id, "webhook-timestamp": str(int(time.timestamp())), "webhook-signature": signature}
    try:
        status = urllib.request.urlopen(urllib.request.Request(url, (sent or body).encode(), headers)).status
    except urllib.error.HTTPError as error:
        status = error.code
    print(json.dumps({"case": name, "status": status}))

send("the present key", [new])
send("the key before, during a rotation", [old])
send("both keys, as Carillon signs during a rotation", [old, new])
send("a foreign key and the present one", [foreign, new])
send("four minutes old", [new], age=240)
send("a foreign key", [foreign])
send("a changed body", [new], sent=body.replace("o-1", "o-2"))
send("more than five minutes old", [new], age=600)
send("more than five minutes ahead", [new], age=-600)
send("another version", [new], header=Webhook(new).sign("m-1", now, body).replace("v1,", "v2,"))
send("a shortened signature", [new], header=Webhook(new).sign("m-1", now, body)[:-8])
send("another id", [new], id="m-2", header=Webhook(new).sign("m-1", now, body))
"#;

#[test]
fn receivers_accept_both_keys_of_a_rotation_and_refuse_changed_and_old_requests() {
    let python = root().join(".local/webhooks/bin/python");
    let mut programs = vec![("receiver.py", python.clone())];
    match super::super::examples::node() {
        Some(node) => programs.push(("receiver.mjs", node)),
        None => {
            eprintln!("SKIPPED examples/webhooks/receiver.mjs: `make .local/node/.installed` brings Node");
        }
    }
    for (file, program) in programs {
        check(file, &program, &python);
    }
}

fn check(file: &str, program: &Path, python: &Path) {
    let [old, new, foreign] = [
        "b2xkIHNlY3JldCBvZiB0aGUgdGVzdHM=",
        "bmV3IHNlY3JldCBvZiB0aGUgdGVzdHM=",
        "Zm9yZWlnbiBzZWNyZXQgb2YgdGVzdHM=",
    ]
    .map(|bytes| format!("whsec_{bytes}"));
    let mut receiver = Command::new(program)
        .arg(root().join("examples/webhooks").join(file))
        .args(["--port", "0", "--key", &old, "--key", &new])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(receiver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let listening: Value = serde_json::from_str(&printed.next().unwrap()).unwrap();
    let url = format!("http://127.0.0.1:{}/", listening["listening"]);
    let output = run(command(python).args(["-c", SENDER, &url, &old, &new, &foreign]), "");
    let _ = receiver.kill();
    let _ = receiver.wait();
    let answers = lines(&output);
    assert_eq!(answers.len(), 12, "{file}");
    for (index, answer) in answers.iter().enumerate() {
        let wanted = if index < 5 { 204 } else { 401 };
        assert_eq!(answer["status"], wanted, "{file}: {}", answer["case"]);
    }
    // All accepted requests have one id, so the message is new once.
    let handled = printed.filter_map(|line| serde_json::from_str::<Value>(&line).ok()?.get("new").cloned());
    assert_eq!(
        handled.collect::<Vec<_>>(),
        [json!(true), json!(false), json!(false), json!(false), json!(false)],
        "{file}"
    );
}
