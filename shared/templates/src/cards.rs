//! Values of rendered cards and of paths.

use serde_json::value::{RawValue, to_raw_value};

use crate::failure::Unrendered;

/// The rendered card, if it is a JSON object or array. `file` is the template that was rendered.
pub(crate) fn card_of(rendered: &str, file: &str) -> Result<Box<RawValue>, Unrendered> {
    let is_container = rendered.trim_start().starts_with(['{', '[']);
    // Reading another kind of value as a map gives the error that names the kind.
    let read = match is_container {
        true => RawValue::from_string(rendered.trim_end().to_owned()),
        false => serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(rendered)
            .and_then(|map| to_raw_value(&map)),
    };
    read.map_err(|error| Unrendered::no_json(file, &error))
}

/// The text of a value, or of the first item of a list. `None` without a value. Other kinds give an empty text,
/// which is not a mailbox.
pub(crate) fn first_text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Array(list) => first_text(list.first()?),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::Object(_) => {
            Some(String::new())
        }
    }
}
