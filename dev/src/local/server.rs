//! The MiniStack process of the local cloud.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cli::error::Error;
use cli::local_cloud::{FOLDER, State};
use cli::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::state;
use crate::{capture, proxy};

/// The first port, and the number of ports that are tried.
const PORT: u16 = 4620;
const PORTS: u16 = 50;

/// The text in the process's command line.
const CLOUD: &str = "ministack";

/// The longest time for a process to answer, and to stop.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

const REGION: &str = "us-east-1";

/// Starts the process and waits until it answers.
///
/// # Errors
/// The local cloud is not installed, or does not answer in time.
pub(super) fn start(terminal: &Terminal) -> Result<State, Error> {
    let program = Path::new(FOLDER).join("ministack/bin/ministack");
    if !program.exists() {
        return Err(Error::usage("the local cloud is not installed", "`make up` installs it"));
    }
    let mut state = State {
        pid: 0,
        port: free_port()?,
        region: REGION.to_owned(),
        access_key_id: "local".to_owned(),
        secret_access_key: secret()?.into(),
        capture: None,
        proxy: None,
        providers: None,
        socket_url: None,
        http_url: None,
        token_url: None,
        webhook_allow: Vec::new(),
        browser_origins: None,
        deployed: None,
    };
    terminal.progress("starting the local cloud …");
    let started = while_held(state.port, || proxy::start(None, None, state.port))?;
    (state.proxy, state.providers) = (Some(started.proxy), Some(started.providers));
    state.pid = spawn(&program, &state)?;
    // Saved before anything else can fail, so that `down` can stop the process.
    state::save(&state)?;
    let started_at = runtime::now();
    while !answers(&state) {
        if !is_running(state.pid, CLOUD) {
            return Err(Error::Cloud(format!("the local cloud ended at once. Its log:\n{}", log_tail())));
        }
        if has_passed(START_TIMEOUT, started_at) {
            return Err(Error::Cloud(format!("the local cloud does not answer. Its log:\n{}", log_tail())));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    terminal.clear();
    Ok(state)
}

/// Whether this time has passed since `from`.
pub(super) fn has_passed(time: Duration, from: domain::Timestamp) -> bool {
    Duration::try_from(runtime::now().duration_since(from)).is_ok_and(|passed| passed > time)
}

/// Holds an unused port while another process looks for one.
fn while_held<T>(port: u16, start: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let held = TcpListener::bind(("127.0.0.1", port));
    let started = start();
    drop(held);
    started
}

fn spawn(program: &Path, state: &State) -> Result<u32, Error> {
    let log_path = log_file();
    let log = std::fs::File::create(&log_path).map_err(|error| Error::write(&log_path, error))?;
    let errors = log.try_clone().map_err(|error| Error::write(&log_path, error))?;
    let temporary =
        std::path::absolute(Path::new(FOLDER).join("tmp")).map_err(|error| Error::read(program, error))?;
    // The unpacked functions of the previous process, hundreds of megabytes.
    let _ = std::fs::remove_dir_all(&temporary);
    std::fs::create_dir_all(&temporary).map_err(|error| Error::write(&temporary, error))?;
    let program = std::path::absolute(program).map_err(|error| Error::read(program, error))?;
    let child = Command::new(&program)
        // The functions get the template's environment only, without variables of this shell.
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &temporary)
        .env("TMPDIR", &temporary)
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", REGION)
        .env("GATEWAY_PORT", state.port.to_string())
        // Every call is checked against the caller's IAM policy.
        .env("AUTH", "true")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(state.variables())
        // The functions inherit this variable, so their calls go through the proxy.
        .env("AWS_ENDPOINT_URL", state.proxy_endpoint())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // Ctrl-C in this terminal does not reach the process.
        .process_group(0)
        .spawn()
        .map_err(|error| Error::read(&program, error))?;
    Ok(child.id())
}

/// Stops the processes of the local cloud and removes the state.
///
/// # Errors
/// The state cannot be removed.
pub(super) fn stop(state: &State) -> Result<(), Error> {
    if let Some(running) = state.capture {
        end(running.pid, capture::SIDECAR.command);
    }
    if let Some(running) = state.proxy {
        end(running.pid, proxy::SIDECAR.command);
    }
    end(state.pid, CLOUD);
    state::forget()
}

/// Ends a process if its command line contains `command`.
pub(super) fn end(pid: u32, command: &str) {
    if !is_running(pid, command) {
        return;
    }
    send_signal(pid, Signal::TERM);
    let started_at = runtime::now();
    // A process that ends loses its command line before its ports.
    while process(pid, |_| ()).is_some() {
        if has_passed(STOP_TIMEOUT, started_at) {
            send_signal(pid, Signal::KILL);
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether the process of this state answers on its port.
pub(super) fn answers(state: &State) -> bool {
    is_running(state.pid, CLOUD) && responds(&format!("{}/_ministack/health", state.endpoint()))
}

/// Whether the URL answers within two seconds.
pub(super) fn responds(url: &str) -> bool {
    get(url).is_some()
}

/// The body of the URL, if it answers within two seconds.
pub(crate) fn get(url: &str) -> Option<String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().into();
    agent.get(url).call().ok()?.body_mut().read_to_string().ok()
}

/// Whether the process is alive and its command line contains `command`. Process ids are reused after a crash.
pub(super) fn is_running(pid: u32, command: &str) -> bool {
    let words = process(pid, |process| {
        let words: Vec<_> = process.cmd().iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    });
    words.is_some_and(|words| words.contains(command))
}

/// Reads a process that has not ended. A zombie has ended.
fn process<T>(pid: u32, read: impl FnOnce(&sysinfo::Process) -> T) -> Option<T> {
    let pid = sysinfo::Pid::from_u32(pid);
    let wanted = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    system.process(pid).filter(|process| process.status() != ProcessStatus::Zombie).map(read)
}

/// Sends a signal. A process that has ended is no error.
pub(crate) fn send_signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// A free port of 127.0.0.1.
///
/// # Errors
/// All ports of the range are taken.
pub(crate) fn free_port() -> Result<u16, Error> {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (PORT..PORT + PORTS).find(is_free).ok_or_else(|| {
        Error::usage(format!("the ports {PORT} to {} are taken", PORT + PORTS), "stop one of their owners")
    })
}

fn secret() -> Result<String, Error> {
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| Error::Cloud(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The log of the process and its functions.
pub(super) fn log_file() -> PathBuf {
    Path::new(FOLDER).join("ministack.log")
}

/// The last lines of the log.
fn log_tail() -> String {
    let text = std::fs::read_to_string(log_file()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_runs_under_its_own_command_line_until_it_ends() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        // The system shows the command line a moment after the start.
        while !is_running(pid, "sleep 600") {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!is_running(pid, "another command"));
        send_signal(pid, Signal::KILL);
        // A zombie has ended.
        while is_running(pid, "sleep 600") {
            std::thread::sleep(Duration::from_millis(10));
        }
        child.wait().unwrap();
        assert!(!is_running(pid, "sleep 600"));
    }
}
