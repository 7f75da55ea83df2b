//! What a template may say. The engine runs an operator without asking anybody, so those that make much out of little
//! are refused before it sees them, and text is cut into pieces that one step may write.

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

/// `set` and `with` of one file.
const MAX_SETS: usize = 100;

/// Slices in one tag, and in all values that one file sets: a slice of a list reads the list it was cut from.
const MAX_TAG_SLICES: usize = 4;
const MAX_SET_SLICES: usize = 20;

/// Lets a template in, or says what is wrong with it. What comes back means the same, line by line.
///
/// # Errors
/// What the engine says about syntax, and a refusal with the line and what to write instead.
pub(crate) fn admit(name: &str, source: &str) -> Result<String, Error> {
    let pieces = pieces(name, source)?;
    Reading::of(name, source)?;
    Ok(pieces)
}

/// What one file takes from outside itself.
#[derive(Default)]
pub(crate) struct Needs {
    /// Dotted paths such as `data.userId`.
    pub(crate) variables: BTreeSet<String>,
    /// Templates that it includes or extends by a plain name.
    pub(crate) templates: BTreeSet<String>,
}

/// # Errors
/// As [`admit`].
pub(crate) fn needs(name: &str, source: &str) -> Result<Needs, Error> {
    pieces(name, source)?;
    let Reading { mut needs, own, .. } = Reading::of(name, source)?;
    needs.variables.retain(|variable| !own.contains(variable.split('.').next().unwrap_or(variable)));
    Ok(needs)
}

/// Where a value goes. What is kept can be used again and again, so nothing may grow on its way there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Into the text, a condition, the name of a file: gone when the tag ends.
    Once,
    /// What a loop goes over: its items are kept, itself it is not.
    Loop,
    /// A variable, or an argument of a call.
    Kept,
}

/// One pass over a template.
struct Reading<'s> {
    name: &'s str,
    needs: Needs,
    /// Names that the file itself gives.
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
            Stmt::ForLoop(it) => {
                self.tag(&it.iter, Use::Loop)?;
                self.names(&it.target);
                it.filter_expr.iter().try_for_each(|it| self.tag(it, Use::Once))?;
                self.body(&it.body)?;
                self.body(&it.else_body)
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
            Stmt::SetBlock(it) => {
                self.set(it.span(), &it.target)?;
                it.filter.iter().try_for_each(|it| self.tag(it, Use::Kept))?;
                self.body(&it.body)
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
            Stmt::Import(import) => Err(self.no(import.span(), "there is nothing to import; include it")),
            Stmt::FromImport(from_import) => {
                Err(self.no(from_import.span(), "there is nothing to import; include it"))
            }
            Stmt::Do(it) => Err(self.no(it.span(), "a template does nothing, it only says")),
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

    /// A template that is named, plainly or by a calculation.
    fn other(&mut self, name: &Expr<'_>) -> Result<(), Error> {
        if let Expr::Const(it) = name
            && let Some(name) = it.value.as_str()
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
        all.into_iter().try_for_each(|it| self.expression(it, to))
    }

    fn expression(&mut self, expression: &Expr<'_>, to: Use) -> Result<(), Error> {
        // Items of what a loop goes over are kept.
        let within = if to == Use::Loop { Use::Kept } else { to };
        match expression {
            Expr::Const(_) => Ok(()),
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.path(expression, within),
            Expr::Slice(it) => {
                self.tag_slices += 1;
                self.set_slices += usize::from(to != Use::Once);
                if self.tag_slices > MAX_TAG_SLICES || self.set_slices > MAX_SET_SLICES {
                    let most = format!(
                        "a tag slices {MAX_TAG_SLICES} times at most, the variables of a file {MAX_SET_SLICES}"
                    );
                    return Err(self.no(it.span(), &most));
                }
                self.expression(&it.expr, within)?;
                [&it.start, &it.stop, &it.step]
                    .into_iter()
                    .flatten()
                    .try_for_each(|it| self.expression(it, within))
            }
            Expr::UnaryOp(unary_op) => self.expression(&unary_op.expr, within),
            Expr::BinOp(bin_op) => {
                self.operator(bin_op.span(), bin_op.op, &bin_op.left, &bin_op.right)?;
                self.each([&bin_op.left, &bin_op.right], within)
            }
            Expr::Compare(it) => {
                self.expression(&it.expr, Use::Once)?;
                it.ops.iter().try_for_each(|it| self.expression(&it.expr, Use::Once))
            }
            Expr::IfExpr(it) => {
                self.expression(&it.test_expr, Use::Once)?;
                self.expression(&it.true_expr, to)?;
                it.false_expr.iter().try_for_each(|it| self.expression(it, to))
            }
            Expr::Filter(it) => {
                it.expr.iter().try_for_each(|it| self.expression(it, within))?;
                self.arguments(&it.args, within)
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
        args.iter().try_for_each(|it| match it {
            CallArg::Pos(it) | CallArg::Kwarg(_, it) | CallArg::PosSplat(it) | CallArg::KwargSplat(it) => {
                self.expression(it, to)
            }
        })
    }

    /// A list of variables that is kept could hold itself twice, and that list again, and so on.
    fn list(&mut self, span: Span, items: &[Expr<'_>], to: Use) -> Result<(), Error> {
        let plain = |expr: &Expr<'_>| matches!(expr, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_));
        let allowed = |expr: &Expr<'_>| match to {
            Use::Once => true,
            Use::Loop => is_constant(expr) || plain(expr),
            Use::Kept => is_constant(expr),
        };
        if !items.iter().all(allowed) {
            let problem = "a list that is kept holds words and numbers only; use it where it is made";
            return Err(self.no(span, problem));
        }
        let to = if to == Use::Loop { Use::Kept } else { to };
        self.each(items, to)
    }

    fn operator(&self, span: Span, op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Result<(), Error> {
        let problem = match op {
            BinOpKind::Concat => "`~` is not known here: write {{ a }}{{ b }}, or [a, b] | join",
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

    /// `data.user.id` is noted as a whole; what stands in brackets or before a call is read on its own.
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
