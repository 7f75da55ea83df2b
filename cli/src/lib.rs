//! The parts of the program `carillon`, which operators and authors of rules install. `carillon-dev` shares some of them.

mod access;
mod args;
mod audit;
pub mod check;
pub mod cloud;
mod completion;
mod deciding;
mod dlq;
pub mod endpoints;
pub mod error;
mod event_store;
mod explain;
pub mod explanations;
pub mod files;
mod inbox;
mod init;
pub mod local_cloud;
mod matching;
mod outbox;
mod packs;
mod people;
pub mod project;
pub mod publishing;
mod received;
pub mod removed_rules;
mod render;
mod replay;
pub mod sent_emails;
pub mod since;
mod stack_secret;
mod status;
mod tail;
pub mod terminal;
pub mod ticket;
pub mod times;
mod upgrade;
mod what_if;

use std::process::ExitCode;

pub use args::{Check, Target, version};

use args::{Args, Command};
use clap::{CommandFactory as _, Parser as _};
use error::Done;
use terminal::Terminal;

/// The definition of the command line, for documents.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program `carillon` with the arguments of the process.
pub async fn run() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::detect(args.json);
    let done = match args.command {
        Command::Init(init) => init::run(&init, &terminal),
        Command::Check(check) => check::run(&check, &terminal),
        Command::Pack(pack) => packs::run(&pack, &terminal),
        Command::Completion(completion) => completion::completion(&completion, &terminal),
        Command::Man(man) => completion::man(&man, &terminal),
        Command::Publish(publish) => publishing::run(&publish, &args.target, &terminal).await,
        Command::Tail(tail) => tail::run(&tail, &args.target, &terminal).await,
        Command::Match(pattern) => matching::run(&pattern, &terminal),
        Command::Explain(explain) => explain::run(&explain, &args.target, &terminal).await,
        Command::Render(render) => render::run(&render, &terminal),
        Command::WhatIf(what_if) => what_if::run(&what_if, &args.target, &terminal).await,
        Command::People(args::People::Import(import)) => {
            people::import(&import, &args.target, &terminal).await
        }
        Command::People(args::People::Find(find)) => people::find::run(&find, &args.target, &terminal).await,
        Command::People(args::People::Show(show)) => people::show(&show, &args.target, &terminal).await,
        Command::People(args::People::Members(members)) => {
            people::members(&members, &args.target, &terminal).await
        }
        Command::Outbox(outbox) => outbox::run(&outbox, &args.target, &terminal).await,
        Command::Events(events) => event_store::run(&events, &args.target, &terminal).await,
        Command::Audit(audit) => audit::run(&audit, &args.target, &terminal).await,
        Command::Endpoints(endpoints) => endpoints::run(&endpoints, &args.target, &terminal).await,
        Command::Ticket(ticket) => ticket::run(&ticket, &args.target, &terminal).await,
        Command::Received(received) => received::run(&received, &args.target, &terminal).await,
        Command::Inbox(inbox) => inbox::run(&inbox, &args.target, &terminal).await,
        Command::Dlq(dlq) => dlq::run(&dlq, &args.target, &terminal).await,
        Command::Upgrade(upgrade) => upgrade::run(&upgrade, &args.target, &terminal).await,
        Command::Replay(replay) => replay::run(&replay, &args.target, &terminal).await,
    };
    exit_code(done, &terminal)
}

/// The exit code of a command. 0: done, and the answer is yes. 1: done, and the answer is no or a part failed. 2: the command
/// failed, and its error is printed.
pub fn exit_code(done: Done, terminal: &Terminal) -> ExitCode {
    let done = done.and_then(|done| terminal.is_complete().map(|()| done));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            terminal.error(&error);
            ExitCode::from(2)
        }
    }
}
