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
        Command::Init(it) => init::run(&it, &terminal),
        Command::Check(it) => check::run(&it, &terminal),
        Command::Pack(it) => packs::run(&it, &terminal),
        Command::Completion(it) => completion::completion(&it, &terminal),
        Command::Man(it) => completion::man(&it, &terminal),
        Command::Publish(it) => publishing::run(&it, &args.target, &terminal).await,
        Command::Tail(it) => tail::run(&it, &args.target, &terminal).await,
        Command::Match(it) => matching::run(&it, &terminal),
        Command::Explain(it) => explain::run(&it, &args.target, &terminal).await,
        Command::Render(it) => render::run(&it, &terminal),
        Command::WhatIf(it) => what_if::run(&it, &args.target, &terminal).await,
        Command::People(args::People::Import(it)) => people::import(&it, &args.target, &terminal).await,
        Command::People(args::People::Find(it)) => people::find::run(&it, &args.target, &terminal).await,
        Command::People(args::People::Show(it)) => people::show(&it, &args.target, &terminal).await,
        Command::People(args::People::Members(it)) => people::members(&it, &args.target, &terminal).await,
        Command::Outbox(it) => outbox::run(&it, &args.target, &terminal).await,
        Command::Events(it) => event_store::run(&it, &args.target, &terminal).await,
        Command::Audit(it) => audit::run(&it, &args.target, &terminal).await,
        Command::Endpoints(it) => endpoints::run(&it, &args.target, &terminal).await,
        Command::Ticket(it) => ticket::run(&it, &args.target, &terminal).await,
        Command::Token(it) => token::run(&it, &args.target, &terminal),
        Command::Received(it) => received::run(&it, &args.target, &terminal).await,
        Command::Inbox(it) => inbox::run(&it, &args.target, &terminal).await,
        Command::Dlq(it) => dlq::run(&it, &args.target, &terminal).await,
        Command::Replay(it) => replay::run(&it, &args.target, &terminal).await,
        Command::Local(it) => local::run(&it, &terminal).await,
        Command::Demo(it) => demo::run(&it, &args.target, &terminal).await,
    };
    let done = done.and_then(|it| terminal.is_complete().map(|()| it));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            terminal.error(&error);
            ExitCode::from(2)
        }
    }
}
