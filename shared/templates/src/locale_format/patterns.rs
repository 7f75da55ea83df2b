//! Dates by CLDR's pattern letters: `dd.MM.y`, `EEEE, d MMMM`, `h:mm a`.
//!
//! Source: Unicode TS 35 part 4, "Date Field Symbol Table".

use icu_calendar::Date;
use icu_calendar::Gregorian;
use icu_datetime::fieldsets::enums::CompositeDateTimeFieldSet;
use icu_datetime::pattern::{
    DateTimePattern, DayPeriodNameLength, FixedCalendarDateTimeNames, MonthNameLength, WeekdayNameLength,
    YearNameLength,
};
use icu_time::{DateTime, Time};
use minijinja::Error;
use writeable::TryWriteable as _;

use super::{LocaleFormat, unknown};
use crate::failure::reasoned;

/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 100;

/// The supported letters. Zones, weeks and quarters are not supported.
const LETTERS: &str = "GyMLdEcahHKkms";

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pattern: DateTimePattern,
    /// Each letter and its number of repetitions.
    fields: Vec<(char, usize)>,
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Pattern, Error> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(reasoned(format!("a pattern has {MAX_PATTERN_BYTES} bytes at most")));
        }
        if text.contains('%') {
            return Err(reasoned(
                "a pattern has the letters of CLDR, not those of strftime; write one such as \"dd.MM.y\"",
            ));
        }
        let fields = fields(text);
        if let Some((letter, _)) = fields.iter().find(|(letter, _)| !LETTERS.contains(*letter)) {
            let wanted = "write y M L d E c a h H m s, and put words in single quotes: \"d 'of' MMMM\"";
            return Err(reasoned(format!("the pattern letter `{letter}` is unknown; {wanted}")));
        }
        let pattern: Result<DateTimePattern, _> = text.parse();
        match pattern {
            Ok(pattern) if !fields.is_empty() => Ok(Pattern { pattern, fields }),
            Ok(_) | Err(_) => Err(reasoned("the pattern cannot be read; write one such as \"d. MMMM y\"")),
        }
    }

    /// Whether the pattern contains a time of day.
    pub(super) fn has_time(&self) -> bool {
        self.fields.iter().any(|(letter, _)| "ahHKkms".contains(*letter))
    }
}

/// The fields of a pattern. Letters within single quotes are text. Source: as above, "Date Format Patterns".
fn fields(text: &str) -> Vec<(char, usize)> {
    let mut fields: Vec<(char, usize)> = Vec::new();
    let (mut quoted, mut last) = (false, None);
    for letter in text.chars() {
        if letter == '\'' {
            quoted = !quoted;
        }
        let counts = letter.is_ascii_alphabetic() && !quoted;
        match fields.last_mut() {
            Some(field) if counts && last == Some(letter) => field.1 += 1,
            _ if counts => fields.push((letter, 1)),
            _ => {}
        }
        last = counts.then_some(letter);
    }
    fields
}

/// The date, and the time if the pattern has one, with the names of the reader's language.
pub(super) fn format(
    locale_format: &LocaleFormat,
    pattern: &Pattern,
    date: Date<Gregorian>,
    time: Option<Time>,
) -> Result<String, Error> {
    let mut names = FixedCalendarDateTimeNames::<Gregorian, CompositeDateTimeFieldSet>::try_new(
        locale_format.locale().into(),
    )
    .map_err(unknown)?;
    for (letter, count) in &pattern.fields {
        include(&mut names, *letter, *count)?;
    }
    let both = DateTime { date, time: time.unwrap_or(Time::start_of_day()) };
    let formatted = names.with_pattern_unchecked(&pattern.pattern).format(&both);
    let text = formatted.try_write_to_string();
    text.map(|text| text.into_owned()).map_err(|_| reasoned("the pattern has a letter twice in two lengths"))
}

fn include(
    names: &mut FixedCalendarDateTimeNames<Gregorian, CompositeDateTimeFieldSet>,
    letter: char,
    count: usize,
) -> Result<(), Error> {
    let included = match (letter, count) {
        ('G', 4) => names.include_year_names(YearNameLength::Wide),
        ('G', 5) => names.include_year_names(YearNameLength::Narrow),
        ('G', _) => names.include_year_names(YearNameLength::Abbreviated),
        ('M', 1 | 2) => names.include_month_names(MonthNameLength::Numeric),
        ('L', 1 | 2) => names.include_month_names(MonthNameLength::StandaloneNumeric),
        ('M', 3) => names.include_month_names(MonthNameLength::Abbreviated),
        ('M', 4) => names.include_month_names(MonthNameLength::Wide),
        ('M', 5) => names.include_month_names(MonthNameLength::Narrow),
        ('L', 3) => names.include_month_names(MonthNameLength::StandaloneAbbreviated),
        ('L', 4) => names.include_month_names(MonthNameLength::StandaloneWide),
        ('L', 5) => names.include_month_names(MonthNameLength::StandaloneNarrow),
        ('E', 4) => names.include_weekday_names(WeekdayNameLength::Wide),
        ('E', 5) => names.include_weekday_names(WeekdayNameLength::Narrow),
        ('E', 6) => names.include_weekday_names(WeekdayNameLength::Short),
        ('E', _) => names.include_weekday_names(WeekdayNameLength::Abbreviated),
        ('c', 4) => names.include_weekday_names(WeekdayNameLength::StandaloneWide),
        ('c', 5) => names.include_weekday_names(WeekdayNameLength::StandaloneNarrow),
        ('c', 6) => names.include_weekday_names(WeekdayNameLength::StandaloneShort),
        ('c', _) => names.include_weekday_names(WeekdayNameLength::StandaloneAbbreviated),
        ('a', 4) => names.include_day_period_names(DayPeriodNameLength::Wide),
        ('a', 5) => names.include_day_period_names(DayPeriodNameLength::Narrow),
        ('a', _) => names.include_day_period_names(DayPeriodNameLength::Abbreviated),
        _ => return Ok(()),
    };
    included.map(drop).map_err(|_| reasoned("the pattern has a letter twice in two lengths"))
}
