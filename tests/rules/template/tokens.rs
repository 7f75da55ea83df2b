//! Token settings of the template.

use super::{resources, root};

#[test]
fn token_lifetime_is_bounded_by_default_and_the_api_knows_the_bounds() {
    let function = resources()["ApiFunction"].to_string();
    for (variable, parameter) in [("TOKEN_LIFETIME_SECONDS", "TokenLifetime"), ("TOKEN_USE", "TokenUse")] {
        assert!(function.contains(&format!("\"{variable}\":{{\"Ref\":\"{parameter}\"}}")), "{variable}");
    }
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let parameter = template.split("  TokenLifetime:\n").nth(1).unwrap();
    let parameter = parameter.split("\n  Token").next().unwrap();
    assert!(parameter.contains("Default: 86400") && parameter.contains("MinValue: 60"), "{parameter}");
}
