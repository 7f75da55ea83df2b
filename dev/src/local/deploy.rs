//! Deployment of `infra/template.yaml` to the local cloud by the SAM CLI.

use std::path::Path;
use std::process::Command;

use cli::error::Error;
use cli::local_cloud::{FOLDER, State};
use cli::terminal::Terminal;

use super::parameters::{self, Parameter};
use super::{cors, functions, progress, python, sample_files};

/// Deploys the stack, and stores the addresses of its WebSocket and HTTP APIs.
///
/// # Errors
/// SAM failed, or an output of the stack is missing.
pub(super) fn run(state: &mut State, terminal: &Terminal) -> Result<(), Error> {
    let joined = parameters::join(parameters::of_file("local")?, defaults(), fixed(state)?);
    joined.unused.iter().for_each(|sentence| terminal.note(sentence));
    let mut command = sam(state);
    command.args(["deploy", "--config-env", "local", "--no-progressbar", "--parameter-overrides"]);
    command.args(joined.parameters.iter().map(parameters::argument));
    let log = Path::new(FOLDER).join("deploy.log");
    if !progress::run(command, "deploying infra/template.yaml to the local cloud", &log, terminal)? {
        let output = std::fs::read_to_string(&log).unwrap_or_default();
        return Err(Error::Cloud(format!("the template was not deployed:\n{output}")));
    }
    state.socket_url = Some(output(state, "SocketUrl")?);
    state.http_url = Some(output(state, "HttpUrl")?);
    state.token_url = Some(output(state, "TokenUrl")?);
    state.browser_origins = Some(cors::allow(state)?);
    Ok(())
}

/// Parameters that `infra/samconfig.toml` can replace.
fn defaults() -> Vec<Parameter> {
    let defaults = [("LogRetentionDays", "1"), ("LimitTenant", "1000/s:2000"), ("LimitUser", "1000/s:2000")];
    defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Parameters that the local cloud needs.
fn fixed(state: &State) -> Result<Vec<Parameter>, Error> {
    let producers = functions::producers()?;
    let application = |platform: &str| format!("arn:aws:sns:us-east-1:000000000000:app/{platform}/local");
    let fixed = [
        ("Environment", "local".to_owned()),
        ("LocalEndpoint", state.endpoint()),
        ("LocalProxy", state.proxy_endpoint()),
        ("CaptureEndpoint", state.providers_endpoint()),
        // The capture server is the token issuer, too.
        ("TokenIssuer", state.capture_endpoint()),
        ("WhatsappPhoneNumberId", "phone-number-id-local".to_owned()),
        ("AttachmentBuckets", format!("arn:aws:s3:::{}", sample_files::BUCKET)),
        ("ApnsApplicationArn", application("APNS")),
        ("FcmApplicationArn", application("GCM")),
        ("WebhookAllow", state.allowed_origins()),
        ("PeopleSources", producers.sources_with(|producers| producers.people).join(",")),
        ("CriticalSources", producers.sources_with(|producers| producers.critical).join(",")),
    ];
    // For an empty value the template's default holds.
    let fixed = fixed.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(fixed.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn sam(state: &State) -> Command {
    let mut command = Command::new(python::sam_tool("sam"));
    command.current_dir("infra").envs(state.variables());
    command.env("SAM_CLI_TELEMETRY", "0").env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    command
}

/// Reads an output of the stack.
fn output(state: &State, name: &str) -> Result<String, Error> {
    let command = python::command(include_str!("../../scripts/stack_output.py"), &[name], state);
    let failed = format!("the stack has no output {name}");
    match python::run(command, &[], &failed)? {
        value if value.is_empty() => Err(Error::Cloud(failed)),
        value => Ok(value),
    }
}
