use super::*;
use caller::Person;

#[test]
fn a_member_asks_for_what_is_their_own_and_an_admin_for_everything_of_the_tenant() {
    let of = |user: &str, is_admin| {
        Caller::Person(Person { user: user.into(), tenant: "t".into(), is_admin, rooms: vec![] })
    };
    for route in &ROUTES {
        let asks = |caller: &Caller, whose| may(route.who, caller, Some(whose)).is_ok();
        assert!(
            asks(&Caller::Program("arn".into()), "ann") && asks(&of("ben", true), "ann"),
            "{}",
            route.path
        );
        let is_own = route.path.starts_with("/v1/recipients/{id}")
            && !["PUT /v1/recipients/{id}", "DELETE /v1/recipients/{id}"]
                .contains(&format!("{} {}", route.method, route.path).as_str());
        let for_all = ["GET /v1/tenants/{tenant}", "POST /v1/tickets"];
        let for_all = for_all.contains(&format!("{} {}", route.method, route.path).as_str());
        assert_eq!(asks(&of("ann", false), "ann"), is_own || for_all, "{} {}", route.method, route.path);
        assert_eq!(asks(&of("ben", false), "ann"), for_all, "{} {}", route.method, route.path);
    }
}
