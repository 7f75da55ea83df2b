//! The processes beside the local cloud: this program with another command.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cli::error::Error;
use cli::local_cloud::Running;

use super::server;

/// The longest time for a process to answer.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A command of this program that runs beside the local cloud.
pub(crate) struct Sidecar {
    /// The beginning of its command line, which no other process has: `capture --port`.
    pub(crate) command: &'static str,
    /// A path that answers as soon as the process serves.
    pub(crate) health: &'static str,
    /// Whether its port must stay the same after a restart.
    pub(crate) is_fixed: bool,
}

impl Sidecar {
    /// Whether the process answers and runs the newest build.
    pub(crate) fn is_current(&self, running: &Running) -> bool {
        let built = program().map(|program| built_at(&program)).unwrap_or_default();
        running.built == built && self.answers(running)
    }

    /// Whether the process answers, regardless of the build.
    pub(crate) fn answers(&self, running: &Running) -> bool {
        server::is_running(running.pid, self.command) && server::responds(&self.url(running.port))
    }

    /// Starts the process, on its previous port if that is free, and waits until it answers.
    ///
    /// # Errors
    /// The port is taken, or the process does not answer in time.
    pub(crate) fn start(&self, before: Option<Running>, arguments: &[String]) -> Result<Running, Error> {
        let program = program()?;
        if let Some(before) = before {
            server::end(before.pid, self.command);
        }
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = match before.map(|before| before.port).filter(is_free) {
            Some(port) => port,
            None if self.is_fixed && before.is_some() => {
                let what = format!("the port of `carillon-dev {}` is taken", self.name());
                return Err(Error::usage(what, "`make down`, then `make up`"));
            }
            None => server::free_port()?,
        };
        let child = Command::new(&program)
            .args(self.command.split(' '))
            .arg(port.to_string())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in this terminal does not reach the process.
            .process_group(0)
            .spawn()
            .map_err(|error| Error::read(&program, error))?;
        let started_at = runtime::now();
        while !server::responds(&self.url(port)) {
            if server::has_passed(START_TIMEOUT, started_at) {
                server::end(child.id(), self.command);
                let name = self.name();
                return Err(Error::Cloud(format!("`carillon-dev {name}` does not answer on port {port}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Running { pid: child.id(), port, built: built_at(&program) })
    }

    fn name(&self) -> &'static str {
        self.command.split(' ').next().unwrap_or_default()
    }

    fn url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{port}{}", self.health)
    }
}

fn program() -> Result<PathBuf, Error> {
    std::env::current_exe().map_err(|error| Error::read(Path::new("carillon-dev"), error))
}

/// The time when a program was built, in seconds since 1970.
fn built_at(program: &Path) -> u64 {
    let modified = program.metadata().and_then(|metadata| metadata.modified()).ok();
    modified
        .and_then(|modified| modified.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |age| age.as_secs())
}
