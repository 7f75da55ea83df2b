//! Limits on the size and cost of rendering, whatever the template and the event contain.
//!
//! The engine counts steps and nesting. This module limits the cost of one step: by size when a value leaves a
//! filter or enters the text. [`crate::grammar`] covers the operators, for which the engine has no callback.

use std::io::{self, Write};

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value, escape_formatter, filters};

use crate::failure::reasoned;
use crate::{escape, strings};

/// The number of engine steps per part. A long e-mail with loops takes a few thousand.
pub(crate) const MAX_STEPS: u64 = 20_000;

/// The longest rendered part, in bytes. SES accepts more, but an e-mail to one person does not need it, and a job
/// must fit its queue.
pub(crate) const MAX_PART_BYTES: usize = 200 * 1024;

/// The nesting of includes. A block that calls itself may nest ten times as deep. At 100 levels a build without
/// optimisation can overflow a stack of 1 MiB. A layout that is extended does not count.
pub(crate) const MAX_INCLUDES: usize = 5;

/// The engine's cost of one include. A loop or a block costs 1.
///
/// Source: minijinja 3.0.5, `INCLUDE_RECURSION_COST`.
pub(crate) const INCLUDE_COST: usize = 10;

/// The number of items of a list. Operators walk a list in one step.
pub(crate) const MAX_ITEMS: usize = 2_000;

/// The number of bytes that the filters of one part may read and write and that the part may add to its text.
const MAX_EFFORT: usize = 4 * 1024 * 1024;

/// The length of text that a step may handle without being counted. Such steps are limited by their number.
pub(crate) const FREE_BYTES: usize = 256;

/// The bytes counted for an item, a number or a name.
const ITEM_BYTES: usize = 32;

/// The nesting of lists. serde_json parses at most 128 levels.
const MAX_DEPTH: usize = 130;

/// The longest escape of one byte: `'` is `&#x27;`.
const ESCAPE_GROWTH: usize = 6;

/// Filters that would turn a missing value into an empty text.
const MUST_BE_THERE: [&str; 5] = ["urlencode", "tojson", "truncate", "striptags", "nl2br"];

/// The bytes that one part has used so far.
#[derive(Default)]
struct Effort(usize);

/// Filters that read all of their input, with the engine's own implementation. Filters missing here and in
/// [`crate::locale_format`] do not exist: `format`, `indent`, `batch`, `slice`, `chain`, `zip` and `pprint` produce large
/// output from small input.
macro_rules! counted {
    ($engine:ident, $($name:literal => $filter:path),* $(,)?) => {
        $({
            let filter = Value::from_function($filter);
            $engine.add_filter($name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                counted(state, $name, &filter, &args.into_values())
            });
        })*
    };
}

/// An engine with all limits, and without the functions that cannot be limited.
pub(crate) fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_fuel(Some(MAX_STEPS));
    engine.set_recursion_limit(MAX_INCLUDES * INCLUDE_COST + INCLUDE_COST - 1);
    engine.set_formatter(emit);
    for unlimited in ["format", "indent", "batch", "slice", "chain", "zip", "pprint"] {
        engine.remove_filter(unlimited);
    }
    for global in ["debug", "dict", "namespace"] {
        engine.remove_global(global);
    }
    engine.add_function("range", range);
    counted!(engine,
        "safe" => filters::safe, "escape" => filters::escape, "e" => filters::escape,
        "lower" => filters::lower, "upper" => filters::upper, "title" => filters::title,
        "capitalize" => filters::capitalize, "trim" => filters::trim, "replace" => filters::replace,
        "string" => filters::string, "split" => filters::split, "lines" => filters::lines,
        "join" => filters::join, "items" => filters::items, "dictsort" => filters::dictsort,
        "reverse" => filters::reverse, "last" => filters::last, "min" => filters::min,
        "max" => filters::max, "sum" => filters::sum, "sort" => filters::sort,
        "unique" => filters::unique, "groupby" => filters::groupby, "map" => filters::map,
        "select" => filters::select, "reject" => filters::reject, "selectattr" => filters::selectattr,
        "rejectattr" => filters::rejectattr,
        "urlencode" => filters::urlencode, "tojson" => filters::tojson,
        "truncate" => strings::truncate, "striptags" => strings::striptags, "nl2br" => strings::nl2br,
    );
    engine
}

fn counted(state: &mut State<'_, '_>, name: &str, filter: &Value, args: &[Value]) -> Result<Value, Error> {
    if MUST_BE_THERE.contains(&name) && args.first().is_some_and(Value::is_undefined) {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    for arg in args {
        charge(state, arg, 1)?;
    }
    match (name, args) {
        ("replace", [text, from, to]) => {
            let (text, from, to) = (text.as_str(), from.as_str(), to.as_str());
            if let (Some(text), Some(from), Some(to)) = (text, from, to) {
                let growth = text.matches(from).count().saturating_mul(to.len());
                spend(state, growth)?;
            }
        }
        ("join", [list, joiner, ..]) => {
            let joiner = if joiner.is_kwargs() { joiner.get_attr("d").ok() } else { Some(joiner.clone()) };
            let length = joiner.as_ref().and_then(Value::as_str).map_or(0, str::len);
            spend(state, length.saturating_mul(list.len().unwrap_or(0)))?;
        }
        _ => {}
    }
    let value = filter.call(state, args)?;
    if !value.is_undefined() {
        charge(state, &value, 1)?;
    }
    Ok(value)
}

/// `range(3)` is 0, 1, 2 as in Jinja, limited to [`MAX_ITEMS`].
fn range(lower: i64, upper: Option<i64>, step: Option<i64>) -> Result<Value, Error> {
    let (from, to) = upper.map_or((0, lower), |upper| (lower, upper));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(reasoned("the step of a range cannot be 0"));
    }
    let mut items = Vec::new();
    let mut next = Some(from);
    while let Some(item) = next.filter(|next| if step > 0 { *next < to } else { *next > to }) {
        if items.len() == MAX_ITEMS {
            return Err(too_many());
        }
        items.push(Value::from(item));
        next = item.checked_add(step);
    }
    Ok(Value::from(items))
}

/// The error that takes the place of a list that is too long. It fails the templates that use the list.
pub(crate) fn too_many() -> Error {
    reasoned(format!("the list has more than {MAX_ITEMS} items"))
}

/// Writes a value into the text, or into a captured value.
fn emit(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let growth = if matches!(state.auto_escape(), AutoEscape::None) { 1 } else { ESCAPE_GROWTH };
    charge(state, value, growth)?;
    if let Some(text) = escape::escaped(state.auto_escape(), value) {
        return out.write_str(&text).map_err(Error::from);
    }
    match value.as_str() {
        Some(text) if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() => {
            out.write_str(&strings::escaped(text)).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

fn charge(state: &mut State<'_, '_>, value: &Value, growth: usize) -> Result<(), Error> {
    let small = match value.as_str() {
        Some(value) => value.len() <= FREE_BYTES,
        None => value.as_object().is_none(),
    };
    if small {
        return Ok(());
    }
    let left = MAX_EFFORT - state.get_extension::<Effort>().map_or(0, |effort| effort.0);
    spend(state, weight(value, left, 0)?.saturating_mul(growth))
}

fn spend(state: &mut State<'_, '_>, bytes: usize) -> Result<(), Error> {
    let effort = state.get_or_insert_extension(Effort::default());
    match effort.0.checked_add(bytes).filter(|sum| *sum <= MAX_EFFORT) {
        Some(sum) => {
            effort.0 = sum;
            Ok(())
        }
        None => Err(exhausted()),
    }
}

fn exhausted() -> Error {
    reasoned(format!("filters process more than {} MB of values", MAX_EFFORT / 1024 / 1024))
}

/// The approximate size of a value as text, in bytes. Stops counting above `left`.
fn weight(value: &Value, left: usize, depth: usize) -> Result<usize, Error> {
    let mut sum = value.as_str().map_or(ITEM_BYTES, str::len);
    if depth > MAX_DEPTH {
        return Err(reasoned(format!("lists are nested more than {MAX_DEPTH} deep")));
    }
    let map = value.kind() == ValueKind::Map;
    if map || matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        for (count, item) in value.try_iter()?.enumerate() {
            if !map && count == MAX_ITEMS {
                return Err(too_many());
            }
            if sum > left {
                return Err(exhausted());
            }
            sum += weight(&item, left - sum, depth + 1)?;
            if map {
                let member = value.get_item(&item)?;
                sum += weight(&member, left.saturating_sub(sum), depth + 1)?;
            }
        }
    }
    Ok(sum)
}

/// Text that stops growing at [`MAX_PART_BYTES`].
pub(crate) struct Bounded(pub(crate) Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_PART_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
