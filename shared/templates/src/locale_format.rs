//! Filters that format numbers, times and lists in the reader's language and region.
//!
//! | template | English | German |
//! |---|---|---|
//! | `{{ n \| plural(one="# task", other="# tasks") }}` | 1 task | |
//! | `{{ 1234.5 \| number }}`, `\| number(2)` | 1,234.5 | 1.234,50 |
//! | `{{ 0.256 \| percent }}`, `\| percent(1)` | 26% | 25,6 % |
//! | `{{ 1234.5 \| money("EUR") }}` | €1,234.50 | 1.234,50 € |
//! | `{{ at \| date }}`, `\| date("short")` | Nov 3, 2026 | 03.11.26 |
//! | `{{ at \| date("long") }}`, `\| date("full")` | November 3, 2026 | Dienstag, 3. November 2026 |
//! | `{{ at \| time }}`, `\| time(zone="Europe/London")` | 5:05 PM | 16:05 |
//! | `{{ at \| datetime }}`, `\| datetime("long")` | Nov 3, 2026, 5:05 PM | 3. November 2026 um 17:05 |
//! | `{{ at \| weekday }}`, `\| weekday("short")` | Tuesday | Di |
//! | `{{ at \| date(pattern="d. MMMM") }}` | 3. November | 3. November |
//! | `{{ at \| relative }}` | in 3 days | in 3 Tagen |
//! | `{{ n \| ordinal }}` | 3rd | 3. |
//! | `{{ names \| list }}`, `\| list("or")` | Ann, Ben, and Cleo | Ann, Ben oder Cleo |
//!
//! Rules and names come from Unicode's CLDR, through ICU4X.

mod cldr;
mod currency;
mod lists;
mod moment;
mod numbers;
mod ordinal;
mod patterns;
mod relative;
mod times;

pub(crate) use numbers::CATEGORIES;

use std::sync::OnceLock;

use icu_locale_core::Locale;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Object;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use crate::failure::reasoned;
use crate::values;

/// The name of a part's [`LocaleFormat`] among its variables. Templates cannot spell it.
pub(crate) const VOICE: &str = " voice";

/// The number and time format of one part's reader. Derived values are computed once.
#[derive(Default)]
pub(crate) struct LocaleFormat {
    tag: String,
    /// The zones to try, first choice first.
    zones: [Option<String>; 2],
    now: Option<Timestamp>,
    locale: OnceLock<Locale>,
    zone: OnceLock<TimeZone>,
}

impl std::fmt::Debug for LocaleFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Voice")
    }
}

impl Object for LocaleFormat {}

impl LocaleFormat {
    /// `tag` is the locale for numbers and dates, `now` the time of sending.
    pub(crate) fn new(tag: String, zones: [Option<&str>; 2], now: Option<Timestamp>) -> LocaleFormat {
        LocaleFormat { tag, zones: zones.map(|zone| zone.map(str::to_owned)), now, ..LocaleFormat::default() }
    }

    fn tag(&self) -> &str {
        &self.tag
    }

    fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// A folder name that is not a language gets the root locale.
    fn locale(&self) -> &Locale {
        self.locale.get_or_init(|| self.tag.parse().unwrap_or(Locale::UNKNOWN))
    }

    /// The first valid zone, or UTC.
    fn zone(&self) -> &TimeZone {
        self.zone.get_or_init(|| {
            let known = |text: &String| TimeZone::get(text).ok();
            self.zones.iter().flatten().find_map(known).unwrap_or(TimeZone::UTC)
        })
    }
}

/// Registers the filters with the engine.
pub(crate) fn register(engine: &mut Environment<'static>) {
    engine.add_filter("float", values::float);
    engine.add_filter("plural", numbers::plural);
    engine.add_filter("ordinal", ordinal::ordinal);
    engine.add_filter("relative", relative::relative);
    engine.add_filter("number", numbers::number);
    engine.add_filter("percent", numbers::percent);
    engine.add_filter("money", numbers::money);
    engine.add_filter("date", times::date);
    engine.add_filter("time", times::time);
    engine.add_filter("datetime", times::datetime);
    engine.add_filter("weekday", times::weekday);
    engine.add_filter("list", lists::list);
}

/// Calls `format` with the locale format of the part that is being rendered.
fn with_format<T>(state: &State<'_, '_>, format: impl FnOnce(&LocaleFormat) -> T) -> T {
    let locale_format = state.lookup(VOICE);
    match locale_format.as_ref().and_then(|locale_format| locale_format.downcast_object_ref::<LocaleFormat>())
    {
        Some(locale_format) => format(locale_format),
        None => format(&LocaleFormat::default()),
    }
}

/// A value that must exist.
fn given(value: &Value) -> Result<&Value, Error> {
    match value.is_undefined() {
        true => Err(Error::from(ErrorKind::UndefinedError)),
        false => Ok(value),
    }
}

/// CLDR falls back to its root locale, so this error should not occur.
fn unknown<E>(_: E) -> Error {
    reasoned("there is no data about the language")
}
