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
        Stmt::Template(template) => all(&template.children, visit),
        Stmt::EmitRaw(_) => {}
        Stmt::EmitExpr(emit_expr) => expression(&emit_expr.expr, visit),
        Stmt::ForLoop(it) => {
            target(&it.target, visit);
            expression(&it.iter, visit);
            it.filter_expr.iter().for_each(|it| expression(it, visit));
            all(&it.body, visit);
            all(&it.else_body, visit);
        }
        Stmt::IfCond(if_cond) => {
            expression(&if_cond.expr, visit);
            all(&if_cond.true_body, visit);
            all(&if_cond.false_body, visit);
        }
        Stmt::WithBlock(with_block) => {
            for (name, value) in &with_block.assignments {
                target(name, visit);
                expression(value, visit);
            }
            all(&with_block.body, visit);
        }
        Stmt::Set(set) => {
            target(&set.target, visit);
            expression(&set.expr, visit);
        }
        Stmt::SetBlock(it) => {
            target(&it.target, visit);
            it.filter.iter().for_each(|it| filters(it, visit));
            all(&it.body, visit);
        }
        Stmt::AutoEscape(auto_escape) => {
            expression(&auto_escape.enabled, visit);
            all(&auto_escape.body, visit);
        }
        Stmt::FilterBlock(filter_block) => {
            filters(&filter_block.filter, visit);
            all(&filter_block.body, visit);
        }
        Stmt::Block(block) => all(&block.body, visit),
        Stmt::Extends(extends) => expression(&extends.name, visit),
        Stmt::Include(include) => expression(&include.name, visit),
        // The grammar refuses these.
        Stmt::Import(_) | Stmt::FromImport(_) | Stmt::Do(_) => {}
    }
}

fn all<'t>(statements: &'t [Stmt<'t>], visit: &mut dyn FnMut(Node<'t>)) {
    statements.iter().for_each(|statement| walk(statement, visit));
}

fn target<'t>(name: &'t Expr<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    if let Expr::List(list) = name {
        list.items.iter().for_each(|item| target(item, visit));
    } else if let Expr::Tuple(tuple) = name {
        tuple.items.iter().for_each(|item| target(item, visit));
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
        Expr::GetAttr(get_attr) => expression(&get_attr.expr, visit),
        Expr::GetItem(get_item) => {
            expression(&get_item.expr, visit);
            expression(&get_item.subscript_expr, visit);
        }
        Expr::Slice(it) => {
            expression(&it.expr, visit);
            [&it.start, &it.stop, &it.step].into_iter().flatten().for_each(|it| expression(it, visit));
        }
        Expr::UnaryOp(unary_op) => expression(&unary_op.expr, visit),
        Expr::BinOp(bin_op) => {
            expression(&bin_op.left, visit);
            expression(&bin_op.right, visit);
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
        Expr::Test(test) => {
            expression(&test.expr, visit);
            arguments(&test.args, visit);
        }
        Expr::Call(call) => {
            // The name of a function is no variable.
            if let Expr::GetAttr(method) = &call.expr {
                expression(&method.expr, visit);
            } else if !matches!(&call.expr, Expr::Var(_)) {
                expression(&call.expr, visit);
            }
            arguments(&call.args, visit);
        }
        Expr::List(list) => list.items.iter().for_each(|item| expression(item, visit)),
        Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| expression(item, visit)),
        Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|key| expression(key, visit)),
    }
}
