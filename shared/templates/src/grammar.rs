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
    needs.variables.retain(|it| !own.contains(it.split('.').next().unwrap_or(it)));
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
        statements.iter().try_for_each(|it| self.statement(it))
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Result<(), Error> {
        match statement {
            Stmt::Template(it) => self.body(&it.children),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::EmitExpr(it) => self.tag(&it.expr, Use::Once),
            Stmt::ForLoop(it) => {
                self.tag(&it.iter, Use::Loop)?;
                self.names(&it.target);
                it.filter_expr.iter().try_for_each(|it| self.tag(it, Use::Once))?;
                self.body(&it.body)?;
                self.body(&it.else_body)
            }
            Stmt::IfCond(it) => {
                self.tag(&it.expr, Use::Once)?;
                self.body(&it.true_body)?;
                self.body(&it.false_body)
            }
            Stmt::WithBlock(it) => {
                for (target, value) in &it.assignments {
                    self.set(it.span(), target)?;
                    self.tag(value, Use::Kept)?;
                }
                self.body(&it.body)
            }
            Stmt::Set(it) => {
                self.set(it.span(), &it.target)?;
                self.tag(&it.expr, Use::Kept)
            }
            Stmt::SetBlock(it) => {
                self.set(it.span(), &it.target)?;
                it.filter.iter().try_for_each(|it| self.tag(it, Use::Kept))?;
                self.body(&it.body)
            }
            Stmt::AutoEscape(it) => {
                self.tag(&it.enabled, Use::Once)?;
                self.body(&it.body)
            }
            Stmt::FilterBlock(it) => {
                self.tag(&it.filter, Use::Once)?;
                self.body(&it.body)
            }
            Stmt::Block(it) => self.body(&it.body),
            Stmt::Extends(it) => self.other(&it.name),
            Stmt::Include(it) => self.other(&it.name),
            Stmt::Import(it) => Err(self.no(it.span(), "there is nothing to import; include it")),
            Stmt::FromImport(it) => Err(self.no(it.span(), "there is nothing to import; include it")),
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
        if let Expr::Var(it) = target {
            self.own.insert(it.id.to_owned());
        } else if let Expr::List(it) = target {
            it.items.iter().for_each(|it| self.names(it));
        } else if let Expr::Tuple(it) = target {
            it.items.iter().for_each(|it| self.names(it));
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
            Expr::UnaryOp(it) => self.expression(&it.expr, within),
            Expr::BinOp(it) => {
                self.operator(it.span(), it.op, &it.left, &it.right)?;
                self.each([&it.left, &it.right], within)
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
            Expr::Test(it) => {
                self.expression(&it.expr, Use::Once)?;
                self.arguments(&it.args, Use::Once)
            }
            Expr::Call(it) => {
                self.expression(&it.expr, Use::Once)?;
                self.arguments(&it.args, Use::Kept)
            }
            Expr::List(it) => self.list(it.span(), &it.items, to),
            Expr::Tuple(it) => self.list(it.span(), &it.items, to),
            Expr::Map(it) => {
                self.list(it.span(), &it.keys, within)?;
                self.list(it.span(), &it.values, within)
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
        let plain = |it: &Expr<'_>| matches!(it, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_));
        let allowed = |it: &Expr<'_>| match to {
            Use::Once => true,
            Use::Loop => is_constant(it) || plain(it),
            Use::Kept => is_constant(it),
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
        if let Expr::GetAttr(it) = expression {
            self.expression(&it.expr, to)
        } else if let Expr::GetItem(it) = expression {
            self.each([&it.expr, &it.subscript_expr], to)
        } else {
            Ok(())
        }
    }
}
