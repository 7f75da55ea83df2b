//! The real template, deployed by the real SAM to the local cloud.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::terminal::Terminal;

use super::parameters::{self, Parameter};
use super::state::{FOLDER, State};
use super::{browser, progress};

/// Deploys, and learns where WebSockets connect and where the HTTP API is.
pub(super) fn run(state: &mut State, terminal: &Terminal) -> Result<(), Error> {
    let joined = parameters::join(parameters::of_file("local")?, defaults(), fixed(state)?);
    joined.unused.iter().for_each(|sentence| terminal.note(sentence));
    let mut command = sam(state);
    command.args(["deploy", "--config-env", "local", "--no-progressbar", "--parameter-overrides"]);
    command.args(joined.parameters.iter().map(parameters::argument));
    let log = Path::new(FOLDER).join("deploy.log");
    if !progress::run(command, "deploying infra/template.yaml to the local cloud", &log, terminal)? {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        return Err(Error::Cloud(format!("the template was not deployed:\n{said}")));
    }
    state.socket_url = Some(output(state, "SocketUrl")?);
    state.http_url = Some(output(state, "HttpUrl")?);
    state.token_url = Some(output(state, "TokenUrl")?);
    state.browser_origins = Some(browser::allow(state)?);
    Ok(())
}

/// What the file may say otherwise.
fn defaults() -> Vec<Parameter> {
    let of = [("LogRetentionDays", "1"), ("LimitTenant", "1000/s:2000"), ("LimitUser", "1000/s:2000")];
    of.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What the local cloud would not work without.
fn fixed(state: &State) -> Result<Vec<Parameter>, Error> {
    let producers = super::functions::producers()?;
    let application = |platform: &str| format!("arn:aws:sns:us-east-1:000000000000:app/{platform}/local");
    let fixed = [
        ("Environment", "local".to_owned()),
        ("LocalEndpoint", state.endpoint()),
        ("LocalProxy", state.proxy_endpoint()),
        ("CaptureEndpoint", state.providers_endpoint()),
        // The capture server is the local issuer, too.
        ("TokenIssuer", state.capture_endpoint()),
        ("WhatsappPhoneNumberId", "phone-number-id-local".to_owned()),
        ("AttachmentBuckets", format!("arn:aws:s3:::{}", super::files::BUCKET)),
        ("ApnsApplicationArn", application("APNS")),
        ("FcmApplicationArn", application("GCM")),
        ("WebhookAllow", state.allowed_origins()),
        ("PeopleSources", producers.sources_with(|producers| producers.people).join(",")),
        ("CriticalSources", producers.sources_with(|producers| producers.critical).join(",")),
    ];
    // The template has a default for what nobody has.
    let fixed = fixed.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(fixed.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn sam(state: &State) -> Command {
    let mut command = Command::new(tool("sam"));
    command.current_dir("infra").envs(state.variables());
    command.env("SAM_CLI_TELEMETRY", "0").env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    command
}

/// An output of the stack, by the SDK that came with SAM.
fn output(state: &State, name: &str) -> Result<String, Error> {
    let script = "import boto3, sys
stack = boto3.client('cloudformation').describe_stacks(StackName='carillon-local')['Stacks'][0]
print(next(it['OutputValue'] for it in stack['Outputs'] if it['OutputKey'] == sys.argv[1]))";
    let found = Command::new(tool("python"))
        .args(["-c", script, name])
        .envs(state.variables())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .map_err(|error| Error::read(Path::new(FOLDER), error))?;
    let value = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    match value.is_empty() {
        true => {
            let said = String::from_utf8_lossy(&found.stderr).into_owned();
            Err(Error::Cloud(format!("the stack has no output {name}: {said}")))
        }
        false => Ok(value),
    }
}

/// A program of SAM's own environment. Absolute, because it runs in another folder.
pub(super) fn tool(name: &str) -> std::path::PathBuf {
    let path = Path::new(FOLDER).join("sam/bin").join(name);
    std::path::absolute(&path).unwrap_or(path)
}
