//! Shapes the WhatsApp message: an object of Meta's Cloud API, which AWS passes on unchanged.

use domain::Timestamp;
use domain::base::outcome::{Failure, Reason};
use domain::base::sensitive::Sensitive;
use domain::delivery::job::{Chat, Content, Job, WhatsappTemplate};
use serde::Serialize;

/// Meta's limit for free text, in UTF-16 units. A text never has fewer units than characters.
///
/// Source: WhatsApp Business Platform, Cloud API reference, "Messages", text object.
const MAX_TEXT_UNITS: usize = 4_096;

/// Meta's limit for a value in the body of a template, in UTF-16 units.
///
/// Source: WhatsApp Business Platform, Cloud API reference, "Messages", template object.
const MAX_PARAMETER_UNITS: usize = 1_024;

/// A WhatsApp message as JSON.
pub struct Message(Sensitive<String>);

#[derive(Serialize)]
struct Envelope<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    to: &'a str,
    #[serde(flatten)]
    content: Body<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Body<'a> {
    Text { text: FreeText<'a> },
    Template { template: Template<'a> },
}

#[derive(Serialize)]
struct FreeText<'a> {
    body: &'a str,
    preview_url: bool,
}

#[derive(Serialize)]
struct Template<'a> {
    name: &'a str,
    language: Language<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Language<'a> {
    code: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Component {
    Body { parameters: Vec<Parameter> },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Parameter {
    Text { text: String },
}

impl Message {
    /// Shapes free text within the customer service window, otherwise the approved template.
    ///
    /// # Errors
    /// The job belongs to another channel, the text is too long, or the window ended during the wait and
    /// there is no template.
    pub fn shape(job: &Job, now: Timestamp) -> Result<Message, Failure> {
        let Content::Whatsapp(chat) = &job.content else {
            let source = format!("a {} job in the whatsapp queue", job.channel().name()).into();
            return Err(Failure::Permanent { reason: Reason::Rejected, source });
        };
        let is_free = chat.free_until.is_some_and(|free_until| now < free_until);
        let content = match &chat.template {
            Some(used) if !is_free => Body::Template { template: template(used)? },
            // For a job without the window's end, WhatsApp itself decides about free text.
            None if !is_free && chat.free_until.is_some() => {
                let source = "the customer service window ended during the wait".into();
                return Err(Failure::Permanent { reason: Reason::OutsideWindow, source });
            }
            Some(_) | None => Body::Text { text: free_text(chat)? },
        };
        let envelope = Envelope {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to: chat.to.expose(),
            content,
        };
        let json = serde_json::to_string(&envelope).expect("strings and lists always serialize");
        Ok(Message(json.into()))
    }

    /// A JSON object.
    #[must_use]
    pub fn json(&self) -> &str {
        self.0.expose()
    }
}

fn free_text(chat: &Chat) -> Result<FreeText<'_>, Failure> {
    fits("the text", chat.text.expose(), MAX_TEXT_UNITS)?;
    Ok(FreeText { body: chat.text.expose(), preview_url: false })
}

fn template(template: &WhatsappTemplate) -> Result<Template<'_>, Failure> {
    let mut parameters = Vec::with_capacity(template.parameters.len());
    for parameter in &template.parameters {
        let text = one_line(parameter.expose());
        fits("a value of the template", &text, MAX_PARAMETER_UNITS)?;
        parameters.push(Parameter::Text { text });
    }
    let components = match parameters.is_empty() {
        true => Vec::new(),
        false => vec![Component::Body { parameters }],
    };
    Ok(Template { name: &template.name, language: Language { code: &template.language }, components })
}

/// Replaces whitespace by single spaces. Meta refuses values with line breaks, tabs or more than four
/// consecutive spaces.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fits(what: &str, text: &str, limit: usize) -> Result<(), Failure> {
    let units = text.encode_utf16().count();
    match units <= limit {
        true => Ok(()),
        false => {
            let source = format!("{what} has {units} characters, wanted at most {limit}").into();
            Err(Failure::Permanent { reason: Reason::TooLarge, source })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn free_text_is_written_as_meta_wants_it() {
        check(
            &json!({ "text": "Your turn." }),
            r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550100","type":"text","text":{"body":"Your turn.","preview_url":false}}"#,
        );
    }

    #[test]
    fn a_template_is_named_and_filled() {
        let template =
            json!({ "name": "appointment", "language": "en_US", "parameters": ["Ann", "10:00\n\tMonday"] });
        check(
            &json!({ "text": "not sent", "template": template }),
            r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550100","type":"template","template":{"name":"appointment","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"Ann"},{"type":"text","text":"10:00 Monday"}]}]}}"#,
        );
        check(
            &json!({ "text": "not sent", "template": { "name": "hello_world", "language": "en_US" } }),
            r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550100","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}"#,
        );
    }

    #[test]
    fn after_the_window_only_a_template_is_sent() {
        let template = json!({ "name": "visit", "language": "en" });
        for (free_until, template, expected) in [
            ("2026-11-20T12:00:01Z", Some(&template), Ok("text")),
            ("2026-11-20T12:00:01Z", None, Ok("text")),
            ("2026-11-20T12:00:00Z", Some(&template), Ok("template")),
            ("2026-11-20T12:00:00Z", None, Err(Reason::OutsideWindow)),
        ] {
            let mut content = json!({ "text": "Hi", "free_until": free_until });
            if let Some(template) = template {
                content["template"] = template.clone();
            }
            let found = match Message::shape(&job(&content), noon()) {
                Ok(message) => {
                    let read: Value = serde_json::from_str(message.json()).unwrap();
                    Ok(read["type"].as_str().unwrap().to_owned())
                }
                Err(Failure::Permanent { reason, .. }) => Err(reason),
                Err(Failure::Transient(_) | Failure::Throttled { .. } | Failure::Expired) => {
                    panic!("it is final")
                }
            };
            assert_eq!(found, expected.map(str::to_owned), "{free_until}");
        }
    }

    #[test]
    fn text_over_the_limit_is_refused() {
        check_size(&json!({ "text": "a".repeat(4_096) }), None);
        check_size(&json!({ "text": "a".repeat(4_097) }), Some(Reason::TooLarge));
        let filled =
            |value: usize| json!({ "name": "n", "language": "en", "parameters": ["a".repeat(value)] });
        check_size(&json!({ "text": "", "template": filled(1_024) }), None);
        check_size(&json!({ "text": "", "template": filled(1_025) }), Some(Reason::TooLarge));
    }

    proptest! {
        #[test]
        fn any_text_arrives_unchanged(text in any::<String>()) {
            let Ok(message) = Message::shape(&job(&json!({ "text": text })), noon()) else { return Ok(()) };
            let read: Value = serde_json::from_str(message.json())?;
            prop_assert_eq!(&read["text"]["body"], &Value::from(text));
        }

        #[test]
        fn no_value_of_a_template_has_what_meta_refuses(text in "[a-z \\n\\t\\r]{0,60}") {
            let line = one_line(&text);
            prop_assert!(!line.contains(['\n', '\t', '\r']) && !line.contains("     "));
        }
    }

    #[track_caller]
    fn check(content: &Value, expected: &str) {
        let Ok(message) = Message::shape(&job(content), noon()) else { panic!("it is short") };
        assert_eq!(message.json(), expected);
    }

    #[track_caller]
    fn check_size(content: &Value, expected: Option<Reason>) {
        let reason = match Message::shape(&job(content), noon()) {
            Err(Failure::Permanent { reason, .. }) => Some(reason),
            Ok(_) | Err(Failure::Transient(_) | Failure::Throttled { .. } | Failure::Expired) => None,
        };
        assert_eq!(reason, expected);
    }

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn job(content: &Value) -> Job {
        let mut content = content.clone();
        content["to"] = "+15550100".into();
        content["locale"] = "en".into();
        let job = json!({
            "version": 1, "key": "k-1", "rule": "r", "catalog": "c", "recipient": "ann",
            "event": { "id": "e-1", "source": "s", "type": "t", "time": "2026-11-20T12:00:00Z" },
            "priority": "normal", "on_unknown": "hold", "content": { "whatsapp": content },
        });
        serde_json::from_value(job).unwrap()
    }
}
