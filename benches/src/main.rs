//! `make bench`: size, instructions, CPU time and memory of every function, beside its target and beside the same code
//! on the SDK's default client.
//! Measures the released binaries from outside, against stubs of the Runtime API and of AWS on this machine. run.sh
//! builds them and passes their names.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that people and CI read")]

mod cloud;
mod contest;
mod flood;
mod hooks;
mod http;
mod measure;
mod receipts;
mod relaying;
mod report;
mod running;
mod samples;
mod sealing;
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use clap::Parser;
use cloud::Cloud;
use measure::Figures;
use report::{Report, Works};
use running::Program;
use samples::Samples;
use stage::Stage;

/// Measure size, start-up and work of every function
#[derive(Parser)]
#[command(
    name = "benches",
    max_term_width = 100,
    after_help = "Examples:
  benches/run.sh --size
  target/local/benches --only FUNCTION      without a new build"
)]
struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Measure the sizes only
    #[arg(long)]
    size: bool,
    /// Measure one function only
    #[arg(long, value_name = "FUNCTION")]
    only: Option<String>,
}

/// Number of payloads for the cost of one more message. The second half is counted.
const MESSAGE_PAYLOADS: usize = 40;

/// Crates whose versions are printed with the figures.
const VERSIONS: [&str; 4] = ["lambda_runtime", "aws-config", "aws-sdk-dynamodb", "aws-smithy-http-client"];

fn main() -> ExitCode {
    let Args { json, size, only } = Args::parse();
    let report = match measure_all(size, only) {
        Ok(measure_all) => measure_all,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::from(2);
        }
    };
    match json {
        true => println!("{:#}", report.json()),
        false => print!("{}", report.table()),
    }
    let mut code = ExitCode::SUCCESS;
    for item in report.oversized().filter(|_| size) {
        eprintln!(
            "bench: {} has {} bytes, {} are allowed",
            item.name,
            item.size_bytes,
            report::MAX_SIZE_BYTES
        );
        code = ExitCode::FAILURE;
    }
    code
}

fn measure_all(size_only: bool, only: Option<String>) -> io::Result<Report> {
    let root = env::current_dir()?;
    let valgrind = if size_only { None } else { output("sh", &["-c", "command -v valgrind"]) };
    let mut report = Report {
        circumstances: circumstances(&root, valgrind.as_deref())?,
        ours: Vec::new(),
        peers: Vec::new(),
        works: Works::new(),
        contest: None,
        relaying: None,
        flood: None,
        notes: Vec::new(),
    };
    let functions = function_names(&root)?;
    if size_only {
        for name in functions {
            let size_bytes = measure::size(&root.join("target/release").join(&name))?;
            report.ours.push(Figures {
                name,
                size_bytes,
                start: None,
                message_instructions: None,
                message_calls: BTreeMap::new(),
            });
        }
        return Ok(report);
    }
    report.notes.push(match valgrind {
        Some(_) => {
            "Valgrind knows no SHA instructions: it counts every hash (signatures, keys) as software".into()
        }
        None => "Valgrind is missing, so no instructions were counted: apt-get install valgrind".into(),
    });
    let packs = root.join("packs");
    let mut bench = Bench {
        stage: Stage::open(Cloud::open(&packs)?)?,
        samples: Samples::read(&packs, &root.join("events"))?,
        folder: root.join("target/bench"),
        valgrind,
        functions,
        only,
        jobs: BTreeMap::new(),
    };
    fs::create_dir_all(&bench.folder)?;
    bench.measure(&root, &mut report)?;
    Ok(report)
}

/// State shared by all measurements of a run.
struct Bench {
    stage: Stage,
    samples: Samples,
    folder: PathBuf,
    valgrind: Option<String>,
    functions: Vec<String>,
    /// Name of the only function to measure, or `None` for all.
    only: Option<String>,
    /// Jobs that dispatch sent to the channel queues, used as input of the channels.
    jobs: BTreeMap<String, Vec<String>>,
}

impl Bench {
    fn measure(&mut self, root: &Path, report: &mut Report) -> io::Result<()> {
        let ours = root.join("target/release");
        let peers = root.join("target/peer/release");
        // dispatch runs first because the channels get its jobs.
        let mut order = self.functions.clone();
        order.sort_by_key(|item| item != "dispatch");
        order.retain(|item| self.only.as_ref().is_none_or(|only| only == item));
        for name in order.clone() {
            report.ours.push(self.figures("", &name, &ours.join(&name))?);
        }
        if order.iter().any(|item| item == "relay") {
            progress("relay: from commit to bus, beside a poller …");
            report.relaying = Some(relaying::run(&self.program(&ours.join("relay")), &self.stage)?);
        }
        if order.iter().any(|item| item == "gateway") {
            progress("gateway: the neighbours of flooding sockets …");
            let file = ours.join("gateway");
            let program = self.program(&file);
            report.flood = Some(flood::run(&program, &self.stage, &self.samples)?);
        }
        if self.only.is_some() {
            return Ok(());
        }
        for name in self.functions.clone() {
            let file = peers.join(&name);
            if file.is_file() {
                report.peers.push(self.figures("default client, ", &name, &file)?);
            }
        }
        if report.peers.len() < report.ours.len() {
            let built: Vec<&str> = report.peers.iter().map(|peer| peer.name.as_str()).collect();
            report
                .notes
                .push(format!("the default client was built for {} only: benches/peer", built.join(" and ")));
        }
        report.contest = contest::run(&self.functions, &self.stage, self.valgrind.as_deref(), root)?;
        if report.contest.as_ref().is_none_or(|contest| contest.entrants.len() < 2) {
            report
                .notes
                .push("Powertools for Python was not measured: python3 is missing, or see run.sh".into());
        }
        for (whose, folder) in [("ours", &ours), ("default client", &peers)] {
            let file = folder.join("dispatch");
            if file.is_file() {
                progress(&format!("dispatch ({whose}): what an event costs …"));
                let program = self.program(&file);
                let work = measure::work(&program, &self.stage, self.valgrind.as_deref(), &self.samples)?;
                report.works.push((whose, work));
            }
        }
        Ok(())
    }

    fn figures(&mut self, whose: &str, name: &str, file: &Path) -> io::Result<Figures> {
        progress(&format!(
            "{whose}{name}: {} starts, {} invocations …",
            measure::STARTS,
            measure::INVOCATIONS
        ));
        let payloads = self.payloads(name, measure::INVOCATIONS);
        let told = |error: io::Error| io::Error::other(format!("{whose}{name}: {error}"));
        let size_bytes = measure::size(file)?;
        let mut program = self.program(file);
        program.variables.extend(provider(name));
        let (start, journal) =
            measure::start(&program, &self.stage, self.valgrind.as_deref(), &payloads).map_err(told)?;
        let messages = match name {
            "gateway" | "api" | "seal" | "sweep" => 1,
            "relay" => samples::RECORDS,
            _ => samples::BATCH,
        };
        let is_counted = whose.is_empty() && name != "dispatch" && !payloads.is_empty();
        let message_calls = match is_counted {
            true => measure::calls(&journal, payloads.len() * messages),
            false => BTreeMap::new(),
        };
        let payloads = &payloads[..payloads.len().min(MESSAGE_PAYLOADS)];
        let message_instructions = match self.valgrind.as_deref() {
            Some(valgrind) if is_counted => {
                Some(measure::difference(&program, &self.stage, valgrind, payloads, messages).map_err(told)?)
            }
            _ => None,
        };
        if self.jobs.is_empty() {
            self.jobs = journal.sent;
        }
        let (name, start) = (name.to_owned(), Some(start));
        Ok(Figures { name, size_bytes, start, message_instructions, message_calls })
    }

    /// Invocation payloads of a function, `count` of them.
    fn payloads(&self, name: &str, count: usize) -> Vec<String> {
        match name {
            "gateway" => self.samples.requests(count),
            "api" => self.samples.questions(count),
            "audit" | "dispatch" => self.samples.batches(count),
            "feedback" => receipts::batches(count),
            "people" => Samples::people(count),
            "relay" => samples::outbox(count),
            "seal" | "sweep" => samples::ticks(count),
            "webhook" => samples::jobs(&hooks::jobs(), count),
            channel => samples::jobs(self.jobs.get(channel).map_or(&[], Vec::as_slice), count),
        }
    }

    fn program<'a>(&'a self, file: &'a Path) -> Program<'a> {
        Program {
            file,
            arguments: &[],
            folder: &self.folder,
            functions: &self.functions,
            variables: Vec::new(),
        }
    }
}

/// Provider whose health the template makes a channel watch.
fn provider(name: &str) -> Option<(&'static str, String)> {
    let provider = match name {
        "email" => "ses",
        "push" => "sns-push",
        "whatsapp" => "whatsapp",
        _ => return None,
    };
    Some(("PROVIDERS", provider.to_owned()))
}

fn function_names(root: &Path) -> io::Result<Vec<String>> {
    let folders = samples::entries(&root.join("functions"))?;
    let names = folders.iter().filter_map(|folder| folder.file_name());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Circumstances on which the figures depend. Without a date, so that the same code gives the same report.
fn circumstances(root: &Path, valgrind: Option<&str>) -> io::Result<Vec<(&'static str, String)>> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, item)| item);
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let rustc = output("rustc", &["--version"]).unwrap_or_default();
    let mut all = vec![
        ("CPU", format!("{model} ({}, no features beyond its baseline)", env::consts::ARCH)),
        ("rustc", rustc.split_whitespace().nth(1).unwrap_or("unknown").to_owned()),
    ];
    all.extend(VERSIONS.map(|name| (name, locked(&lock, name))));
    if let Some(version) = valgrind.and_then(|valgrind| output(valgrind, &["--version"])) {
        all.push(("valgrind", version.trim_start_matches("valgrind-").to_owned()));
    }
    let roots = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    all.push(("system roots", roots.matches("BEGIN CERTIFICATE").count().to_string()));
    Ok(all)
}

/// Version of a crate in Cargo.lock.
fn locked(lock: &str, name: &str) -> String {
    let entry = lock.split("[[package]]").find(|part| part.contains(&format!("\nname = \"{name}\"\n")));
    let version = entry.and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")));
    version.unwrap_or("unknown").trim_matches('"').to_owned()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn progress(what: &str) {
    eprintln!("bench: {what}");
}
