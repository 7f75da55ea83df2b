//! Who is calling: the process at the other end of a connection on this machine.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use aws_credential_types::Credentials;

/// A process that called, and the function it is, where it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) pid: u32,
    pub(super) function: Option<String>,
}

/// What the names of all functions of the local cloud begin with.
const PREFIX: &str = "carillon-local-";

impl Caller {
    /// By the port it calls from. `None` when that cannot be found out, or it is gone.
    ///
    /// Source: proc(5), `/proc/net/tcp` and `/proc/<pid>/fd`.
    pub(super) fn of(peer: SocketAddr) -> Option<Caller> {
        let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
        let socket = format!("socket:[{}]", inode(&table, peer.port())?);
        let processes = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        let pids = processes.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|it| *it != std::process::id()).find(|it| holds(*it, &socket)).map(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            Caller { pid, function: function(&environment) }
        })
    }

    /// By which keys a function signs.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let of = |name: &str| variable(&environment, name).map(str::to_owned);
        self.function.as_ref()?;
        let (id, secret) = (of("AWS_ACCESS_KEY_ID=")?, of("AWS_SECRET_ACCESS_KEY=")?);
        Some(Credentials::new(id, secret, of("AWS_SESSION_TOKEN="), None, "function"))
    }

    /// Ends it at once, if it is one of the local cloud's functions; nobody else is ever touched.
    pub(super) fn kill(&self) {
        if self.function.is_some() {
            let mut kill = Command::new("kill");
            let _ = kill.args(["-KILL", &self.pid.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

/// The socket whose own end is this port of 127.0.0.1.
fn inode(table: &str, port: u16) -> Option<&str> {
    let local = format!("0100007F:{port:04X}");
    let lines = table.lines().skip(1).map(|it| it.split_whitespace().collect::<Vec<_>>());
    let mut found = lines.filter(|it| it.get(1) == Some(&local.as_str()));
    found.find_map(|it| it.get(9).copied().filter(|it| *it != "0"))
}

fn holds(pid: u32, socket: &str) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files
        .filter_map(Result::ok)
        .any(|it| std::fs::read_link(it.path()).is_ok_and(|target| target == Path::new(socket)))
}

fn function(environment: &[u8]) -> Option<String> {
    variable(environment, "AWS_LAMBDA_FUNCTION_NAME=")?.strip_prefix(PREFIX).map(str::to_owned)
}

/// What stands behind this name and its `=`.
fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    let variables = environment.split(|it| *it == 0).filter_map(|it| std::str::from_utf8(it).ok());
    variables.filter_map(|it| it.strip_prefix(name)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_is_told_by_its_environment() {
        let text = b"PATH=/bin\0AWS_LAMBDA_FUNCTION_NAME=carillon-local-email\0HOME=/";
        assert_eq!(function(text).as_deref(), Some("email"));
        assert_eq!(function(b"PATH=/bin\0"), None);
    }

    #[test]
    fn a_socket_is_found_by_its_own_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 111 1\n\
             1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 0 0 222 1\n";
        assert_eq!(inode(table, 0xC350), Some("222"));
        assert_eq!(inode(table, 1), None);
    }
}
