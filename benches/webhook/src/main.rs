//! Cost of a webhook without its request (`--once <operation> <times>`, counted by run.sh under Callgrind), and the
//! effect of a dead and a slow endpoint on others (`--neighbours`).

mod neighbours;

use std::hint::black_box;
use std::net::IpAddr;
use std::process::ExitCode;

use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::target::{Allow, Target};
use domain::event::key::Key;

/// Largest body size that the specification recommends.
const BODY_BYTES: usize = 2_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--neighbours"] => neighbours::run(),
        ["--once", operation, times] => return once(operation, times.parse().unwrap_or(1)),
        _ => {
            eprintln!("measure-webhook --neighbours | --once <operation> <times>");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn once(operation: &str, times: usize) -> ExitCode {
    let now = "2026-11-20T12:00:00Z".parse().expect("it is a time");
    let secret = |scheme, of| Secret::new(scheme, vec![of; 32]).expect("32 bytes are enough for both");
    let one = Secrets::of(secret(Scheme::Hmac, 1));
    let (id, body) = (Key::from("a".repeat(43)), "x".repeat(BODY_BYTES));
    let sign = |secrets: &Secrets| drop(black_box(webhook::Request::sign(&id, black_box(&body), secrets, now)));
    let allow = Allow::default();
    let url = "https://hooks.example.com/carillon/events?tenant=acme";
    let addresses: Vec<IpAddr> =
        ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"].map(|item| item.parse().expect("an address")).into();
    let target = Target::read(url, &allow).expect("it is public");
    for _ in 0..times {
        match operation {
            "hmac" => sign(&one),
            "hmac-rotating" => sign(&one.rotated(secret(Scheme::Hmac, 2), now)),
            "ed25519" => sign(&Secrets::of(secret(Scheme::Ed25519, 1))),
            "url" => drop(black_box(Target::read(black_box(url), &allow))),
            "addresses" => drop(black_box(target.judge(black_box(&addresses)))),
            _ => return ExitCode::from(2),
        }
    }
    ExitCode::SUCCESS
}
