//! The caller: the process at the other end of a connection on this machine.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use aws_credential_types::Credentials;
use rustix::process::Signal;

use crate::local::server;

/// A calling process; `function` is its function name, if it is a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) pid: u32,
    pub(super) function: Option<String>,
}

/// The prefix of the local cloud's function names.
const PREFIX: &str = "carillon-local-";

/// The process ids of earlier callers. A search of all processes for each connection takes longer than the calls.
#[derive(Default)]
pub(super) struct Callers(RefCell<BTreeSet<u32>>);

impl Callers {
    /// Finds the process that connects from `peer` to the port `own`. `None` if the process has ended or is not visible.
    ///
    /// Source: proc(5), `/proc/net/tcp` and `/proc/<pid>/fd`.
    pub(super) fn find(&self, peer: SocketAddr, own: u16) -> Option<Caller> {
        let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
        let socket = format!("socket:[{}]", inode(&table, peer.port(), own)?);
        let known = self.0.borrow().iter().copied().find(|pid| holds(*pid, &socket));
        let pid = known.or_else(|| {
            let processes = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
            let mut pids = processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok());
            pids.find(|pid| *pid != std::process::id() && holds(*pid, &socket))
        })?;
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut known = self.0.borrow_mut();
        known.retain(|pid| Path::new("/proc").join(pid.to_string()).exists());
        known.insert(pid);
        Some(Caller { pid, function: function(&environment) })
    }
}

impl Caller {
    /// The credentials of a function.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let of = |name: &str| variable(&environment, name).map(str::to_owned);
        self.function.as_ref()?;
        let (id, secret) = (of("AWS_ACCESS_KEY_ID=")?, of("AWS_SECRET_ACCESS_KEY=")?);
        Some(Credentials::new(id, secret, of("AWS_SESSION_TOKEN="), None, "function"))
    }

    /// Kills the process if it is a function of the local cloud.
    pub(super) fn kill(&self) {
        if self.function.is_some() {
            server::send_signal(self.pid, Signal::KILL);
        }
    }
}

/// The inode of the socket with these two ports on 127.0.0.1. One local port can have several connections.
fn inode(table: &str, port: u16, other: u16) -> Option<&str> {
    let (local, remote) = (format!("0100007F:{port:04X}"), format!("0100007F:{other:04X}"));
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_wanted =
        |line: &[&str]| line.get(1) == Some(&local.as_str()) && line.get(2) == Some(&remote.as_str());
    let mut found = lines.filter(|line| is_wanted(line));
    found.find_map(|line| line.get(9).copied().filter(|inode| *inode != "0"))
}

fn holds(pid: u32, socket: &str) -> bool {
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files
        .filter_map(Result::ok)
        .any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == Path::new(socket)))
}

fn function(environment: &[u8]) -> Option<String> {
    variable(environment, "AWS_LAMBDA_FUNCTION_NAME=")?.strip_prefix(PREFIX).map(str::to_owned)
}

/// The value of a variable; `name` ends with `=`.
fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    let variables =
        environment.split(|environment| *environment == 0).filter_map(|part| std::str::from_utf8(part).ok());
    variables.filter_map(|variable| variable.strip_prefix(name)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_name_comes_from_the_environment() {
        let text = b"PATH=/bin\0AWS_LAMBDA_FUNCTION_NAME=carillon-local-email\0HOME=/";
        assert_eq!(function(text).as_deref(), Some("email"));
        assert_eq!(function(b"PATH=/bin\0"), None);
    }

    #[test]
    fn socket_is_found_by_both_ports() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 111 1\n\
             1: 0100007F:C350 0100007F:0050 01 00000000:00000000 00:00000000 00000000 0 0 333 1\n\
             2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 0 0 222 1\n";
        assert_eq!(inode(table, 0xC350, 0x1F90), Some("222"));
        assert_eq!(inode(table, 0xC350, 1), None);
    }
}
