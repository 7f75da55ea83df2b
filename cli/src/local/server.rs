//! The process of the local cloud.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::Error;
use crate::terminal::Terminal;

use super::proxy;
use super::state::{FOLDER, State};

/// Our port, and how many after it are tried when it is taken.
const PORT: u16 = 4620;
const PORTS: u16 = 50;

/// What is in the command lines of our processes.
const CLOUD: &str = "ministack";
pub(super) const CAPTURE: &str = "local capture";
pub(super) const PROXY: &str = "local proxy";

/// How long the process may take to answer, and to stop.
const TO_START: Duration = Duration::from_secs(60);
const TO_STOP: Duration = Duration::from_secs(10);

const REGION: &str = "us-east-1";

/// Starts the process and waits until it answers.
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
        secret_access_key: secret()?,
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
    let started = beside(state.port, || proxy::start(None, None, state.port))?;
    (state.proxy, state.providers) = (Some(started.proxy), Some(started.providers));
    state.pid = spawn(&program, &state)?;
    // Saved at once: what is started can be stopped, whatever happens next.
    state.save()?;
    let begun = runtime::now();
    while !answers(&state) {
        if !is_running(state.pid, CLOUD) {
            return Err(Error::Cloud(format!("the local cloud ended at once; it said:\n{}", last_words())));
        }
        if runtime::now().duration_since(begun) > TO_START.try_into().unwrap_or(jiff::SignedDuration::MAX) {
            return Err(Error::Cloud(format!("the local cloud does not answer; it said:\n{}", last_words())));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    terminal.clear();
    Ok(state)
}

/// Keeps a port that nobody listens on yet while something else looks for one.
fn beside<T>(port: u16, start: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
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
    // What the one before unpacked for its functions, hundreds of megabytes each time.
    let _ = std::fs::remove_dir_all(&temporary);
    std::fs::create_dir_all(&temporary).map_err(|error| Error::write(&temporary, error))?;
    let program = std::path::absolute(program).map_err(|error| Error::read(program, error))?;
    let child = Command::new(&program)
        // Nothing of this shell reaches the functions: what they see is what the template sets.
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
        // The functions inherit it: what they call goes through the proxy.
        .env("AWS_ENDPOINT_URL", state.proxy_endpoint())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // A Ctrl-C in this terminal is meant for the command, not for the cloud.
        .process_group(0)
        .spawn()
        .map_err(|error| Error::read(&program, error))?;
    Ok(child.id())
}

/// Stops the processes, if they are still ours, and forgets them.
pub(super) fn stop(state: &State) -> Result<(), Error> {
    if let Some(capture) = state.capture {
        end(capture.pid, CAPTURE);
    }
    if let Some(proxy) = state.proxy {
        end(proxy.pid, PROXY);
    }
    end(state.pid, CLOUD);
    State::forget()
}

/// Ends a process that is still what it was.
pub(super) fn end(pid: u32, what: &str) {
    if !is_running(pid, what) {
        return;
    }
    signal(pid, "-TERM");
    let begun = runtime::now();
    while is_running(pid, what) {
        if runtime::now().duration_since(begun) > TO_STOP.try_into().unwrap_or(jiff::SignedDuration::MAX) {
            signal(pid, "-KILL");
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether the process answers, and is the one that knows our port.
pub(super) fn answers(state: &State) -> bool {
    is_running(state.pid, CLOUD) && responds(&format!("{}/_ministack/health", state.endpoint()))
}

/// Whether somebody answers there within two seconds.
pub(super) fn responds(url: &str) -> bool {
    ask(url).is_some()
}

/// What is said there within two seconds.
pub(super) fn ask(url: &str) -> Option<String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().into();
    agent.get(url).call().ok()?.body_mut().read_to_string().ok()
}

/// Whether the process is alive and still what it was: ids are used again after a crash. `what` is in its command line.
pub(super) fn is_running(pid: u32, what: &str) -> bool {
    let command = Command::new("ps").args(["-p", &pid.to_string(), "-o", "stat=,args="]).output();
    command.is_ok_and(|command| {
        let line = String::from_utf8_lossy(&command.stdout).into_owned();
        line.contains(what) && !line.trim_start().starts_with('Z')
    })
}

fn signal(pid: u32, signal: &str) {
    // A process that is gone already is what was wanted.
    let _ = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status();
}

pub(super) fn free_port() -> Result<u16, Error> {
    (PORT..PORT + PORTS).find(|it| TcpListener::bind(("127.0.0.1", *it)).is_ok()).ok_or_else(|| {
        Error::usage(format!("the ports {PORT} to {} are taken", PORT + PORTS), "stop one of their owners")
    })
}

fn secret() -> Result<String, Error> {
    let mut bits = [0_u8; 20];
    getrandom::fill(&mut bits).map_err(|error| Error::Cloud(format!("no random numbers: {error}")))?;
    Ok(bits.iter().map(|bit| format!("{bit:02x}")).collect())
}

pub(super) fn log_file() -> PathBuf {
    Path::new(FOLDER).join("ministack.log")
}

fn last_words() -> String {
    let text = std::fs::read_to_string(log_file()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
