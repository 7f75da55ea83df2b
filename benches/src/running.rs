//! One process of one function, from its start to its end.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::sealing;
use crate::stage::Stage;

/// Interval and number of polls of a process. After two minutes it counts as failed.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 1_200;

/// A program to measure, and the folder with the catalog and its output.
#[derive(Clone)]
pub(crate) struct Program<'a> {
    pub(crate) file: &'a Path,
    pub(crate) arguments: &'a [&'a str],
    pub(crate) folder: &'a Path,
    pub(crate) functions: &'a [String],
    /// Additional environment variables beside those that every function gets.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// A running process. It ends when this value is dropped.
pub(crate) struct Running<'a> {
    child: Child,
    stage: &'a Stage,
    log: PathBuf,
    /// Time of the start.
    pub(crate) since: Instant,
}

impl<'a> Running<'a> {
    /// Starts a program, through `wrapper` if there is one, with the variables that Lambda and the template set.
    ///
    /// # Errors
    /// The program cannot be started.
    #[expect(clippy::disallowed_methods, reason = "the time that is measured")]
    pub(crate) fn start(
        program: &Program<'_>,
        stage: &'a Stage,
        wrapper: &[String],
    ) -> io::Result<Running<'a>> {
        stage.clear();
        let log = program.folder.join("function.log");
        let mut command = match wrapper {
            [] => Command::new(program.file),
            [tool, options @ ..] => {
                let mut command = Command::new(tool);
                command.args(options).arg(program.file);
                command
            }
        };
        command
            .args(program.arguments)
            .env_clear()
            .envs(environment(program, stage))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        let since = Instant::now();
        let child = command.spawn().map_err(|error| io::Error::other(format!("{command:?}: {error}")))?;
        Ok(Running { child, stage, log, since })
    }

    /// Time at which the program had handled all payloads and asked for more.
    ///
    /// # Errors
    /// The program ended before, took too long, or made an unexpected call.
    pub(crate) fn idle(&mut self) -> io::Result<Instant> {
        for _ in 0..LOOKS {
            if let Some(at) = self.stage.idle_within(LOOK) {
                return match self.stage.journal().faults.first() {
                    Some(fault) => Err(self.failed(fault)),
                    None => Ok(at),
                };
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("it ended early: {status}")));
            }
        }
        Err(self.failed("it took too long"))
    }

    /// Peak memory so far, in bytes.
    ///
    /// # Errors
    /// The kernel does not report it.
    pub(crate) fn peak_bytes(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.map(|kib| kib * 1_024).ok_or_else(|| io::Error::other("no VmHWM in /proc"))
    }

    /// CPU time of its threads in nanoseconds, including the kernel's share. Threads that have ended are not counted.
    ///
    /// # Errors
    /// The kernel does not report it.
    pub(crate) fn cpu_ns(&self) -> io::Result<u64> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
            sum += first.ok_or_else(|| io::Error::other("no time in /proc/<pid>/task/<tid>/schedstat"))?;
        }
        Ok(sum)
    }

    /// Asks the program to end, so that a wrapper can write its figures, and waits.
    ///
    /// # Errors
    /// The program does not end.
    pub(crate) fn end(mut self) -> io::Result<ExitStatus> {
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status()?;
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            sleep(LOOK);
        }
        Err(self.failed(&format!("asked to end ({asked}), it goes on")))
    }

    fn failed(&self, why: &str) -> io::Error {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        io::Error::other(format!("{why}\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n")))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // The process may have ended already, and the error does not matter then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One environment for all functions. Each reads the variables that it needs.
fn environment(program: &Program<'_>, stage: &Stage) -> Vec<(String, String)> {
    let (folder, address) = (program.folder.to_string_lossy(), stage.address());
    let fixed = [
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2099/11/20/[$LATEST]bench"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("LAMBDA_TASK_ROOT", &folder),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "ASIABENCHBENCHBENCH0"),
        ("AWS_SECRET_ACCESS_KEY", "bench/bench/bench/bench/bench/bench/bench"),
        ("AWS_SESSION_TOKEN", "bench"),
        ("LOG_LEVEL", "info"),
        ("PEOPLE_TABLE", "carillon-bench-people"),
        ("LEDGER_TABLE", "carillon-bench-ledger"),
        ("COUNTERS_TABLE", "carillon-bench-counters"),
        ("EVENTS_TABLE", "carillon-bench-events"),
        ("CONNECTIONS_TABLE", "carillon-bench-connections"),
        ("INBOX_TABLE", "carillon-bench-inbox"),
        ("ENDPOINTS_TABLE", "carillon-bench-endpoints"),
        ("SECRETS_KEY", "arn:aws:kms:eu-central-1:000000000000:key/bench"),
        ("SENDER_ADDRESS", "Carillon <bell@example.com>"),
        ("CONFIGURATION_SET", "carillon-bench"),
        ("WEBHOOK_ALLOW", stage.hooks()),
        ("BUS_NAME", "carillon-bench"),
        ("SOCKET_URL", "wss://sockets.example.com/live"),
        ("UNSUBSCRIBE_URL", "https://unsubscribe.example.com"),
        ("UNSUBSCRIBE_KEYS", r#"{"k1":"a-secret-that-is-worth-nothing-at-all"}"#),
        ("UNSUBSCRIBE_KEY", "k1"),
        ("STACK_SECRET", domain::recipient::keyed_hash::DEVELOPMENT_SECRET),
        ("CRITICAL_TYPES", "auth.account.locked"),
        ("SCHEDULE_PREFIX", "carillon-bench-"),
        ("SCHEDULE_ROLE_ARN", "arn:aws:iam::000000000000:role/carillon-bench"),
        ("CRITICAL_QUEUE_ARN", "arn:aws:sqs:eu-central-1:000000000000:critical"),
        ("QUEUE_ARN", "arn:aws:sqs:eu-central-1:000000000000:queue"),
        ("DISPATCH_QUEUE_ARN", "arn:aws:sqs:eu-central-1:000000000000:dispatch"),
        ("BULK_QUEUE_ARN", "arn:aws:sqs:eu-central-1:000000000000:bulk"),
        ("META_API_VERSION", "v20.0"),
        ("WHATSAPP_PHONE_NUMBER_ID", "phone-number-id-bench"),
    ];
    let mut variables: Vec<(String, String)> = fixed.map(|(name, value)| (name.into(), value.into())).into();
    variables.extend(sealing::VARIABLES.map(|(name, value)| (name.into(), value.into())));
    let local = |path: &str| format!("http://{address}/{path}");
    variables.push(("AWS_ENDPOINT_URL".into(), local("")));
    variables.push(("SOCKET_ENDPOINT".into(), local("live")));
    for name in ["QUEUE_URL".to_owned(), "DEAD_LETTERS_URL".to_owned()] {
        variables.push((name, local("000000000000/unused")));
    }
    let functions = program.functions.iter().map(String::as_str);
    let critical = functions.clone().map(|function| format!("{function}-critical"));
    let queues = functions.chain(["critical", "bulk"]).map(str::to_owned).chain(critical);
    for queue in queues {
        let name = queue.to_uppercase().replace('-', "_");
        variables.push((format!("{name}_QUEUE_URL"), local(&format!("000000000000/{queue}"))));
    }
    variables.extend(program.variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    variables
}
