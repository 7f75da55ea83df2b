//! Traversal of a template: every branch, from the outside inward.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr, Filter, Stmt};

/// A part of a template.
pub(super) enum Node<'t> {
    /// An expression.
    Expression(&'t Expr<'t>),
    /// A filter over a whole block.
    Filter(&'t Filter<'t>, Span),
    /// A name that is assigned.
    Target(&'t Expr<'t>),
}

/// Visits every part below a statement.
pub(super) fn walk<'t>(statement: &'t Stmt<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    match statement {
        Stmt::Template(template) => all(&template.children, visit),
        Stmt::EmitRaw(_) => {}
        Stmt::EmitExpr(emit_expr) => expression(&emit_expr.expr, visit),
        Stmt::ForLoop(for_loop) => {
            target(&for_loop.target, visit);
            expression(&for_loop.iter, visit);
            for_loop.filter_expr.iter().for_each(|expr| expression(expr, visit));
            all(&for_loop.body, visit);
            all(&for_loop.else_body, visit);
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
        Stmt::SetBlock(set_block) => {
            target(&set_block.target, visit);
            set_block.filter.iter().for_each(|filter| filters(filter, visit));
            all(&set_block.body, visit);
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

/// Visits the filters over a block. The innermost one has no expression.
fn filters<'t>(filter: &'t Expr<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    let Expr::Filter(inner_filter) = filter else { return expression(filter, visit) };
    match &inner_filter.expr {
        Some(inner) => {
            visit(Node::Expression(filter));
            filters(inner, visit);
        }
        None => visit(Node::Filter(inner_filter, inner_filter.span())),
    }
    arguments(&inner_filter.args, visit);
}

fn arguments<'t>(args: &'t [CallArg<'t>], visit: &mut dyn FnMut(Node<'t>)) {
    for arg in args {
        match arg {
            CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value) => {
                expression(value, visit);
            }
        }
    }
}

fn expression<'t>(expr: &'t Expr<'t>, visit: &mut dyn FnMut(Node<'t>)) {
    visit(Node::Expression(expr));
    match expr {
        Expr::Const(_) | Expr::Var(_) => {}
        Expr::GetAttr(get_attr) => expression(&get_attr.expr, visit),
        Expr::GetItem(get_item) => {
            expression(&get_item.expr, visit);
            expression(&get_item.subscript_expr, visit);
        }
        Expr::Slice(slice) => {
            expression(&slice.expr, visit);
            [&slice.start, &slice.stop, &slice.step]
                .into_iter()
                .flatten()
                .for_each(|expr| expression(expr, visit));
        }
        Expr::UnaryOp(unary_op) => expression(&unary_op.expr, visit),
        Expr::BinOp(bin_op) => {
            expression(&bin_op.left, visit);
            expression(&bin_op.right, visit);
        }
        Expr::Compare(compare) => {
            expression(&compare.expr, visit);
            compare.ops.iter().for_each(|op| expression(&op.expr, visit));
        }
        Expr::IfExpr(choice) => {
            expression(&choice.test_expr, visit);
            expression(&choice.true_expr, visit);
            choice.false_expr.iter().for_each(|expr| expression(expr, visit));
        }
        Expr::Filter(filter) => {
            filter.expr.iter().for_each(|expr| expression(expr, visit));
            arguments(&filter.args, visit);
        }
        Expr::Test(test) => {
            expression(&test.expr, visit);
            arguments(&test.args, visit);
        }
        Expr::Call(call) => {
            // The name of a function is not a variable.
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
