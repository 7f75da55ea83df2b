//! Limits on the grammar of templates. The engine runs operators without a callback, so operators that can produce
//! large values are refused before rendering. Text is cut into pieces that one step may write.

mod kinds;
mod pieces;

use std::collections::BTreeSet;

use minijinja::Error;
use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{Span, parse};

pub(crate) use self::kinds::dotted;
use self::kinds::{is_constant, is_number};
use self::pieces::pieces;
use crate::failure::refused;

/// The number of `set` and `with` assignments per file.
const MAX_SETS: usize = 100;

/// The number of slices in one tag, and in all values that one file sets. A slice of a list reads the list it was
/// cut from.
const MAX_TAG_SLICES: usize = 4;
const MAX_SET_SLICES: usize = 20;

/// Checks a template and returns an equivalent text, line by line, for the engine.
///
/// # Errors
/// The engine's syntax errors, and a refusal with the line and the fix.
pub(crate) fn admit(name: &str, source: &str) -> Result<String, Error> {
    let pieces = pieces(name, source)?;
    Reading::of(name, source)?;
    Ok(pieces)
}

/// The outside names that one file uses.
#[derive(Default)]
pub(crate) struct Needs {
    /// Dotted paths such as `data.userId`.
    pub(crate) variables: BTreeSet<String>,
    /// Templates that it includes or extends by a constant name.
    pub(crate) templates: BTreeSet<String>,
}

/// The outside names of a file.
///
/// # Errors
/// As [`admit`].
pub(crate) fn needs(name: &str, source: &str) -> Result<Needs, Error> {
    pieces(name, source)?;
    let Reading { mut needs, own, .. } = Reading::of(name, source)?;
    needs.variables.retain(|variable| !own.contains(variable.split('.').next().unwrap_or(variable)));
    Ok(needs)
}

/// The use of a value. A stored value can be reused many times, so it must not grow before it is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// In the text, a condition or the name of a file: dropped when the tag ends.
    Once,
    /// The sequence of a loop: its items are stored, the sequence is not.
    Loop,
    /// A variable, or an argument of a call.
    Kept,
}

/// One pass over a template.
struct Reading<'s> {
    name: &'s str,
    needs: Needs,
    /// Names that the file itself defines.
    own: BTreeSet<String>,
    sets: usize,
    set_slices: usize,
    tag_slices: usize,
}

impl<'s> Reading<'s> {
    fn of(name: &'s str, source: &'s str) -> Result<Reading<'s>, Error> {
        let tree = parse(source, name, minijinja::syntax::SyntaxConfig::default())?;
        let own = ["loop", "self", "super", "range"].into_iter().map(str::to_owned).collect();
        let mut reading =
            Reading { name, needs: Needs::default(), own, sets: 0, set_slices: 0, tag_slices: 0 };
        reading.statement(&tree)?;
        Ok(reading)
    }

    fn no(&self, span: Span, problem: &str) -> Error {
        refused(self.name, span.start_line.into(), problem.to_owned())
    }

    fn body(&mut self, statements: &[Stmt<'_>]) -> Result<(), Error> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Result<(), Error> {
        match statement {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::EmitExpr(emit_expr) => self.tag(&emit_expr.expr, Use::Once),
            Stmt::ForLoop(for_loop) => {
                self.tag(&for_loop.iter, Use::Loop)?;
                self.names(&for_loop.target);
                for_loop.filter_expr.iter().try_for_each(|expr| self.tag(expr, Use::Once))?;
                self.body(&for_loop.body)?;
                self.body(&for_loop.else_body)
            }
            Stmt::IfCond(if_cond) => {
                self.tag(&if_cond.expr, Use::Once)?;
                self.body(&if_cond.true_body)?;
                self.body(&if_cond.false_body)
            }
            Stmt::WithBlock(with_block) => {
                for (target, value) in &with_block.assignments {
                    self.set(with_block.span(), target)?;
                    self.tag(value, Use::Kept)?;
                }
                self.body(&with_block.body)
            }
            Stmt::Set(set) => {
                self.set(set.span(), &set.target)?;
                self.tag(&set.expr, Use::Kept)
            }
            Stmt::SetBlock(set_block) => {
                self.set(set_block.span(), &set_block.target)?;
                set_block.filter.iter().try_for_each(|filter| self.tag(filter, Use::Kept))?;
                self.body(&set_block.body)
            }
            Stmt::AutoEscape(auto_escape) => {
                self.tag(&auto_escape.enabled, Use::Once)?;
                self.body(&auto_escape.body)
            }
            Stmt::FilterBlock(filter_block) => {
                self.tag(&filter_block.filter, Use::Once)?;
                self.body(&filter_block.body)
            }
            Stmt::Block(block) => self.body(&block.body),
            Stmt::Extends(extends) => self.other(&extends.name),
            Stmt::Include(include) => self.other(&include.name),
            Stmt::Import(import) => Err(self.no(import.span(), "`import` is not supported; use `include`")),
            Stmt::FromImport(from_import) => {
                Err(self.no(from_import.span(), "`import` is not supported; use `include`"))
            }
            Stmt::Do(statement) => {
                Err(self.no(statement.span(), "`do` is not supported; write the value with {{ … }}"))
            }
        }
    }

    fn set(&mut self, span: Span, target: &Expr<'_>) -> Result<(), Error> {
        self.sets += 1;
        self.names(target);
        match self.sets > MAX_SETS {
            true => Err(self.no(span, &format!("a file sets {MAX_SETS} variables at most"))),
            false => Ok(()),
        }
    }

    /// A template reference, by a constant or by an expression.
    fn other(&mut self, name: &Expr<'_>) -> Result<(), Error> {
        if let Expr::Const(constant) = name
            && let Some(name) = constant.value.as_str()
        {
            self.needs.templates.insert(name.to_owned());
        }
        self.tag(name, Use::Once)
    }

    fn names(&mut self, target: &Expr<'_>) {
        if let Expr::Var(var) = target {
            self.own.insert(var.id.to_owned());
        } else if let Expr::List(list) = target {
            list.items.iter().for_each(|item| self.names(item));
        } else if let Expr::Tuple(tuple) = target {
            tuple.items.iter().for_each(|item| self.names(item));
        }
    }

    fn tag(&mut self, expression: &Expr<'_>, to: Use) -> Result<(), Error> {
        self.tag_slices = 0;
        self.expression(expression, to)
    }

    fn each<'e>(&mut self, all: impl IntoIterator<Item = &'e Expr<'e>>, to: Use) -> Result<(), Error> {
        all.into_iter().try_for_each(|expr| self.expression(expr, to))
    }

    fn expression(&mut self, expression: &Expr<'_>, to: Use) -> Result<(), Error> {
        // The items of a loop's sequence are stored.
        let within = if to == Use::Loop { Use::Kept } else { to };
        match expression {
            Expr::Const(_) => Ok(()),
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.path(expression, within),
            Expr::Slice(slice) => {
                self.tag_slices += 1;
                self.set_slices += usize::from(to != Use::Once);
                if self.tag_slices > MAX_TAG_SLICES || self.set_slices > MAX_SET_SLICES {
                    let most = format!(
                        "a tag slices {MAX_TAG_SLICES} times at most, the variables of a file {MAX_SET_SLICES}"
                    );
                    return Err(self.no(slice.span(), &most));
                }
                self.expression(&slice.expr, within)?;
                [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                    .try_for_each(|expr| self.expression(expr, within))
            }
            Expr::UnaryOp(unary_op) => self.expression(&unary_op.expr, within),
            Expr::BinOp(bin_op) => {
                self.operator(bin_op.span(), bin_op.op, &bin_op.left, &bin_op.right)?;
                self.each([&bin_op.left, &bin_op.right], within)
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr, Use::Once)?;
                compare.ops.iter().try_for_each(|op| self.expression(&op.expr, Use::Once))
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr, Use::Once)?;
                self.expression(&choice.true_expr, to)?;
                choice.false_expr.iter().try_for_each(|expr| self.expression(expr, to))
            }
            Expr::Filter(filter) => {
                filter.expr.iter().try_for_each(|expr| self.expression(expr, within))?;
                self.arguments(&filter.args, within)
            }
            Expr::Test(test) => {
                self.expression(&test.expr, Use::Once)?;
                self.arguments(&test.args, Use::Once)
            }
            Expr::Call(call) => {
                self.expression(&call.expr, Use::Once)?;
                self.arguments(&call.args, Use::Kept)
            }
            Expr::List(list) => self.list(list.span(), &list.items, to),
            Expr::Tuple(tuple) => self.list(tuple.span(), &tuple.items, to),
            Expr::Map(map) => {
                self.list(map.span(), &map.keys, within)?;
                self.list(map.span(), &map.values, within)
            }
        }
    }

    fn arguments(&mut self, args: &[CallArg<'_>], to: Use) -> Result<(), Error> {
        args.iter().try_for_each(|arg| match arg {
            CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value) => self.expression(value, to),
        })
    }

    /// A stored list of variables could contain itself twice, and that list again, and so on.
    fn list(&mut self, span: Span, items: &[Expr<'_>], to: Use) -> Result<(), Error> {
        let plain = |expr: &Expr<'_>| matches!(expr, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_));
        let allowed = |expr: &Expr<'_>| match to {
            Use::Once => true,
            Use::Loop => is_constant(expr) || plain(expr),
            Use::Kept => is_constant(expr),
        };
        if !items.iter().all(allowed) {
            let problem = "a stored list holds constants only; use the list in the tag that makes it";
            return Err(self.no(span, problem));
        }
        let to = if to == Use::Loop { Use::Kept } else { to };
        self.each(items, to)
    }

    fn operator(&self, span: Span, op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Result<(), Error> {
        let problem = match op {
            BinOpKind::Concat => "`~` is not supported: write {{ a }}{{ b }}, or [a, b] | join",
            BinOpKind::Add if !is_number(left) && !is_number(right) => {
                "`+` adds numbers, and one side must be seen to be one: (a | float) + b"
            }
            BinOpKind::Mul if !is_number(left) || !is_number(right) => {
                "`*` takes numbers, and both sides must be seen to be one: (a | float) * (b | float)"
            }
            BinOpKind::Add
            | BinOpKind::Mul
            | BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte
            | BinOpKind::ScAnd
            | BinOpKind::ScOr
            | BinOpKind::Sub
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow
            | BinOpKind::In => return Ok(()),
        };
        Err(self.no(span, problem))
    }

    /// `data.user.id` counts as one path. Expressions in brackets or before a call are visited on their own.
    fn path(&mut self, expression: &Expr<'_>, to: Use) -> Result<(), Error> {
        if let Some(path) = dotted(expression) {
            self.needs.variables.insert(path);
            return Ok(());
        }
        if let Expr::GetAttr(get_attr) = expression {
            self.expression(&get_attr.expr, to)
        } else if let Expr::GetItem(get_item) = expression {
            self.each([&get_item.expr, &get_item.subscript_expr], to)
        } else {
            Ok(())
        }
    }
}
