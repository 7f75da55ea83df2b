//! `carillon render`: the exact provider requests for an event, without a cloud account.
//!
//! The jobs come from the engine, as in dispatch. The code of each channel's function builds the requests from them, as
//! it does before a call to its provider.

mod files;
mod message;

use std::collections::BTreeMap;
use std::path::Path;

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::decide::Verdict;
use domain::recipient::unsubscribe::Keys;
use domain::recipient::{self, Group, Recipients};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use engine::{Engine, Evaluation, Fixtures, OutputSettings, UnsubscribeLinks, Warning};
use queue::MAX_MESSAGE_BYTES;
use serde_json::json;
use templates::Renderer;

use crate::args::Render;
use crate::deciding::{PreviewedDecision, PreviewedOutcome, preview_with};
use crate::error::{Done, Error};
use crate::explain::{self, Wanted};
use crate::project;
use crate::terminal::{Ink, Terminal};

use message::Message;

/// The id of the sample endpoint that stands for a tenant's endpoints.
const SAMPLE_ENDPOINT: &str = "sample";

/// A request to a provider, or the reason why no request is made.
struct Rendered {
    at: Timestamp,
    rule: String,
    recipient: String,
    channel: Option<Channel>,
    notes: Vec<String>,
    made: Result<Message, String>,
}

pub(crate) fn run(args: &Render, terminal: &Terminal) -> Done {
    let path = Path::new(&args.event);
    if args.event != "-" && !path.exists() {
        let what = format!("there is no file {}", args.event);
        return Err(Error::usage(what, "name a file with one event, or - for standard input"));
    }
    let wanted = Wanted { recipient: args.recipient.clone(), channel: args.channel };
    let at = args.at;
    let catalog = explain::catalog(&args.config)?;
    let when = at.unwrap_or_else(runtime::now);
    let event = explain::event(path, args.source.as_deref(), &catalog.policy().producers, when)?;
    let at = at.unwrap_or(event.time);
    let (mut recipients, tenants) = explain::people(args.people.as_deref(), Some(&args.config), terminal)?;
    is_known(args, &recipients)?;
    if let Some(locale) = &args.locale {
        if !domain::base::locale::is_tag(locale) {
            let what = format!("`{locale}` is no language");
            return Err(Error::usage(what, "write a language tag, such as de or pt-BR"));
        }
        recipients.values_mut().for_each(|person| person.locale = Some(locale.clone()));
    }
    let members = |group: &Group| match group {
        Group::Endpoints { .. } => vec![SAMPLE_ENDPOINT.to_owned()],
        Group::Role { .. } | Group::Topic { .. } => recipient::members(group, &recipients),
    };
    let tenant = event.tenant.as_deref().and_then(|tenant| tenants.get(tenant));
    let renderer = Renderer::new(&catalog);
    let facts = Fixtures {
        tenant,
        members: Some(&members),
        endpoint: Some(&sample_endpoint),
        ..Fixtures::of(&recipients)
    };
    let engine = Engine::unpaged(&catalog, &renderer, &facts);
    let links = sample_links()?;
    let settings = OutputSettings { links: &links, max_job_bytes: MAX_MESSAGE_BYTES };
    let mut rendered: Vec<Rendered> = Vec::new();
    let previewed = preview_with(&event, &engine, at, &mut |mut evaluation, at| {
        evaluation.decisions.retain(|decision| {
            matches!(decision.verdict, Verdict::Send(_)) && wanted.is(&decision.recipient, decision.channel)
        });
        rendered.extend(render(evaluation, settings, at, &args.sender));
    });
    let folder = files::folder(args)?;
    for (number, one) in rendered.iter().enumerate() {
        show(one, terminal);
        if let (Some(folder), Ok(message)) = (&folder, &one.made) {
            let name = format!("{:02}-{}-{}", number + 1, one.rule, one.channel.map_or("-", Channel::name));
            files::write(&folder.join(name), message, args.open, terminal)?;
        }
    }
    let others = previewed
        .iter()
        .filter(|it| it.what != PreviewedOutcome::Send && wanted.is(&it.recipient, it.channel));
    let others: Vec<&PreviewedDecision> = others.collect();
    others.iter().for_each(|other| show_unsent(other, terminal));
    if rendered.is_empty() && others.is_empty() && !terminal.json {
        terminal
            .say("nothing is sent: no rule that matches the event addresses this recipient on this channel");
    }
    Ok(rendered.iter().any(|it| it.made.is_ok()) && rendered.iter().all(|it| it.made.is_ok()))
}

/// Refuses an unknown `--recipient`, whose output would look like that of a person without notifications.
fn is_known(args: &Render, recipients: &Recipients) -> Result<(), Error> {
    let Some(name) = &args.recipient else { return Ok(()) };
    if name.contains([':', '@']) || name.starts_with('+') || recipients.contains_key(name) {
        return Ok(());
    }
    let (pieces, file) = project::people(args.people.as_deref(), Some(&args.config))?;
    if pieces.is_empty() {
        return Err(Error::usage(
            format!("{file} has no entry, and none with `{name}` in it"),
            "name one with --people",
        ));
    }
    let near = catalog::nearest(name, recipients.keys().map(String::as_str));
    let fix = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add the person there, or name another file with --people".to_owned(),
    };
    Err(Error::usage(format!("`{name}` is not in {file}"), fix))
}

fn sample_endpoint(id: &EndpointId) -> Option<Endpoint> {
    Some(Endpoint::new(id.clone(), "https://example.com/webhooks".to_owned()))
}

/// Makes unsubscribe links with a key that no deployment has. Links of a preview lead to no page.
fn sample_links() -> Result<UnsubscribeLinks, Error> {
    let keys = r#"{"preview":"a key of previews, which no deployment accepts"}"#;
    let keys = Keys::read(keys, "preview").map_err(|error| Error::Cloud(error.to_string()))?;
    Ok(UnsubscribeLinks::new("https://example.com", keys, None))
}

/// Renders the requests of one pass with the code of the channels.
fn render(
    evaluation: Evaluation<'_>,
    settings: OutputSettings<'_>,
    at: Timestamp,
    sender: &str,
) -> Vec<Rendered> {
    let sends = evaluation.decisions.iter().map(|decision| {
        let one = Rendered {
            at,
            rule: decision.rule.map_or("-", |rule| rule.name.as_str()).to_owned(),
            recipient: decision.recipient.clone(),
            channel: decision.channel,
            notes: decision.notes.iter().map(ToString::to_string).collect(),
            made: Err("the engine made no job of it".to_owned()),
        };
        (decision.key.as_str().to_owned(), one)
    });
    let mut sends: BTreeMap<String, Rendered> = sends.collect();
    let output = evaluation.output(settings);
    let mut rendered = Vec::new();
    for warning in &output.warnings {
        let Warning::Unrendered { key, error, .. } = warning else { continue };
        let Some(one) = sends.remove(key.as_str()) else { continue };
        rendered.push(Rendered { made: Err(error.to_string()), ..one });
    }
    for made in &output.jobs {
        let Some(one) = sends.remove(made.job.key.as_str()) else { continue };
        let made = message::shape(&made.job, sender, at).map_err(|failure| aws::chain(&failure));
        rendered.push(Rendered { made, ..one });
    }
    for outcome in &output.outcomes {
        let Some(one) = sends.remove(outcome.key.as_str()) else { continue };
        rendered.push(Rendered { made: Err(outcome.reason.meaning().to_owned()), ..one });
    }
    rendered.extend(sends.into_values());
    rendered
}

fn show(one: &Rendered, terminal: &Terminal) {
    let channel = one.channel.map_or("-", Channel::name);
    if terminal.json {
        let (content, error) = match &one.made {
            Ok(message) => (message.value.clone(), None),
            Err(error) => (json!(null), Some(error)),
        };
        let Rendered { at, rule, recipient, notes, .. } = one;
        terminal.say_json(&json!({
            "at": at.to_string(), "rule": rule, "recipient": recipient, "channel": channel, "notes": notes,
            "content": content, "error": error,
        }));
        return;
    }
    let head = format!("{} to {} by {channel}", one.rule, one.recipient);
    terminal.say(&format!(
        "{}  {}",
        terminal.ink(Ink::Strong, &head),
        terminal.ink(Ink::Quiet, &one.at.to_string())
    ));
    for note in &one.notes {
        terminal.say(&terminal.ink(Ink::Quiet, &format!("  · {note}")));
    }
    match &one.made {
        Ok(message) => message.lines().for_each(|line| terminal.say(line)),
        Err(error) => terminal.say(&terminal.ink(Ink::Bad, &format!("  cannot be sent: {error}"))),
    }
    terminal.say("");
}

fn show_unsent(previewed: &PreviewedDecision, terminal: &Terminal) {
    let channel = previewed.channel.map(Channel::name);
    let why = match previewed.what {
        PreviewedOutcome::Suppress(reason) => reason.meaning().to_owned(),
        PreviewedOutcome::Later { until, why } => format!("waits until {until}: {}", why.meaning()),
        PreviewedOutcome::Collect { closes_at } => format!("is collected until {closes_at}"),
        PreviewedOutcome::Cancels => "takes back an earlier one".to_owned(),
        PreviewedOutcome::Send => return,
    };
    let rule = previewed.rule.as_deref().unwrap_or("-");
    if terminal.json {
        terminal.say_json(&json!({
            "at": previewed.at.to_string(), "rule": rule, "recipient": previewed.recipient, "channel": channel,
            "content": null, "notSent": why,
        }));
    } else {
        let on = channel.map_or_else(String::new, |name| format!(" by {name}"));
        let line = format!("{rule} to {}{on} is not sent: {why}", previewed.recipient);
        terminal.say(&terminal.ink(Ink::Quiet, &line));
    }
}
