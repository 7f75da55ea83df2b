//! Mistakes in a template that do not depend on the event: filters, tests, functions and variables that do not
//! exist, and invalid constant arguments. All branches are checked, whether an event reaches them or not.

mod calls;
mod plurals;
mod walk;

use std::collections::BTreeSet;

use minijinja::machinery::ast::{Call, Expr, Filter, Stmt, Test};
use minijinja::machinery::{Span, parse};
use minijinja::{Environment, Error, Value};

use self::calls::Probe;
use self::walk::{Node, walk};
use crate::failure::{Cause, Path};
use crate::grammar::dotted;

/// The filters of templates, for suggestions.
pub const FILTERS: [&str; 55] = [
    "abs",
    "attr",
    "bool",
    "capitalize",
    "count",
    "d",
    "date",
    "datetime",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "money",
    "nl2br",
    "number",
    "ordinal",
    "percent",
    "plural",
    "reject",
    "rejectattr",
    "relative",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "striptags",
    "sum",
    "time",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "weekday",
];

/// The tests that may follow `is`.
pub const TESTS: [&str; 30] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// The functions that templates may call.
pub const FUNCTIONS: [&str; 2] = ["range", "super"];

/// The names that every template has.
const NAMES: [&str; 6] = ["event", "data", "digest", "recipient", "unsubscribe_url", "postal_address"];

/// The members of `recipient`, and of `loop`.
const RECIPIENT: [&str; 4] = ["id", "name", "locale", "zone"];
const LOOP: [&str; 14] = [
    "index",
    "index0",
    "revindex",
    "revindex0",
    "first",
    "last",
    "length",
    "depth",
    "depth0",
    "previtem",
    "nextitem",
    "cycle",
    "changed",
    "percent",
];

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    pub problem: String,
    pub cause: Cause,
    /// The template renders all the same, most likely with an unintended result.
    pub is_warning: bool,
}

/// The names that a file defines by `set`, `with` and `for`.
pub(crate) fn names(name: &str, source: &str) -> Result<BTreeSet<String>, Error> {
    let tree = parse(source, name, minijinja::syntax::SyntaxConfig::default())?;
    let mut names = BTreeSet::new();
    walk(&tree, &mut |node| {
        if let Node::Target(Expr::Var(target)) = node {
            names.insert(target.id.to_owned());
        }
    });
    Ok(names)
}

/// All mistakes in one file. `own` holds the names that this and other files define. `locale` is the language of
/// the file, if it has one.
pub(crate) fn inspect(
    engine: &Environment<'_>,
    name: &str,
    source: &str,
    locale: Option<&str>,
    own: &BTreeSet<String>,
) -> Result<Vec<Mistake>, Error> {
    let tree: Stmt<'_> = parse(source, name, minijinja::syntax::SyntaxConfig::default())?;
    let probe = Probe::new(engine, locale);
    let mut inspector = Inspector { probe, own, guarded: BTreeSet::new(), mistakes: Vec::new() };
    walk(&tree, &mut |node| match node {
        Node::Expression(expression) => inspector.expression(expression),
        Node::Filter(filter, span) => inspector.filter(filter, span),
        Node::Target(_) => {}
    });
    Ok(inspector.mistakes)
}

/// The paths on one line of a file, each with whether `default` or `is defined` follows it.
pub(crate) fn paths_on(name: &str, source: &str, line: usize) -> Vec<(String, bool)> {
    let Ok(tree) = parse(source, name, minijinja::syntax::SyntaxConfig::default()) else { return Vec::new() };
    let (mut guarded, mut paths) = (BTreeSet::new(), Vec::new());
    walk(&tree, &mut |node| {
        let Node::Expression(expression) = node else { return };
        guarded.extend(guarded_by(expression).map(place));
        let lines = usize::from(expression.span().start_line)..=usize::from(expression.span().end_line);
        if let Some(path) = dotted(expression).filter(|_| lines.contains(&line)) {
            paths.push((path, guarded.contains(&place(expression))));
        }
    });
    paths
}

/// The first of the paths that leads to no value in `values`.
pub(crate) fn absent(paths: &[(String, bool)], values: &Value) -> Option<Path> {
    paths.iter().find_map(|(path, has_default)| {
        let members: Vec<&str> = path.split('.').collect();
        if !NAMES.contains(&members[0]) {
            return None;
        }
        let mut value = values.clone();
        let missing = members.iter().position(|member| {
            value = value.get_attr(member).unwrap_or_default();
            value.is_undefined() || value.is_none()
        })?;
        // After `{% if data.a is defined %}` the same line may use `data.a` again.
        let is_foreseen = paths.iter().any(|(other, foreseen)| *foreseen && other == path);
        let is_covered = is_foreseen && missing + 1 == members.len();
        (!is_covered).then(|| Path { absent: members[..=missing].join("."), has_default: *has_default })
    })
}

struct Inspector<'a> {
    probe: Probe<'a>,
    own: &'a BTreeSet<String>,
    /// The expressions that the template allows to be absent.
    guarded: BTreeSet<usize>,
    mistakes: Vec<Mistake>,
}

impl Inspector<'_> {
    fn report(&mut self, span: Span, problem: String, cause: Cause) {
        let line = span.start_line.into();
        self.mistakes.push(Mistake { line, problem, cause, is_warning: false });
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other expressions contain no names")]
    fn expression(&mut self, expression: &Expr<'_>) {
        self.guarded.extend(guarded_by(expression).map(place));
        match expression {
            Expr::Filter(filter) => self.filter(filter, filter.span()),
            Expr::Test(test) => self.test(test, test.span()),
            Expr::Call(call) => self.call(call, call.span()),
            Expr::Var(variable) => {
                let known = NAMES.contains(&variable.id)
                    || ["loop", "self", "range"].contains(&variable.id)
                    || self.own.contains(variable.id);
                if !known {
                    let is_warning = self.guarded.contains(&place(expression));
                    let problem = format!("there is no variable `{}`", variable.id);
                    let cause = Cause::Variable(variable.id.to_owned());
                    let line = variable.span().start_line.into();
                    self.mistakes.push(Mistake { line, problem, cause, is_warning });
                }
            }
            Expr::GetAttr(member) => {
                let Expr::Var(of) = &member.expr else { return };
                let known: &[&str] = match of.id {
                    "recipient" => &RECIPIENT,
                    "loop" => &LOOP,
                    _ => return,
                };
                if !known.contains(&member.name) && !self.own.contains(of.id) {
                    let problem = format!("`{}` has no `{}`, only {}", of.id, member.name, known.join(", "));
                    let cause = Cause::Variable(format!("{}.{}", of.id, member.name));
                    let is_warning = self.guarded.contains(&place(expression));
                    let line = member.span().start_line.into();
                    self.mistakes.push(Mistake { line, problem, cause, is_warning });
                }
            }
            _ => {}
        }
    }

    fn filter(&mut self, filter: &Filter<'_>, span: Span) {
        if !self.probe.has_filter(filter.name) {
            let cause = Cause::Filter(filter.name.to_owned());
            return self.report(span, format!("there is no filter `{}`", filter.name), cause);
        }
        if let Some((name, is_filter)) = calls::named_in(filter) {
            if is_filter && !self.probe.has_filter(&name) {
                self.report(span, format!("there is no filter `{name}`"), Cause::Filter(name));
            } else if !is_filter && !self.probe.has_test(&name) {
                self.report(span, format!("there is no test `{name}`"), Cause::Test(name));
            }
            return;
        }
        let problems = self.probe.problems(filter);
        if problems.is_empty() {
            let warning = plurals::missing(filter, self.probe.locale());
            let line = span.start_line.into();
            self.mistakes.extend(warning.map(|problem| Mistake {
                line,
                problem,
                cause: Cause::Argument,
                is_warning: true,
            }));
        }
        for problem in problems {
            self.report(span, problem, Cause::Argument);
        }
    }

    fn test(&mut self, test: &Test<'_>, span: Span) {
        if !self.probe.has_test(test.name) {
            let cause = Cause::Test(test.name.to_owned());
            self.report(span, format!("there is no test `{}`", test.name), cause);
        }
    }

    fn call(&mut self, call: &Call<'_>, span: Span) {
        if let Expr::Var(function) = &call.expr {
            if !FUNCTIONS.contains(&function.id) && function.id != "loop" {
                let cause = Cause::Function(function.id.to_owned());
                self.report(span, format!("there is no function `{}`", function.id), cause);
            }
        } else if let Expr::GetAttr(method) = &call.expr {
            let of_engine = matches!(&method.expr, Expr::Var(of) if ["loop", "self"].contains(&of.id));
            if !of_engine {
                let problem = format!("a value has no function `{}`", method.name);
                self.report(span, problem, Cause::Method(method.name.to_owned()));
            }
        }
    }
}

/// The expression that another one allows to be absent: by `default`, `is defined` or `is undefined`.
fn guarded_by<'t>(expression: &'t Expr<'t>) -> Option<&'t Expr<'t>> {
    if let Expr::Filter(filter) = expression {
        return filter.expr.as_ref().filter(|_| ["default", "d"].contains(&filter.name));
    }
    if let Expr::Test(test) = expression {
        return Some(&test.expr).filter(|_| ["defined", "undefined"].contains(&test.name));
    }
    None
}

/// The address of an expression, as its identity. The tree does not move during inspection.
fn place(expression: &Expr<'_>) -> usize {
    std::ptr::from_ref(expression) as usize
}

#[cfg(test)]
mod tests;
