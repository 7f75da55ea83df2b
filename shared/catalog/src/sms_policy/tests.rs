use serde_json::json;

use crate::policy;

const PRICES: &str = "sms: { prices: { currency: USD, default: 0.10 } }\n";

#[test]
fn sms_settings_are_read() {
    let yaml = "sms:\n  countries: [\"+1\", \"+44\"]\n  senders: { tenants: { clinic-7: Clinic } }\n  \
        prices: { currency: USD, default: 0.1, \"+1\": 0.00645 }\n\
        spend: { sms: { per: tenant, most: 20.00, currency: USD, period: day, except: [security] } }\n";
    let (found, problems) = read(yaml);
    assert_eq!(problems, [""; 0]);
    let expected = json!({
        "countries": ["+1", "+44"],
        "senders": { "tenants": { "clinic-7": "Clinic" } },
        "prices": { "currency": "USD", "default": 100_000, "by_prefix": { "+1": 6_450 } },
        "budget": {
            "limit": { "name": "spend-sms", "most": 20_000_000, "period": { "calendar": "day" }, "blocks": true },
            "per": "tenant", "except": ["security"],
        },
    });
    assert_eq!(found, expected);
}

#[test]
fn country_is_a_number_prefix() {
    let fix = "write `+` and 1 to 7 digits in quotes, such as \"+44\"";
    check("sms: { countries: ['44'] }", &[&format!("1:20: `44` is no beginning of a number; {fix}")]);
    check("sms: { countries: ['+0'] }", &[&format!("1:20: `+0` is no beginning of a number; {fix}")]);
    check("sms: { countries: ['+44', '+44'] }", &["1:27: `+44` stands here twice; take one out"]);
    check(
        "sms: { countries: [] }",
        &["1:19: the list of countries is empty, so no SMS can be sent; name a country, or take the key out"],
    );
}

#[test]
fn sender_id_must_be_valid() {
    let fix = "write 1 to 11 letters and digits, and not digits alone: phones show no more";
    for name in ["Clinic am Westend", "'12345'", "Überall", "'-a'"] {
        let shown = name.trim_matches('\'');
        let yaml = format!("sms: {{ senders: {{ tenants: {{ a: {name} }} }} }}");
        check(&yaml, &[&format!("1:33: `{shown}` is no sender; {fix}")]);
    }
}

#[test]
fn budget_needs_prices_in_its_currency() {
    let budget = "spend: { sms: { per: tenant, most: 5, currency: EUR, period: day } }";
    check(budget, &["1:15: SMS have no prices, so no spend can be counted; write `sms: { prices: … }`"]);
    check(
        &format!("{PRICES}{budget}"),
        &[
            "2:49: the budget is in EUR, and the prices are in USD; write both in the currency that you are billed in",
        ],
    );
    check(
        &format!("{PRICES}spend: {{ email: {{}} }}"),
        &["2:10: `email` has no prices, so nothing can be counted; only `sms` can have a budget"],
    );
}

#[test]
fn money_has_up_to_six_decimals() {
    let fix = "write an amount with six decimals at most, such as 20.00 or 0.00645";
    for amount in ["-1", "0.0000001", "much", "1e-9"] {
        let yaml = format!("sms: {{ prices: {{ currency: USD, default: {amount} }} }}");
        let (_, problems) = read(&yaml);
        assert!(problems.len() == 1 && problems[0].ends_with(fix), "{amount}: {problems:?}");
    }
    let free = format!("{PRICES}spend: {{ sms: {{ per: tenant, most: 0, currency: USD, period: day }} }}");
    check(&free, &["2:36: `0.00` lets no text through, or all of them; write an amount such as 20.00"]);
}

#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    assert_eq!(read(yaml).1, expected, "{yaml}");
}

fn read(yaml: &str) -> (serde_json::Value, Vec<String>) {
    let mut problems = Vec::new();
    let draft = policy::read(Some(yaml), &mut problems);
    let message = problems
        .iter()
        .map(|problem| problem.to_string().trim_start_matches("policy.yaml:").to_owned())
        .collect();
    (serde_json::to_value(draft.policy.texting).unwrap(), message)
}
