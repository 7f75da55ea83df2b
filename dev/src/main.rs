//! `carillon-dev`: the local cloud, its emulators, the fault proxy, the token issuer and the demo. For developers of Carillon
//! and for tests. Users install `carillon`.

mod args;
mod capture;
mod demo;
mod local;
mod proxy;
mod reference;
mod token;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser as _;
use cli::terminal::Terminal;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::detect(args.json);
    let done = match args.command {
        Command::Up(up) => local::up(&up, &terminal),
        Command::Reload(reload) => local::reload::run(&reload, &terminal),
        Command::Down => local::down(&terminal),
        Command::Status => local::status(&terminal),
        Command::Logs(logs) => local::logs::print(&logs, &terminal),
        Command::Token(token) => token::run(&token, &terminal),
        Command::Demo(demo) => demo::run(&demo, &terminal).await,
        Command::Capture(capture) => capture::run(capture.port, &capture.cloud, &terminal).await,
        Command::Reference(reference) => reference::run(&reference, &terminal),
        Command::Proxy(proxy) => proxy::run(proxy.port, proxy.providers, proxy.to, &terminal).await,
    };
    cli::exit_code(done, &terminal)
}
