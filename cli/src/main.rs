//! `carillon`: what people who run Carillon type.

mod access;
mod args;
mod audit;
mod check;
mod cloud;
mod completion;
mod deciding;
mod demo;
mod dlq;
mod endpoints;
mod error;
mod event_store;
mod explain;
mod files;
mod gone;
mod inbox;
mod init;
mod local;
mod matching;
mod outbox;
mod packs;
mod people;
mod project;
mod publishing;
mod received;
mod render;
mod replay;
mod since;
mod stack_secret;
mod status;
mod tail;
mod terminal;
mod ticket;
mod times;
mod token;
mod what_if;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser as _;
use terminal::Terminal;

/// 0: it worked and the answer is yes. 1: it worked and the answer is no, or part of it did not work. 2: it could not be
/// done as asked.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::detect(args.json);
    let done = match args.command {
        Command::Init(init) => init::run(&init, &terminal),
        Command::Check(check) => check::run(&check, &terminal),
        Command::Pack(pack) => packs::run(&pack, &terminal),
        Command::Completion(it) => completion::completion(&it, &terminal),
        Command::Man(it) => completion::man(&it, &terminal),
        Command::Publish(publish) => publishing::run(&publish, &args.target, &terminal).await,
        Command::Tail(tail) => tail::run(&tail, &args.target, &terminal).await,
        Command::Match(it) => matching::run(&it, &terminal),
        Command::Explain(explain) => explain::run(&explain, &args.target, &terminal).await,
        Command::Render(render) => render::run(&render, &terminal),
        Command::WhatIf(what_if) => what_if::run(&what_if, &args.target, &terminal).await,
        Command::People(args::People::Import(it)) => people::import(&it, &args.target, &terminal).await,
        Command::People(args::People::Find(find)) => people::find::run(&find, &args.target, &terminal).await,
        Command::People(args::People::Show(it)) => people::show(&it, &args.target, &terminal).await,
        Command::People(args::People::Members(it)) => people::members(&it, &args.target, &terminal).await,
        Command::Outbox(outbox) => outbox::run(&outbox, &args.target, &terminal).await,
        Command::Events(events) => event_store::run(&events, &args.target, &terminal).await,
        Command::Audit(audit) => audit::run(&audit, &args.target, &terminal).await,
        Command::Endpoints(endpoints) => endpoints::run(&endpoints, &args.target, &terminal).await,
        Command::Ticket(ticket) => ticket::run(&ticket, &args.target, &terminal).await,
        Command::Token(token) => token::run(&token, &args.target, &terminal),
        Command::Received(received) => received::run(&received, &args.target, &terminal).await,
        Command::Inbox(inbox) => inbox::run(&inbox, &args.target, &terminal).await,
        Command::Dlq(dlq) => dlq::run(&dlq, &args.target, &terminal).await,
        Command::Replay(replay) => replay::run(&replay, &args.target, &terminal).await,
        Command::Local(local) => local::run(&local, &terminal).await,
        Command::Demo(demo) => demo::run(&demo, &args.target, &terminal).await,
    };
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
