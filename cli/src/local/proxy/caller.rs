//! Who is calling: the process at the other end of a connection on this machine.

use std::cell::RefCell;
use std::collections::BTreeSet;
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

/// Who has called before: most connections are made by processes that are known, and to look through all processes of
/// the machine for each of them takes longer than the calls.
#[derive(Default)]
pub(super) struct Callers(RefCell<BTreeSet<u32>>);

impl Callers {
    /// By the port it calls from, to a port of ours. `None` when that cannot be found out, or it is gone.
    ///
    /// Source: proc(5), `/proc/net/tcp` and `/proc/<pid>/fd`.
    pub(super) fn of(&self, peer: SocketAddr, own: u16) -> Option<Caller> {
        let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
        let socket = format!("socket:[{}]", inode(&table, peer.port(), own)?);
        let known = self.0.borrow().iter().copied().find(|it| holds(*it, &socket));
        let pid = known.or_else(|| {
            let processes = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
            let mut pids = processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok());
            pids.find(|pid| *pid != std::process::id() && holds(*pid, &socket))
        })?;
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut known = self.0.borrow_mut();
        known.retain(|it| Path::new("/proc").join(it.to_string()).exists());
        known.insert(pid);
        Some(Caller { pid, function: function(&environment) })
    }
}

impl Caller {
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

/// The socket whose own end is this port of 127.0.0.1, and whose other end is that one: one port may call several.
fn inode(table: &str, port: u16, other: u16) -> Option<&str> {
    let (local, remote) = (format!("0100007F:{port:04X}"), format!("0100007F:{other:04X}"));
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ends = |it: &[&str]| it.get(1) == Some(&local.as_str()) && it.get(2) == Some(&remote.as_str());
    let mut found = lines.filter(|line| ends(line));
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
    let variables =
        environment.split(|environment| *environment == 0).filter_map(|part| std::str::from_utf8(part).ok());
    variables.filter_map(|variable| variable.strip_prefix(name)).next()
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
    fn a_socket_is_found_by_both_of_its_ends() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 111 1\n\
             1: 0100007F:C350 0100007F:0050 01 00000000:00000000 00:00000000 00000000 0 0 333 1\n\
             2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 0 0 222 1\n";
        assert_eq!(inode(table, 0xC350, 0x1F90), Some("222"));
        assert_eq!(inode(table, 0xC350, 1), None);
    }
}
