//! `carillon render`: exactly what would be sent about an event, without any cloud.
//!
//! The jobs come from dispatch's own code, and each channel's function shapes its request from them, as it does before it
//! asks its provider.

mod files;
mod message;

use std::collections::BTreeMap;
use std::path::Path;

use dispatch::{WaysOut, Words};
use domain::Timestamp;
use domain::channel::Channel;
use domain::decide::{Decision, Verdict};
use domain::endpoint::{Endpoint, EndpointId};
use domain::job::Job;
use domain::plan::Plan;
use domain::recipient::{self, Group, Recipients};
use runtime::Env;
use serde_json::json;
use templates::{Renderer, Written, scene_of};

use crate::args::Render;
use crate::deciding::{Told, What, World, foretell_with};
use crate::error::{Done, Error};
use crate::explain::{self, Wanted};
use crate::project;
use crate::terminal::{Ink, Terminal};

use message::Message;

/// The endpoint that stands for those of a tenant.
const SAMPLE_ENDPOINT: &str = "sample";

/// A job that dispatch would put into a queue, or why there is none.
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
    let channel = explain::channel(args.channel.as_deref())?;
    let wanted = Wanted { recipient: args.recipient.clone(), channel };
    let at = args.at.as_deref().map(explain::instant).transpose()?;
    let catalog = explain::catalog(&args.config)?;
    let when = at.unwrap_or_else(runtime::now);
    let event = explain::event(path, args.source.as_deref(), &catalog.policy().producers, when)?;
    let at = at.unwrap_or(event.time);
    let (mut recipients, tenants) = explain::people(args.people.as_deref(), Some(&args.config), terminal)?;
    is_known(args, &recipients)?;
    if let Some(locale) = &args.locale {
        if !domain::locale::is_tag(locale) {
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
    let world = World {
        catalog: &catalog,
        renderer: &renderer,
        recipients: &recipients,
        tenant,
        members: &members,
        endpoint: Some(&sample_endpoint),
    };
    let (ways_out, zone) = (ways_out()?, tenant.and_then(|tenant| tenant.zone.as_deref()));
    let mut rendered: Vec<Rendered> = Vec::new();
    let told = foretell_with(&event, &world, at, &mut |plan, decisions, written, at| {
        let scene = scene_of(&renderer, plan, zone, at);
        let words = Words { scene: &scene, ways_out: &ways_out, now: at, more: false };
        let decisions = decisions
            .into_iter()
            .filter(|decision| wanted.is(&decision.recipient, decision.channel))
            .collect();
        rendered.extend(render(plan, decisions, written, &words, &args.sender));
    });
    let folder = files::folder(args)?;
    for (number, one) in rendered.iter().enumerate() {
        show(one, terminal);
        if let (Some(folder), Ok(message)) = (&folder, &one.made) {
            let name = format!("{:02}-{}-{}", number + 1, one.rule, one.channel.map_or("-", Channel::name));
            files::write(&folder.join(name), message, args.open, terminal)?;
        }
    }
    let others = told.iter().filter(|it| it.what != What::Send && wanted.is(&it.recipient, it.channel));
    let others: Vec<&Told> = others.collect();
    others.iter().for_each(|other| show_unsent(other, terminal));
    if rendered.is_empty() && others.is_empty() && !terminal.json {
        terminal
            .say("nothing is sent: no rule that matches the event addresses this recipient on this channel");
    }
    Ok(rendered.iter().any(|it| it.made.is_ok()) && rendered.iter().all(|it| it.made.is_ok()))
}

/// A person who is named and not known would look like one to whom nothing is sent.
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
    Some(Endpoint {
        id: id.clone(),
        url: "https://example.com/webhooks".to_owned(),
        description: None,
        when: None,
        version: None,
        format: None,
        disabled: None,
        unverified: None,
        header_names: Vec::new(),
    })
}

/// Links of letters, with a key that no deployment has: a link of a preview leads nowhere.
fn ways_out() -> Result<WaysOut, Error> {
    let variables = [
        ("UNSUBSCRIBE_URL", "https://example.com"),
        ("UNSUBSCRIBE_KEYS", r#"{"preview":"a key of previews, which no deployment accepts"}"#),
        ("UNSUBSCRIBE_KEY", "preview"),
    ];
    let env: Env = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    WaysOut::from_env(&env).map_err(|error| Error::Cloud(error.to_string()))
}

/// The messages of one plan, through the code of dispatch and of the channels.
fn render(
    plan: &Plan<'_>,
    decisions: Vec<Decision<'_>>,
    written: Written,
    words: &Words<'_>,
    sender: &str,
) -> Vec<Rendered> {
    let mut sent = BTreeMap::new();
    let mut rendered = Vec::new();
    let mut sends = Vec::new();
    for decision in decisions {
        let Verdict::Send(order) = &decision.verdict else { continue };
        let one = Rendered {
            at: words.now,
            rule: order.rule.name.clone(),
            recipient: decision.recipient.clone(),
            channel: decision.channel,
            notes: decision.notes.iter().map(ToString::to_string).collect(),
            made: Err("dispatch made no job of it".to_owned()),
        };
        match words.scene.render(order) {
            Ok(_) => {
                sent.insert(decision.key.as_str().to_owned(), one);
                sends.push(decision);
            }
            Err(unrendered) => rendered.push(Rendered { made: Err(unrendered.to_string()), ..one }),
        }
    }
    let work = dispatch::work(plan, sends, words, written);
    for (.., outgoing) in &work.jobs {
        let Ok(job) = serde_json::from_str::<Job>(&outgoing.body) else { continue };
        let Some(one) = sent.remove(job.key.as_str()) else { continue };
        let made = message::shape(&job, sender, words.now).map_err(|failure| aws::chain(&failure));
        rendered.push(Rendered { made, ..one });
    }
    for row in &work.outcomes {
        let (Some(one), Some(reason)) = (sent.remove(row.key.as_str()), row.reason) else { continue };
        rendered.push(Rendered { made: Err(reason.meaning().to_owned()), ..one });
    }
    rendered.extend(sent.into_values());
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

fn show_unsent(told: &Told, terminal: &Terminal) {
    let channel = told.channel.map(Channel::name);
    let why = match told.what {
        What::Suppress(reason) => reason.meaning().to_owned(),
        What::Later { until, why } => format!("waits until {until}: {}", why.meaning()),
        What::Collect { closes_at } => format!("is collected until {closes_at}"),
        What::Cancels => "takes back an earlier one".to_owned(),
        What::Send => return,
    };
    let rule = told.rule.as_deref().unwrap_or("-");
    if terminal.json {
        terminal.say_json(&json!({
            "at": told.at.to_string(), "rule": rule, "recipient": told.recipient, "channel": channel,
            "content": null, "notSent": why,
        }));
    } else {
        let on = channel.map_or_else(String::new, |name| format!(" by {name}"));
        let line = format!("{rule} to {}{on} is not sent: {why}", told.recipient);
        terminal.say(&terminal.ink(Ink::Quiet, &line));
    }
}
