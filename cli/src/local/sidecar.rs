//! The processes that run beside the local cloud: this very program, under another verb.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::Error;

use super::server;
use super::state::Running;

/// How long a process may take to answer.
const TO_START: Duration = Duration::from_secs(10);

/// What runs beside the local cloud.
pub(super) struct Sidecar {
    /// What is in its command line, and nobody else's: `local capture`.
    pub(super) what: &'static str,
    /// A path that it answers as soon as it serves.
    pub(super) health: &'static str,
    /// Whether its port must stay the one it had.
    pub(super) is_fixed: bool,
}

impl Sidecar {
    /// Whether it runs as it was built last.
    pub(super) fn runs(&self, it: &Running) -> bool {
        let built = program().map(|program| built(&program)).unwrap_or_default();
        it.built == built && server::is_running(it.pid, self.what) && server::responds(&self.url(it.port))
    }

    /// Whether it answers, however old its program is.
    pub(super) fn runs_at_all(&self, it: &Running) -> bool {
        server::is_running(it.pid, self.what) && server::responds(&self.url(it.port))
    }

    /// Starts it, where it ran before if that can be. It answers when this comes back.
    pub(super) fn start(&self, before: Option<Running>, more: &[String]) -> Result<Running, Error> {
        let program = program()?;
        if let Some(before) = before {
            server::end(before.pid, self.what);
        }
        let free = |it: &u16| TcpListener::bind(("127.0.0.1", *it)).is_ok();
        let port = match before.map(|before| before.port).filter(free) {
            Some(port) => port,
            None if self.is_fixed && before.is_some() => {
                let what = format!("the port of `carillon {}` is taken", self.what);
                return Err(Error::usage(what, "`make down`, then `make up`"));
            }
            None => server::free_port()?,
        };
        let mut command = Command::new(&program);
        command.args(self.what.split(' ')).args(["--port", &port.to_string()]).args(more);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C in this terminal is meant for the command, not for the server.
            .process_group(0)
            .spawn()
            .map_err(|error| Error::read(&program, error))?;
        let begun = runtime::now();
        while !server::responds(&self.url(port)) {
            if runtime::now().duration_since(begun) > TO_START.try_into().unwrap_or(jiff::SignedDuration::MAX)
            {
                server::end(child.id(), self.what);
                return Err(Error::Cloud(format!("`carillon {}` does not answer on port {port}", self.what)));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Running { pid: child.id(), port, built: built(&program) })
    }

    fn url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{port}{}", self.health)
    }
}

fn program() -> Result<std::path::PathBuf, Error> {
    std::env::current_exe().map_err(|error| Error::read(Path::new("carillon"), error))
}

/// When a program was built, in seconds since 1970.
fn built(program: &Path) -> u64 {
    let modified = program.metadata().and_then(|metadata| metadata.modified()).ok();
    modified
        .and_then(|modified| modified.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |it| it.as_secs())
}
