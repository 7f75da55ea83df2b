//! Local time: zones, times of day, quiet hours, recurrences and time spans.

pub mod moment;
pub mod quiet_hours;
pub mod recurrence;
pub mod span;
pub(crate) mod time_of_day;
pub mod zone;
