//! Trial calls of filters with the constant arguments of a template.
//!
//! The input of the filter is a placeholder that the filter accepts, so any error is caused by the arguments. If
//! the template itself contains the input or a `default` for it, that value is tried too.

use minijinja::machinery::ast::{CallArg, Expr, Filter};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::failure::problem_of_constants;
use crate::locale_format::{LocaleFormat, VOICE};

/// The time for trial calls: 2026-11-03T17:05:00Z, in seconds since 1970.
const NOW_S: i64 = 1_793_725_500;

/// An engine for trial calls, in the language of one file.
pub(super) struct Probe<'a> {
    engine: &'a Environment<'a>,
    values: Value,
    locale: Option<&'a str>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(engine: &'a Environment<'a>, locale: Option<&'a str>) -> Probe<'a> {
        let now = jiff::Timestamp::from_second(NOW_S).ok();
        // A layout has no language of its own.
        let locale_format =
            LocaleFormat::new(locale.unwrap_or(domain::base::locale::DEFAULT).to_owned(), [None, None], now);
        let values = Value::from_pairs([(VOICE, Value::from_object(locale_format))]);
        Probe { engine, values, locale }
    }

    pub(super) fn locale(&self) -> Option<&'a str> {
        self.locale
    }

    pub(super) fn has_filter(&self, name: &str) -> bool {
        let answer = self.engine.empty_state().apply_filter(name, &[]);
        answer.err().is_none_or(|error| error.kind() != ErrorKind::UnknownFilter)
    }

    pub(super) fn has_test(&self, name: &str) -> bool {
        let answer = self.engine.empty_state().perform_test(name, &[]);
        answer.err().is_none_or(|error| error.kind() != ErrorKind::UnknownTest)
    }

    /// All mistakes in the constants of a call.
    pub(super) fn problems(&self, filter: &Filter<'_>) -> Vec<String> {
        let Some(args) = arguments(filter) else { return Vec::new() };
        let shown = call_text(filter);
        let (stand_in, own) = (input(filter.name), own_inputs(filter.expr.as_ref()));
        if let Err(error) = self.call(filter.name, &stand_in, &args) {
            return vec![format!("`{shown}`: {}", problem_of_constants(&error))];
        }
        let tried = own.iter().filter_map(|value| {
            let error = self.call(filter.name, value, &args).err()?;
            Some(format!("`{} | {shown}`: {}", constant(value), problem_of_constants(&error)))
        });
        tried.collect()
    }

    fn call(&self, filter: &str, input: &Value, args: &[Value]) -> Result<Value, Error> {
        let mut rendered = self.engine.template_from_str("")?.render_captured(self.values.clone())?;
        let all: Vec<Value> = std::iter::once(input.clone()).chain(args.iter().cloned()).collect();
        rendered.with_state_mut(|state| state.apply_filter(filter, &all))
    }
}

/// The filter or test that another filter names, and whether it is a filter: `map("upper")`, `select("defined")`.
pub(super) fn named_in(filter: &Filter<'_>) -> Option<(String, bool)> {
    let (place, is_filter) = match filter.name {
        "map" => (0, true),
        "select" | "reject" => (0, false),
        "selectattr" | "rejectattr" => (1, false),
        _ => return None,
    };
    let CallArg::Pos(Expr::Const(name)) = filter.args.get(place)? else { return None };
    Some((name.value.as_str()?.to_owned(), is_filter))
}

/// The arguments of a call, with placeholders for calculated ones. `None` if their number is not known.
fn arguments(filter: &Filter<'_>) -> Option<Vec<Value>> {
    let (mut positional, mut named) = (Vec::new(), Vec::new());
    for arg in &filter.args {
        match arg {
            CallArg::Pos(value) => {
                let known = value.as_const().or_else(|| argument(filter.name, positional.len()));
                positional.push(known?);
            }
            CallArg::Kwarg(name, value) => {
                named.push(((*name).to_owned(), value.as_const().or_else(|| named_argument(name))?));
            }
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => return None,
        }
    }
    if !named.is_empty() {
        positional.push(Value::from(named.into_iter().collect::<Kwargs>()));
    }
    Some(positional)
}

/// A placeholder input that a filter accepts.
fn input(filter: &str) -> Value {
    match filter {
        "abs" | "bool" | "default" | "d" | "float" | "int" | "money" | "number" | "ordinal" | "percent"
        | "plural" | "round" | "tojson" => Value::from(1),
        "date" | "datetime" | "relative" | "time" | "weekday" => Value::from(NOW_S),
        "attr" | "dictsort" | "items" => Value::from_pairs([("a", 1)]),
        "count" | "first" | "groupby" | "join" | "last" | "length" | "list" | "map" | "max" | "min"
        | "reject" | "rejectattr" | "reverse" | "select" | "selectattr" | "sort" | "sum" | "unique" => {
            Value::from(Vec::<Value>::new())
        }
        _ => Value::from("text"),
    }
}

/// A placeholder argument that a filter accepts at a position.
fn argument(filter: &str, place: usize) -> Option<Value> {
    match (filter, place) {
        ("money", 0) => Some(Value::from("EUR")),
        ("date" | "datetime" | "weekday", 0) => Some(Value::from("long")),
        ("number" | "percent" | "round", 0) => Some(Value::from(2)),
        ("truncate", 0) => Some(Value::from(20)),
        ("list", 0) => Some(Value::from("and")),
        ("default" | "d" | "replace" | "join" | "split", _) => Some(Value::from("text")),
        _ => None,
    }
}

fn named_argument(name: &str) -> Option<Value> {
    match name {
        "zone" => Some(Value::from("UTC")),
        "pattern" => Some(Value::from("d. MMMM")),
        "from" => Some(Value::from(NOW_S)),
        "zero" | "one" | "two" | "few" | "many" | "other" => Some(Value::from("#")),
        "length" => Some(Value::from(20)),
        "end" => Some(Value::from("…")),
        "killwords" | "reverse" | "case_sensitive" => Some(Value::from(true)),
        _ => None,
    }
}

/// The constant inputs that the template itself contains.
fn own_inputs(expression: Option<&Expr<'_>>) -> Vec<Value> {
    let Some(expression) = expression else { return Vec::new() };
    if let Some(value) = expression.as_const() {
        return vec![value];
    }
    if let Expr::Filter(filter) = expression
        && ["default", "d"].contains(&filter.name)
    {
        let mut values = own_inputs(filter.expr.as_ref());
        if let Some(CallArg::Pos(value)) = filter.args.first() {
            values.extend(value.as_const());
        }
        return values;
    }
    if let Expr::IfExpr(choice) = expression {
        let branches = [Some(&choice.true_expr), choice.false_expr.as_ref()];
        return branches.into_iter().flat_map(own_inputs).collect();
    }
    Vec::new()
}

/// The call in template syntax, with `…` for calculated arguments.
fn call_text(filter: &Filter<'_>) -> String {
    let args = filter.args.iter().map(|arg| match arg {
        CallArg::Pos(value) => text_of(value),
        CallArg::Kwarg(name, value) => format!("{name}={}", text_of(value)),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => "…".to_owned(),
    });
    let args: Vec<String> = args.collect();
    if args.is_empty() { filter.name.to_owned() } else { format!("{}({})", filter.name, args.join(", ")) }
}

fn text_of(value: &Expr<'_>) -> String {
    value.as_const().map_or_else(|| "…".to_owned(), |value| constant(&value))
}

/// A constant in template syntax.
fn constant(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:?}"), |text| format!("{text:?}"))
}
