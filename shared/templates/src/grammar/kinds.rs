//! Properties of expressions that are known without evaluation.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};

/// The dotted path of an expression: `data.user.id`, also for `data["user"].id`.
#[expect(clippy::wildcard_enum_match_arm, reason = "other expressions do not match")]
pub(crate) fn dotted(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Var(var) => Some(var.id.to_owned()),
        Expr::GetAttr(get_attr) => Some(format!("{}.{}", dotted(&get_attr.expr)?, get_attr.name)),
        Expr::GetItem(get_item) => match &get_item.subscript_expr {
            Expr::Const(key) => Some(format!("{}.{}", dotted(&get_item.expr)?, key.value.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the expression is a constant.
#[expect(clippy::wildcard_enum_match_arm, reason = "other expressions do not match")]
pub(super) fn is_constant(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(_) => true,
        Expr::UnaryOp(unary_op) => is_constant(&unary_op.expr),
        Expr::List(list) => list.items.iter().all(is_constant),
        Expr::Tuple(tuple) => tuple.items.iter().all(is_constant),
        Expr::Map(map) => map.keys.iter().chain(&map.values).all(is_constant),
        _ => false,
    }
}

fn is_number_given(argument: &CallArg<'_>) -> bool {
    match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) => is_number(value),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => false,
    }
}

/// Whether the expression can only be a number. Text is excluded because `*` would repeat it.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other expression may be a text")]
pub(super) fn is_number(expression: &Expr<'_>) -> bool {
    const NUMBERS: [&str; 6] = ["abs", "count", "float", "int", "length", "round"];
    match expression {
        Expr::Const(constant) => constant.value.is_number(),
        Expr::UnaryOp(unary_op) => is_number(&unary_op.expr),
        // `int` and `float` return their argument if there is no number.
        Expr::Filter(filter) => NUMBERS.contains(&filter.name) && filter.args.iter().all(is_number_given),
        Expr::IfExpr(if_expr) => {
            is_number(&if_expr.true_expr) && if_expr.false_expr.as_ref().is_some_and(is_number)
        }
        Expr::BinOp(bin_op) => match bin_op.op {
            BinOpKind::Sub | BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Rem | BinOpKind::Pow => true,
            BinOpKind::Add | BinOpKind::Mul => true, // checked when the operator is visited
            _ => false,
        },
        _ => false,
    }
}
