//! The JSON form of [`Producers`]: a list of entries, or an object with aliases.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Aliases, Producer, Producers};

/// The form with aliases.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Producer>>,
    #[serde(default)]
    aliases: Aliases,
}

impl Serialize for Producers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.aliases.is_empty() {
            true => self.entries.serialize(serializer),
            false => {
                Form { entries: self.entries.clone(), aliases: self.aliases.clone() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Producers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Producers, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Producers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of producers, or an object with `entries` and `aliases`")
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Producers, E> {
                Ok(Producers::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Producers, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(Producers::new)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Producers, A::Error> {
                let Form { entries, aliases } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Producers { entries, aliases })
            }
        }
        deserializer.deserialize_any(Read)
    }
}
