//! The template context of one event, and the rendering of its messages.

use domain::base::channel::{APPROVED, Channel, Part};
use domain::base::locale;
use domain::base::outcome::Reason;
use domain::base::path::Path;
use domain::base::sensitive::Sensitive;
use domain::catalog::rule::{Operand, Rule};
use domain::decide::{Live, Order, Target};
use domain::delivery::attachment::attachments;
use domain::delivery::job::{
    Broadcast, Chat, Content, Email, Message, Push, Socket, Text, Webhook, WhatsappTemplate,
};
use domain::event::expose::exposed;
use domain::recipient::{DisplayName, EmailAddress, PhoneNumber, Sender};
use minijinja::Value;
use serde_json::value::RawValue;

use crate::cards::{card_of, first_text};
use crate::extra::Extra;
use crate::failure::Unrendered;
use crate::locale_format::LocaleFormat;
use crate::names::{Names, Person};
use crate::renderer::Renderer;
use crate::survivors::{Rendered, survivors};
use crate::text::{one_line, trimmed};
use crate::values::value_of;

/// The placeholder for the unsubscribe link in previews.
pub const SAMPLE_WAY_OUT: &str = "https://example.com/unsubscribe";

/// The template context of one event.
pub struct TemplateContext<'a> {
    renderer: &'a Renderer,
    envelope: &'a serde_json::Value,
    extra: Extra<'a>,
    event: Value,
    data: Value,
    digest: Value,
}

impl<'a> TemplateContext<'a> {
    pub(crate) fn new(
        renderer: &'a Renderer,
        envelope: &'a serde_json::Value,
        extra: Extra<'a>,
    ) -> TemplateContext<'a> {
        let event = value_of(envelope);
        let data = event.get_attr("data").unwrap_or_default();
        let digest = extra.digest.map_or(Value::UNDEFINED, value_of);
        let now = extra.now.or_else(|| envelope["time"].as_str()?.parse().ok());
        TemplateContext { renderer, envelope, extra: Extra { now, ..extra }, event, data, digest }
    }

    /// Renders a message like [`TemplateContext::render_with`]. If a digest cannot be rendered because of some of its events,
    /// they are left out.
    ///
    /// # Errors
    /// As [`TemplateContext::render_with`], if no event of the digest can be rendered.
    pub fn tell(&self, order: &Order<'_>, way_out: Option<&str>) -> Result<Rendered, Unrendered> {
        let failed = match self.render_with(order, way_out) {
            Ok(content) => return Ok(Rendered { content, left_out: Vec::new() }),
            Err(failed) => failed,
        };
        let collected = self.extra.collected.filter(|_| failed.reason == Reason::Template);
        let Some(collected) = collected else { return Err(failed) };
        let rendered = survivors(&collected.items, |items| {
            let summary = collected.summary_of(items);
            let mut envelope = self.envelope.clone();
            envelope["data"] = summary["data"].clone();
            let extra = Extra { digest: Some(&summary), collected: None, payload: None, ..self.extra };
            TemplateContext::new(self.renderer, &envelope, extra).render_with(order, way_out)
        });
        rendered.ok_or(failed)
    }

    fn exposed(&self, paths: &[Path]) -> Sensitive<Box<RawValue>> {
        let json = exposed(paths, self.extra.payload, self.envelope);
        let json = RawValue::from_string(json);
        json.expect("values and texts that were read as JSON always are JSON").into()
    }

    /// A broadcast: the event itself, without rendered text.
    fn broadcast(&self, rule: &Rule, live: &Live) -> Broadcast {
        let is_whole = rule.broadcast.as_ref().is_some_and(|broadcast| broadcast.expose_all);
        let data = if is_whole { self.payload() } else { self.exposed(&rule.expose) };
        Broadcast { to: live.to.clone(), data, exclude: live.exclude.clone(), record: live.record }
    }

    /// The whole payload, in the producer's own text if known. An empty object if there is none.
    fn payload(&self) -> Sensitive<Box<RawValue>> {
        let written = self.extra.payload.map(|data| data.text().to_owned());
        let json = written.or_else(|| Some(self.envelope.get("data")?.to_string()));
        let json = RawValue::from_string(json.unwrap_or_else(|| "{}".to_owned()));
        json.expect("a payload that was read as JSON always is JSON").into()
    }

    /// Renders the content for the order's channel.
    ///
    /// All parts use the first language that has every required part. If no language has all of them, each part
    /// uses the closest language that has it.
    ///
    /// If the order has an unsubscribe link, [`SAMPLE_WAY_OUT`] takes its place, for previews.
    ///
    /// # Errors
    /// [`Unrendered`] names the first part that failed, or the attachment that the event does not name.
    pub fn render(&self, order: &Order<'_>) -> Result<Content, Unrendered> {
        self.render_with(order, order.way_out.as_ref().map(|_| SAMPLE_WAY_OUT))
    }

    /// Renders the content with the reader's unsubscribe link. Templates see it as `unsubscribe_url`. Without a
    /// link the name is undefined: `{% if unsubscribe_url is defined %}`.
    ///
    /// # Errors
    /// As [`TemplateContext::render`].
    pub fn render_with(&self, order: &Order<'_>, way_out: Option<&str>) -> Result<Content, Unrendered> {
        match &order.target {
            Target::Email(to) => {
                let words = MessageRenderer { way_out, ..MessageRenderer::new(self, order, Channel::Email)? };
                words.email(to).map(Content::Email)
            }
            Target::Push(to) => {
                let words = MessageRenderer::new(self, order, Channel::Push)?;
                let [title, body] = words.parts()?;
                Ok(Content::Push(Push {
                    to: to.clone(),
                    title: one_line(&title).into(),
                    body: trimmed(&body).into(),
                    data: self.exposed(&order.rule.expose),
                    badge: None,
                    collapse: None,
                    collapses_stored: false,
                    link: None,
                    options: order.rule.push.options.clone(),
                    locale: words.locale(Channel::Push.parts()[0]).unwrap_or_default().to_owned(),
                }))
            }
            Target::Sms(to) => MessageRenderer::new(self, order, Channel::Sms)?.text(to).map(Content::Sms),
            Target::Whatsapp(to) => {
                let words = MessageRenderer::new(self, order, Channel::Whatsapp)?;
                let Text { to, text, locale, sender: _ } = words.text(to)?;
                let template = words.approved()?;
                Ok(Content::Whatsapp(Chat { to, text, locale, template, free_until: None }))
            }
            Target::Message { channel, to } => {
                MessageRenderer::new(self, order, *channel)?.message(to.as_deref()).map(Content::Message)
            }
            Target::Socket(to) => {
                let [title, body] = MessageRenderer::new(self, order, Channel::Socket)?.parts()?;
                Ok(Content::Socket(Socket {
                    to: to.clone(),
                    title: one_line(&title).into(),
                    body: trimmed(&body).into(),
                    data: self.exposed(&order.rule.expose),
                    category: order.rule.category.clone(),
                    ephemeral: order.rule.ephemeral,
                }))
            }
            Target::Broadcast(live) => Ok(Content::Broadcast(self.broadcast(order.rule, live))),
            Target::Webhook { to, version } => {
                let paths = order.rule.exposed_in(version.as_deref()).unwrap_or(&order.rule.expose);
                let body = webhook_body(self.envelope, self.exposed(paths).expose());
                Ok(Content::Webhook(Webhook { to: to.clone(), body: body.into(), by_hand: None }))
            }
        }
    }
}

/// The text parts of one message, each in the language closest to the recipient's.
struct MessageRenderer<'a> {
    parent: &'a TemplateContext<'a>,
    order: &'a Order<'a>,
    channel: Channel,
    template: &'a str,
    /// The members of the event's context object, which are variables beside the event itself.
    context: Value,
    /// The event's own subject or title, in place of the template's.
    subject: Option<String>,
    /// The languages to try, closest first. Only one if it has all required parts.
    chain: Vec<&'a str>,
    person: Value,
    /// The unsubscribe link of an e-mail.
    way_out: Option<&'a str>,
}

impl<'a> MessageRenderer<'a> {
    /// Selects template, context and languages.
    ///
    /// # Errors
    /// The event names a template that its rule does not list, or a context that is not an object.
    fn new(
        parent: &'a TemplateContext<'a>,
        order: &'a Order<'a>,
        channel: Channel,
    ) -> Result<MessageRenderer<'a>, Unrendered> {
        let (rule, preferred) = (order.rule, order.person.and_then(|person| person.locale.as_deref()));
        let template = rule
            .template_for(parent.envelope)
            .map_err(|unknown| Unrendered::unknown_template(rule, &unknown))?;
        let context = rule
            .template_context(parent.envelope)
            .map_err(|unreadable| Unrendered::unreadable_context(template, &unreadable))?;
        let mut chain = parent.renderer.languages(template, preferred);
        let has = |locale: &str, part: &Part| parent.renderer.file(template, locale, part.file).is_some();
        let complete =
            |locale: &&str| channel.parts().iter().filter(|part| part.required).all(|part| has(locale, part));
        if let Some(index) = chain.iter().position(complete) {
            chain = vec![chain.swap_remove(index)];
        }
        let person = order.person.map_or(Value::UNDEFINED, Person::value);
        let subject = rule.subject_for(parent.envelope).filter(|_| channel.spec().has_title);
        let context = context.as_ref().map_or(Value::UNDEFINED, value_of);
        Ok(MessageRenderer {
            parent,
            order,
            channel,
            template,
            context,
            subject,
            chain,
            person,
            way_out: None,
        })
    }

    /// A whole e-mail: its text parts, and the envelope members from the rule and the policy.
    fn email(&self, to: &EmailAddress) -> Result<Email, Unrendered> {
        let (rule, envelope) = (self.order.rule, self.parent.envelope);
        let attachments = attachments(&rule.attachments, envelope)
            .map_err(|error| Unrendered::no_file(self.template, error.to_string()))?;
        let [subject, html, text] = self.parts()?;
        let policy = self.parent.extra.policy;
        let (from, from_name) = match policy.and_then(|policy| policy.senders.get(&rule.category)) {
            Some(sender) => {
                let (from, name) = sender.clone().into_former();
                (Some(from), name)
            }
            None => (None, None),
        };
        let (reply_to, reply_to_name) = match self.answers_to()? {
            Some((address, name)) => (Some(address), name),
            None => (None, None),
        };
        Ok(Email {
            to: to.clone(),
            subject: one_line(&subject).into(),
            html: trimmed(&html).into(),
            text: trimmed(&text).into(),
            locale: self.locale(self.channel.parts()[0]).unwrap_or_default().to_owned(),
            from,
            from_name,
            reply_to,
            reply_to_name,
            unsubscribe: self.way_out.map(Sensitive::from),
            attachments,
        })
    }

    /// The reply-to mailbox of the rule, or else of the policy. A path that leads to no value names none.
    ///
    /// # Errors
    /// The rule or the policy names a value that is not a mailbox.
    fn answers_to(&self) -> Result<Option<(EmailAddress, Option<DisplayName>)>, Unrendered> {
        let rule = self.order.rule;
        let named =
            rule.reply_to.iter().chain(self.parent.extra.policy.and_then(|policy| policy.reply_to.as_ref()));
        for operand in named {
            let named = match operand {
                Operand::Literal(text) => Some(text.clone()),
                Operand::Path(path) => path.pick(self.parent.envelope).and_then(|value| first_text(&value)),
            };
            if let Some(text) = named {
                let mailbox = Sender::parse(&text).and_then(Sender::into_parts);
                return mailbox
                    .map(Some)
                    .map_err(|refused| Unrendered::no_mailbox(self.template, refused.why()));
            }
        }
        Ok(None)
    }

    /// The sender's postal address, in a commercial e-mail.
    fn postal_address(&self) -> Option<&'a str> {
        if self.channel != Channel::Email || !self.order.rule.commercial {
            return None;
        }
        let tenant = self.parent.envelope.get("tenant").and_then(serde_json::Value::as_str);
        self.parent.extra.policy?.postal_address.of(tenant)
    }

    /// Renders all parts. An optional part without a file is empty.
    fn parts<const N: usize>(&self) -> Result<[String; N], Unrendered> {
        let renderer = self.parent.renderer;
        let template = self.template;
        let mut texts = std::array::from_fn(|_| String::new());
        let mut previous: Option<(&str, Value)> = None;
        for (index, (text, part)) in texts.iter_mut().zip(self.channel.parts()).enumerate() {
            if let Some(subject) = self.subject.as_ref().filter(|_| index == 0) {
                text.clone_from(subject);
                continue;
            }
            let locale = self.locale(*part);
            let file = locale.and_then(|locale| Some((locale, renderer.file(template, locale, part.file)?)));
            let Some((locale, name)) = file else {
                if part.required {
                    let default = &renderer.default_locale;
                    return Err(Unrendered::missing(format!("{template}/{default}/{}", part.file)));
                }
                continue;
            };
            let values = match previous.take().filter(|(used, _)| *used == locale) {
                Some((_, values)) => values,
                None => self.values(locale),
            };
            *text = renderer.render_part(name, &values)?;
            previous = Some((locale, values));
        }
        Ok(texts)
    }

    /// The single text part of an SMS or WhatsApp message.
    fn text(&self, to: &PhoneNumber) -> Result<Text, Unrendered> {
        let [text] = self.parts()?;
        let locale = self.locale(self.channel.parts()[0]).unwrap_or_default().to_owned();
        // CLDR's no-break spaces are in no 7-bit alphabet. A single one would halve the capacity of an SMS.
        let text = match self.channel == Channel::Sms {
            true => trimmed(&text).replace(['\u{a0}', '\u{202f}', '\u{2009}'], " "),
            false => trimmed(&text),
        };
        Ok(Text { to: to.clone(), text: text.into(), locale, sender: None })
    }

    /// A text and, where the template has one, a card.
    fn message(&self, to: Sensitive<&str>) -> Result<Message, Unrendered> {
        let [text, card] = self.parts()?;
        let parts = self.channel.parts();
        let locale = self.locale(parts[0]).unwrap_or_default().to_owned();
        let card = match parts.get(1).and_then(|part| Some((self.locale(*part)?, part.file))) {
            Some((locale, file)) => Some(card_of(&card, &format!("{}/{locale}/{file}", self.template))?),
            None => None,
        };
        let (channel, to, text) = (self.channel, to.map(str::to_owned), trimmed(&text).into());
        Ok(Message { channel, to, text, locale, card: card.map(Sensitive::new) })
    }

    /// The approved WhatsApp template in the closest language that has one. The template has a language of its own.
    fn approved(&self) -> Result<Option<WhatsappTemplate>, Unrendered> {
        let (renderer, template) = (self.parent.renderer, self.template);
        let preferred = self.order.person.and_then(|person| person.locale.as_deref());
        let mut languages = renderer.languages(template, preferred).into_iter();
        let file =
            languages.find_map(|language| Some((language, renderer.file(template, language, APPROVED)?)));
        let Some((locale, name)) = file else { return Ok(None) };
        let rendered = renderer.render_part(name, &self.values(locale))?;
        WhatsappTemplate::read(&rendered).map(Some).ok_or_else(|| Unrendered::unreadable(name))
    }

    fn locale(&self, part: Part) -> Option<&str> {
        let has = |language: &&str| self.parent.renderer.file(self.template, language, part.file).is_some();
        self.chain.iter().copied().find(has)
    }

    fn values(&self, file: &str) -> Value {
        let person = self.order.person;
        let locale = locale::refined(file, person.and_then(|person| person.locale.as_deref()));
        let zones = [person.and_then(|person| person.zone.as_deref()), self.parent.extra.zone];
        Value::from_object(Names {
            event: self.parent.event.clone(),
            data: self.parent.data.clone(),
            digest: self.parent.digest.clone(),
            context: self.context.clone(),
            recipient: self.person.clone(),
            way_out: self.way_out.map_or(Value::UNDEFINED, Value::from),
            postal_address: self.postal_address().map_or(Value::UNDEFINED, Value::from),
            locale_format: Value::from_object(LocaleFormat::new(locale, zones, self.parent.extra.now)),
        })
    }
}

/// The body of a webhook message. It has no text parts and no template. `event` identifies the event, so that a
/// receiver can match the message to its own records and query its deliveries.
///
/// Source: Standard Webhooks 1.0, "Payload structure".
fn webhook_body(envelope: &serde_json::Value, data: &RawValue) -> String {
    let named = ["id", "source", "subject", "tenant"].into_iter();
    let named =
        named.filter_map(|name| Some((name, envelope.get(name)?))).filter(|(_, value)| value.is_string());
    let event: Vec<String> = named.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!(
        r#"{{"type":{},"timestamp":{},"data":{},"event":{{{}}}}}"#,
        envelope["type"],
        envelope["time"],
        data.get(),
        event.join(",")
    )
}
