//! The choice of a rule's template, its context and the subject by an event. Values of the event are only ever text,
//! and never become templates.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Rule;
use crate::base::path::Path;

/// The choice of the template by the event. [`Rule::template`] is the default for events that name no template. It is
/// empty if the rule has no default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateChoice {
    /// The path to the template's name.
    pub from: Path,
    /// The allowed names.
    pub among: Vec<String>,
    /// The path to an object whose members are variables of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Path>,
}

/// The reason why an event has no template. The text quotes the rule and never the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTemplate {
    #[error("`{0}` of the event names no template, and the rule has no `otherwise`")]
    NotNamed(Path),
    #[error("`{0}` of the event is not a text")]
    NotText(Path),
    #[error("`{from}` of the event names a template that `among` does not list ({among})")]
    NotListed { from: Path, among: String },
}

/// The event's value for the template's variables is not an object. The text quotes the rule and never the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` of the event is not an object")]
pub struct UnreadableContext(pub Path);

impl Rule {
    /// All templates that the rule may use, without duplicates. The default comes first.
    #[must_use]
    pub fn templates(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let among = self.template_choice.iter().flat_map(|choice| &choice.among);
        for name in std::iter::once(&self.template).chain(among).filter(|name| !name.is_empty()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The template for an event. A missing, null or blank name counts as none.
    ///
    /// # Errors
    /// [`UnknownTemplate`] if the event names a template that the rule does not list, or if it names none and the
    /// rule has no default.
    pub fn template_for(&self, envelope: &Value) -> Result<&str, UnknownTemplate> {
        let Some(choice) = &self.template_choice else { return Ok(&self.template) };
        let from = || choice.from.clone();
        let named = match choice.from.pick(envelope) {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.trim().is_empty()),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(UnknownTemplate::NotText(from()));
            }
        };
        match named {
            None if self.template.is_empty() => Err(UnknownTemplate::NotNamed(from())),
            None => Ok(&self.template),
            Some(name) => {
                let listed = choice.among.iter().find(|known| **known == name);
                let among = || choice.among.join(", ");
                listed
                    .map(String::as_str)
                    .ok_or_else(|| UnknownTemplate::NotListed { from: from(), among: among() })
            }
        }
    }

    /// The object whose members are variables of the template. `None` if the rule or the event has none.
    ///
    /// # Errors
    /// [`UnreadableContext`] if the event has another kind of value there.
    pub fn template_context(&self, envelope: &Value) -> Result<Option<Value>, UnreadableContext> {
        let Some(path) = self.template_choice.as_ref().and_then(|choice| choice.context.as_ref()) else {
            return Ok(None);
        };
        match path.pick(envelope) {
            None | Some(Value::Null) => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object)),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Err(UnreadableContext(path.clone()))
            }
        }
    }

    /// The subject from the event. `None` if the template's own subject applies.
    #[must_use]
    pub fn subject_for(&self, envelope: &Value) -> Option<String> {
        match self.subject.as_ref()?.pick(envelope)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::String(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    /// The path of `subject`, if the event has a value there that is not a text.
    #[must_use]
    pub fn unusable_subject(&self, envelope: &Value) -> Option<&Path> {
        let path = self.subject.as_ref()?;
        path.pick(envelope).filter(|value| !value.is_string() && !value.is_null()).map(|_| path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn event_can_choose_listed_templates_only() {
        let rule = rule(&json!({ "template": "direct" }));
        let check = |data: Value, expected: Result<&str, &str>| {
            let found = rule.template_for(&json!({ "data": data }));
            assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{data}");
        };
        check(json!({ "template": "reminder" }), Ok("reminder"));
        for none in [json!({}), json!({ "template": null }), json!({ "template": " " })] {
            check(none, Ok("direct"));
        }
        let unknown =
            "`$.data.template` of the event names a template that `among` does not list (reminder, receipt)";
        for name in ["direct", "Reminder", "../reminder", "reminder ", "{{ data.secret }}"] {
            check(json!({ "template": name }), Err(unknown));
        }
        for other in [json!(7), json!(true), json!(["reminder"]), json!({ "reminder": 1 })] {
            check(json!({ "template": other }), Err("`$.data.template` of the event is not a text"));
        }
    }

    #[test]
    fn event_without_a_name_needs_a_default_template() {
        let rule = rule(&json!({ "template": "" }));
        let error = rule.template_for(&json!({ "data": {} })).unwrap_err();
        assert_eq!(error, UnknownTemplate::NotNamed(Path::parse("$.data.template").unwrap()));
        assert_eq!(rule.templates(), ["reminder", "receipt"]);
    }

    #[test]
    fn context_must_be_an_object() {
        let rule = rule(&json!({ "template": "direct" }));
        let context = |data: Value| rule.template_context(&json!({ "data": data }));
        assert_eq!(context(json!({})), Ok(None));
        assert_eq!(context(json!({ "context": null })), Ok(None));
        assert_eq!(context(json!({ "context": { "when": "today" } })), Ok(Some(json!({ "when": "today" }))));
        for other in [json!("when"), json!([{ "when": "today" }]), json!(7), json!(false)] {
            let error = context(json!({ "context": other })).unwrap_err();
            assert_eq!(error.to_string(), "`$.data.context` of the event is not an object", "{other}");
        }
    }

    #[test]
    fn subject_comes_from_the_event_or_the_template() {
        let rule = rule(&json!({ "template": "direct", "subject": "$.data.subject" }));
        let subject = |data: Value| rule.subject_for(&json!({ "data": data }));
        assert_eq!(
            subject(json!({ "subject": "Hello {{ data.x }}" })).as_deref(),
            Some("Hello {{ data.x }}")
        );
        for none in
            [json!({}), json!({ "subject": "  " }), json!({ "subject": 7 }), json!({ "subject": null })]
        {
            assert_eq!(subject(none.clone()), None, "{none}");
        }
        assert!(rule.unusable_subject(&json!({ "data": { "subject": 7 } })).is_some());
        assert!(rule.unusable_subject(&json!({ "data": {} })).is_none());
    }

    fn rule(others: &Value) -> Rule {
        let mut rule = json!({
            "rule": "r", "when": { "detail-type": ["notify.email"] }, "category": "c", "steps": [], "to": [],
            "template_choice": {
                "from": "$.data.template", "among": ["reminder", "receipt"], "context": "$.data.context",
            },
        });
        rule.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        serde_json::from_value(rule).unwrap()
    }
}
