//! A job in the request format of its provider.

use domain::Timestamp;
use domain::base::outcome::Failure;
use domain::base::sms_segments::measure;
use domain::delivery::job::{Content, Job};
use domain::inbox::{Entry, Kept, State};
use serde_json::{Map, Value, json};

/// The request that a channel's function sends to its provider.
pub(super) struct Message {
    /// The request as JSON.
    pub(super) value: Value,
    /// The readable parts, by file name.
    pub(super) files: Vec<(&'static str, String)>,
    /// The lines above the text.
    head: Vec<String>,
}

impl Message {
    /// Returns the lines for the terminal.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().flat_map(|(name, text)| {
            let named = (self.files.len() > 1).then_some(*name);
            named.into_iter().chain(text.lines())
        });
        self.head.iter().map(String::as_str).chain(files)
    }
}

/// Builds the request for a job.
///
/// # Errors
/// The error of the channel's function for a job that it does not send.
pub(super) fn shape(job: &Job, sender: &str, now: Timestamp) -> Result<Message, Failure> {
    match &job.content {
        Content::Email(_) => outgoing(job, sender),
        Content::Push(_) => push(job, now),
        Content::Sms(_) => text(job, now),
        Content::Whatsapp(_) => whatsapp(job, now),
        Content::Socket(_) | Content::Broadcast(_) => socket(job),
        Content::Webhook(_) => webhook(job, now),
        Content::Message(message) => Ok(workspace(message)),
    }
}

fn outgoing(job: &Job, sender: &str) -> Result<Message, Failure> {
    let outgoing = email::OutgoingEmail::shape(job)?;
    let email = outgoing.email;
    let from = email.sender().map_or_else(|| sender.to_owned(), |own| own.to_header());
    let mut head = vec![
        format!("From: {from}"),
        format!("To: {}", email.to.expose()),
        format!("Subject: {}", email.subject.expose()),
    ];
    head.extend(email.answers_to().map(|mailbox| format!("Reply-To: {}", mailbox.to_header())));
    head.extend(outgoing.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    head.extend(
        email
            .attachments
            .iter()
            .map(|file| format!("Attachment: {} (s3://{}/{})", file.name.expose(), file.bucket, file.key)),
    );
    head.push(String::new());
    let pairs = |pairs: &[(&'static str, String)]| -> Vec<Value> {
        pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let value = json!({
        "from": from, "to": email.to.expose(), "replyTo": email.reply_to.as_ref().map(|to| to.expose()),
        "subject": email.subject.expose(), "html": email.html.expose(), "text": email.text.expose(), "locale": email.locale,
        "headers": pairs(&outgoing.headers), "tags": pairs(&outgoing.tags), "attachments": email.attachments,
    });
    Ok(Message {
        value,
        files: vec![("email.txt", email.text.expose().clone()), ("email.html", email.html.expose().clone())],
        head,
    })
}

fn push(job: &Job, now: Timestamp) -> Result<Message, Failure> {
    let note = push::Note::shape(job, now)?;
    // SNS takes the payload of each platform as a string inside the message.
    let message: Map<String, Value> = serde_json::from_str(note.message.expose()).unwrap_or_default();
    let payload = |value: &Value| value.as_str().and_then(|value| serde_json::from_str::<Value>(value).ok());
    let payloads: Map<String, Value> =
        message.iter().map(|(name, it)| (name.clone(), payload(it).unwrap_or_else(|| it.clone()))).collect();
    let attributes: Map<String, Value> =
        note.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let device = &note.device.id;
    let value = json!({ "device": device, "message": payloads, "attributes": attributes });
    let head = vec![format!("to the device {device}")];
    Ok(Message { files: vec![("push.json", pretty(&value))], value, head })
}

fn text(job: &Job, now: Timestamp) -> Result<Message, Failure> {
    let wishes = sms::SmsSettings {
        max_segments: usize::try_from(sms::MAX_SEGMENTS).unwrap_or(usize::MAX),
        ..sms::SmsSettings::default()
    };
    let text = sms::Text::shape(job, &wishes, now)?;
    let counted = measure(text.body.expose());
    let (segments, units, alphabet) = (counted.segments, counted.units, format!("{:?}", counted.alphabet));
    let value = json!({
        "to": text.to.expose(), "text": text.body.expose(), "sender": text.sender, "segments": segments, "units": units,
        "alphabet": alphabet, "purpose": format!("{:?}", text.purpose), "timeToLiveSeconds": text.time_to_live_s,
        "context": text.context.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>(),
    });
    let head = vec![
        format!("To: {}", text.to.expose()),
        format!("{segments} of {units} units, {alphabet}"),
        String::new(),
    ];
    Ok(Message { value, files: vec![("sms.txt", (*text.body.expose()).to_owned())], head })
}

fn whatsapp(job: &Job, now: Timestamp) -> Result<Message, Failure> {
    let message = whatsapp::Message::shape(job, now)?;
    let value: Value = serde_json::from_str(message.json()).unwrap_or_default();
    Ok(Message { files: vec![("whatsapp.json", pretty(&value))], value, head: Vec::new() })
}

fn socket(job: &Job) -> Result<Message, Failure> {
    let job = &*socket::with_safe_links(job);
    let frame = socket::Frame::shape(job, None)?;
    let frame: Value = serde_json::from_str(frame.text()).unwrap_or_default();
    let entry = Kept::of(job).map(|(_, kept)| Entry {
        seq: 1,
        state: State::Unseen,
        tenant: job.event.tenant.clone(),
        created: job.event.time,
        kept,
    });
    let entry = entry.and_then(|entry| serde_json::to_value(entry).ok());
    let mut files = vec![("socket.json", pretty(&frame))];
    files.extend(entry.as_ref().map(|entry| ("inbox.json", pretty(entry))));
    Ok(Message { value: json!({ "frame": frame, "inbox": entry }), files, head: Vec::new() })
}

fn webhook(job: &Job, now: Timestamp) -> Result<Message, Failure> {
    let content = webhook::content(job)?;
    let body: Value = serde_json::from_str(content.body.expose()).unwrap_or_default();
    let timestamp = now.as_second().to_string();
    let head = vec![
        "POST to each endpoint, signed with its secret when it is sent".to_owned(),
        format!("webhook-id: {}", job.key.as_str()),
        format!("webhook-timestamp: {timestamp}"),
        String::new(),
    ];
    let value = json!({
        "headers": { "webhook-id": job.key.as_str(), "webhook-timestamp": timestamp }, "body": content.body.expose(),
    });
    Ok(Message { value, files: vec![("webhook.json", pretty(&body))], head })
}

/// Returns the text and the card. The channel's function wraps them into the provider's request.
fn workspace(message: &domain::delivery::job::Message) -> Message {
    let card: Option<Value> =
        message.card.as_ref().and_then(|card| serde_json::from_str(card.expose().get()).ok());
    let value = json!({
        "channel": message.channel, "to": message.to.expose(), "text": message.text.expose(), "locale": message.locale, "card": card,
    });
    let mut names = message.channel.parts().iter().map(|part| part.file);
    let mut files = vec![(names.next().unwrap_or("text"), message.text.expose().clone())];
    files.extend(card.as_ref().map(|card| (names.next().unwrap_or("card"), pretty(card))));
    Message { value, files, head: vec![format!("To: {}", message.to.expose()), String::new()] }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
