//! The variables of templates.

use std::sync::Arc;

use domain::base::sensitive::Sensitive;
use domain::recipient::Recipient;
use minijinja::Value;
use minijinja::value::Object;

use crate::inspect::FUNCTIONS;
use crate::locale_format::VOICE;

/// The variables of a template: `event`, `data`, `recipient` for a single person, `digest` in a digest,
/// `unsubscribe_url` in an e-mail with an unsubscribe link, and `postal_address` in a commercial one. Every other
/// name is looked up in `context`, which the event provides. The names above are never taken from there, whether
/// they have a value or not.
pub(crate) struct Names {
    pub(crate) event: Value,
    pub(crate) data: Value,
    pub(crate) digest: Value,
    pub(crate) context: Value,
    pub(crate) recipient: Value,
    pub(crate) way_out: Value,
    pub(crate) postal_address: Value,
    pub(crate) locale_format: Value,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        let value = match name {
            "event" => &self.event,
            "data" => &self.data,
            "digest" => &self.digest,
            "recipient" => &self.recipient,
            "unsubscribe_url" => &self.way_out,
            "postal_address" => &self.postal_address,
            VOICE => &self.locale_format,
            // Functions cannot be replaced.
            _ if FUNCTIONS.contains(&name) => return None,
            _ => return self.context.get_attr(name).ok().filter(|value| !value.is_undefined()),
        };
        (!value.is_undefined()).then(|| value.clone())
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

/// The members of the recipient that templates may use.
pub(crate) struct Person {
    id: Value,
    name: Value,
    locale: Value,
    zone: Value,
}

impl Person {
    pub(crate) fn value(of: &Recipient) -> Value {
        let or_undefined = |text: &Option<String>| text.as_deref().map_or(Value::UNDEFINED, Value::from);
        Value::from_object(Person {
            id: Value::from(of.id.as_str()),
            name: Value::from(of.name.as_ref().map_or(&of.id, Sensitive::expose).as_str()),
            locale: or_undefined(&of.locale),
            zone: or_undefined(&of.zone),
        })
    }
}

impl Object for Person {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        let value = match name {
            "id" => &self.id,
            "name" => &self.name,
            "locale" => &self.locale,
            "zone" => &self.zone,
            _ => return None,
        };
        (!value.is_undefined()).then(|| value.clone())
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person")
    }
}
