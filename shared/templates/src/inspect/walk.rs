//! The parts of a template, every branch of it, from the outside inward.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr, Filter, Stmt};

/// A part of a template.
pub(super) enum Node<'t> {
    /// A value that is calculated.
    Expression(&'t Expr<'t>),
    /// A filter over a whole block.
    Filter(&'t Filter<'t>, Span),
    /// A name that is given to a value.
    Target(&'t Expr<'t>),
}

/// Visits every part below a statement.
pub(super) fn walk<'t>(statement: &'t Stmt<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    match statement {
        Stmt::Template(it) => all(&it.children, visit),
        Stmt::EmitRaw(_) => {}
        Stmt::EmitExpr(it) => expression(&it.expr, visit),
        Stmt::ForLoop(it) => {
            target(&it.target, visit);
            expression(&it.iter, visit);
            it.filter_expr.iter().for_each(|it| expression(it, visit));
            all(&it.body, visit);
            all(&it.else_body, visit);
        }
        Stmt::IfCond(it) => {
            expression(&it.expr, visit);
            all(&it.true_body, visit);
            all(&it.false_body, visit);
        }
        Stmt::WithBlock(it) => {
            for (name, value) in &it.assignments {
                target(name, visit);
                expression(value, visit);
            }
            all(&it.body, visit);
        }
        Stmt::Set(it) => {
            target(&it.target, visit);
            expression(&it.expr, visit);
        }
        Stmt::SetBlock(it) => {
            target(&it.target, visit);
            it.filter.iter().for_each(|it| filters(it, visit));
            all(&it.body, visit);
        }
        Stmt::AutoEscape(it) => {
            expression(&it.enabled, visit);
            all(&it.body, visit);
        }
        Stmt::FilterBlock(it) => {
            filters(&it.filter, visit);
            all(&it.body, visit);
        }
        Stmt::Block(it) => all(&it.body, visit),
        Stmt::Extends(it) => expression(&it.name, visit),
        Stmt::Include(it) => expression(&it.name, visit),
        // The grammar refuses these.
        Stmt::Import(_) | Stmt::FromImport(_) | Stmt::Do(_) => {}
    }
}

fn all<'t>(statements: &'t [Stmt<'t>], visit: &mut dyn FnMut(Node<'t>)) {
    statements.iter().for_each(|it| walk(it, visit));
}

fn target<'t>(name: &'t Expr<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    if let Expr::List(it) = name {
        it.items.iter().for_each(|it| target(it, visit));
    } else if let Expr::Tuple(it) = name {
        it.items.iter().for_each(|it| target(it, visit));
    } else {
        visit(Node::Target(name));
    }
}

/// The filters over a block: the innermost one has no expression.
fn filters<'t>(filter: &'t Expr<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    let Expr::Filter(it) = filter else { return expression(filter, visit) };
    match &it.expr {
        Some(inner) => {
            visit(Node::Expression(filter));
            filters(inner, visit);
        }
        None => visit(Node::Filter(it, it.span())),
    }
    arguments(&it.args, visit);
}

fn arguments<'t>(args: &'t [CallArg<'t>], visit: &mut dyn FnMut(Node<'t>)) {
    for arg in args {
        match arg {
            CallArg::Pos(it) | CallArg::Kwarg(_, it) | CallArg::PosSplat(it) | CallArg::KwargSplat(it) => {
                expression(it, visit);
            }
        }
    }
}

fn expression<'t>(it: &'t Expr<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    visit(Node::Expression(it));
    match it {
        Expr::Const(_) | Expr::Var(_) => {}
        Expr::GetAttr(it) => expression(&it.expr, visit),
        Expr::GetItem(it) => {
            expression(&it.expr, visit);
            expression(&it.subscript_expr, visit);
        }
        Expr::Slice(it) => {
            expression(&it.expr, visit);
            [&it.start, &it.stop, &it.step].into_iter().flatten().for_each(|it| expression(it, visit));
        }
        Expr::UnaryOp(it) => expression(&it.expr, visit),
        Expr::BinOp(it) => {
            expression(&it.left, visit);
            expression(&it.right, visit);
        }
        Expr::Compare(it) => {
            expression(&it.expr, visit);
            it.ops.iter().for_each(|it| expression(&it.expr, visit));
        }
        Expr::IfExpr(it) => {
            expression(&it.test_expr, visit);
            expression(&it.true_expr, visit);
            it.false_expr.iter().for_each(|it| expression(it, visit));
        }
        Expr::Filter(it) => {
            it.expr.iter().for_each(|it| expression(it, visit));
            arguments(&it.args, visit);
        }
        Expr::Test(it) => {
            expression(&it.expr, visit);
            arguments(&it.args, visit);
        }
        Expr::Call(it) => {
            // The name of a function is no variable.
            if let Expr::GetAttr(method) = &it.expr {
                expression(&method.expr, visit);
            } else if !matches!(&it.expr, Expr::Var(_)) {
                expression(&it.expr, visit);
            }
            arguments(&it.args, visit);
        }
        Expr::List(it) => it.items.iter().for_each(|it| expression(it, visit)),
        Expr::Tuple(it) => it.items.iter().for_each(|it| expression(it, visit)),
        Expr::Map(it) => it.keys.iter().chain(&it.values).for_each(|it| expression(it, visit)),
    }
}
