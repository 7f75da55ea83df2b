//! What can be said of an expression without running it.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};

/// `data.user.id`, also where it is written `data["user"].id`.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other expression is none")]
pub(crate) fn dotted(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Var(it) => Some(it.id.to_owned()),
        Expr::GetAttr(it) => Some(format!("{}.{}", dotted(&it.expr)?, it.name)),
        Expr::GetItem(it) => match &it.subscript_expr {
            Expr::Const(key) => Some(format!("{}.{}", dotted(&it.expr)?, key.value.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether it is written out in the template.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other expression is none")]
pub(super) fn is_constant(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(_) => true,
        Expr::UnaryOp(it) => is_constant(&it.expr),
        Expr::List(it) => it.items.iter().all(is_constant),
        Expr::Tuple(it) => it.items.iter().all(is_constant),
        Expr::Map(it) => it.keys.iter().chain(&it.values).all(is_constant),
        _ => false,
    }
}

fn is_number_given(argument: &CallArg<'_>) -> bool {
    match argument {
        CallArg::Pos(it) | CallArg::Kwarg(_, it) => is_number(it),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => false,
    }
}

/// Whether nothing but a number can come out: not a text, which `*` would repeat.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other expression may be a text")]
pub(super) fn is_number(expression: &Expr<'_>) -> bool {
    const NUMBERS: [&str; 6] = ["abs", "count", "float", "int", "length", "round"];
    match expression {
        Expr::Const(it) => it.value.is_number(),
        Expr::UnaryOp(it) => is_number(&it.expr),
        // `int` and `float` give back their argument when there is no number.
        Expr::Filter(it) => NUMBERS.contains(&it.name) && it.args.iter().all(is_number_given),
        Expr::IfExpr(it) => is_number(&it.true_expr) && it.false_expr.as_ref().is_some_and(is_number),
        Expr::BinOp(it) => match it.op {
            BinOpKind::Sub | BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Rem | BinOpKind::Pow => true,
            BinOpKind::Add | BinOpKind::Mul => true, // looked at when it is reached
            _ => false,
        },
        _ => false,
    }
}
