//! The wrapper of personal data and secrets.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An address, a text, a payload, a token or a secret. The value must not reach a log, an error or a panic message.
///
/// The type has no `Display`, no `Debug` and no `Serialize`. A type with a sensitive field cannot derive these traits.
/// Code that sends, stores, renders or compares the value calls [`Sensitive::expose`]. A field of a stored format
/// names [`stored`], which writes the same bytes as the bare value.
///
/// The examples in pairs show which use compiles and which is refused.
///
/// # Formatting
///
/// ```
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// assert_eq!(format!("<{}>", address.expose()), "<ann@example.com>");
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// assert_eq!(format!("<{}>", address), "<ann@example.com>");
/// ```
///
/// # `Debug`
///
/// ```
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// assert_eq!(format!("{:?}", address.expose().len()), "15");
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// assert_eq!(format!("{:?}", address), "15");
/// ```
///
/// ```
/// # use domain::base::sensitive::Sensitive;
/// #[derive(Clone)]
/// struct Message { text: Sensitive<String> }
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// #[derive(Clone, Debug)]
/// struct Message { text: Sensitive<String> }
/// ```
///
/// # JSON
///
/// ```
/// # use domain::base::sensitive::Sensitive;
/// let token = Sensitive::new("t-1");
/// assert_eq!(serde_json::to_string(token.expose()).unwrap(), r#""t-1""#);
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// let token = Sensitive::new("t-1");
/// assert_eq!(serde_json::to_string(&token).unwrap(), r#""t-1""#);
/// ```
///
/// ```
/// # use domain::base::sensitive::{self, Sensitive};
/// #[derive(serde::Serialize)]
/// struct Job {
///     #[serde(serialize_with = "sensitive::stored")]
///     text: Sensitive<String>,
/// }
/// let job = Job { text: "hello".into() };
/// assert_eq!(serde_json::to_string(&job).unwrap(), r#"{"text":"hello"}"#);
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::{self, Sensitive};
/// #[derive(serde::Serialize)]
/// struct Job {
///     text: Sensitive<String>,
/// }
/// let job = Job { text: "hello".into() };
/// assert_eq!(serde_json::to_string(&job).unwrap(), r#"{"text":"hello"}"#);
/// ```
///
/// # Log fields
///
/// ```
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// tracing::info!(code = "EXAMPLE", bytes = address.expose().len(), "message sent");
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// tracing::info!(code = "EXAMPLE", address, "message sent");
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// tracing::info!(code = "EXAMPLE", %address, "message sent");
/// ```
///
/// ```compile_fail
/// # use domain::base::sensitive::Sensitive;
/// let address = Sensitive::new("ann@example.com");
/// tracing::info!(code = "EXAMPLE", ?address, "message sent");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    pub const fn new(value: T) -> Sensitive<T> {
        Sensitive(value)
    }

    /// The value, for sending, storing, rendering and comparing.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, without a copy.
    #[must_use]
    pub fn into_exposed(self) -> T {
        self.0
    }

    /// Computes another sensitive value.
    pub fn map<U>(self, compute: impl FnOnce(T) -> U) -> Sensitive<U> {
        Sensitive(compute(self.0))
    }
}

impl<T: Deref> Sensitive<T> {
    /// A borrowed form of the value: `Sensitive<&str>` of a `Sensitive<String>`.
    #[must_use]
    pub fn as_deref(&self) -> Sensitive<&T::Target> {
        Sensitive(&self.0)
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Sensitive<T> {
        Sensitive(value)
    }
}

impl From<&str> for Sensitive<String> {
    fn from(text: &str) -> Sensitive<String> {
        Sensitive(text.to_owned())
    }
}

/// Reads the bare value, so a stored format does not change when a field becomes sensitive.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sensitive<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sensitive<T>, D::Error> {
        T::deserialize(deserializer).map(Sensitive)
    }
}

/// Writes a field of a stored or sent format as the bare value: `#[serde(serialize_with = "sensitive::stored")]`.
///
/// # Errors
/// Those of the value and of the serializer.
pub fn stored<V: Stored, S: Serializer>(value: &V, serializer: S) -> Result<S::Ok, S::Error> {
    value.store(serializer)
}

/// The forms in which fields hold sensitive values.
pub trait Stored {
    /// Writes the bare value.
    ///
    /// # Errors
    /// Those of the value and of the serializer.
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl<T: Serialize> Stored for Sensitive<T> {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Serialize> Stored for Option<Sensitive<T>> {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Sensitive::expose).serialize(serializer)
    }
}

impl<T: Serialize> Stored for Vec<Sensitive<T>> {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Sensitive::expose))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Default, Serialize, Deserialize)]
    struct Row {
        #[serde(serialize_with = "stored")]
        text: Sensitive<String>,
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "stored")]
        token: Option<Sensitive<String>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "stored")]
        parameters: Vec<Sensitive<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "stored")]
        data: Option<Sensitive<Box<RawValue>>>,
    }

    #[test]
    fn stored_fields_have_the_bytes_of_bare_values() {
        for text in [
            r#"{"text":""}"#,
            r#"{"text":"a\"b","token":"t","parameters":["1","2"],"data":{"n": 1.50 , "k":[]}}"#,
        ] {
            let row: Row = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&row).unwrap(), text);
        }
    }

    #[test]
    fn wrapper_adds_no_bytes_in_memory() {
        assert_eq!(size_of::<Option<Sensitive<String>>>(), size_of::<Option<String>>());
    }
}
