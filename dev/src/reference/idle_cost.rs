//! `idle-cost.md`, from `infra/template.yaml` and a table of prices.

use std::fmt::Write as _;

use serde_json::Value;

use super::markdown::text;
use super::template::of_type;

/// Minutes of a month with 730 hours.
const MINUTES: f64 = 730.0 * 60.0;

/// Custom metrics that the sweep writes in every run.
/// Source: `functions/sweep/src/metrics.rs`.
pub(super) const SWEEP_METRICS: usize = 5;

/// Bytes that one run of a scheduled function logs: its own line, the platform's lines and, of the sweep, the metrics.
const LOG_BYTES_OF_A_RUN: f64 = 1_000.0;

/// The billed duration of such a run, in seconds.
const SECONDS_OF_A_RUN: f64 = 0.1;

/// List price of a unit in us-east-1, in US dollars, and the part that is free for a whole account.
struct Price {
    per_unit: f64,
    free_units: f64,
    unit: &'static str,
    source: &'static str,
}

const fn price(per_unit: f64, free_units: f64, unit: &'static str, source: &'static str) -> Price {
    Price { per_unit, free_units, unit, source }
}

/// The date of the prices.
const ENTERED_ON: &str = "2026-11-30";

const SQS: Price = price(0.40e-6, 1e6, "request", "https://aws.amazon.com/sqs/pricing/");
const ALARM: Price = price(0.10, 10.0, "alarm", "https://aws.amazon.com/cloudwatch/pricing/");
const METRIC: Price = price(0.30, 10.0, "custom metric", "https://aws.amazon.com/cloudwatch/pricing/");
const LOGS: Price = price(0.50, 5.0, "GB of logs", "https://aws.amazon.com/cloudwatch/pricing/");
const KEY: Price = price(1.00, 0.0, "KMS key", "https://aws.amazon.com/kms/pricing/");
const SIGNATURE: Price = price(0.15e-4, 0.0, "signature", "https://aws.amazon.com/kms/pricing/");
const SECRET: Price = price(0.40, 0.0, "secret", "https://aws.amazon.com/secrets-manager/pricing/");
const SCHEDULE: Price = price(1.00e-6, 14e6, "invocation", "https://aws.amazon.com/eventbridge/pricing/");
const LAMBDA: Price = price(0.20e-6, 1e6, "request", "https://aws.amazon.com/lambda/pricing/");
const COMPUTE: Price =
    price(13.3334e-6, 400_000.0, "GB-second (arm64)", "https://aws.amazon.com/lambda/pricing/");
const READ: Price = price(0.125e-6, 0.0, "read unit", "https://aws.amazon.com/dynamodb/pricing/on-demand/");
const LIST: Price = price(5e-6, 0.0, "list request", "https://aws.amazon.com/s3/pricing/");

/// A position of the bill.
struct Item {
    name: &'static str,
    calculation: String,
    units: f64,
    price: &'static Price,
}

impl Item {
    fn list_price(&self) -> f64 {
        self.units * self.price.per_unit
    }

    fn after_free_part(&self) -> f64 {
        (self.units - self.price.free_units).max(0.0) * self.price.per_unit
    }
}

/// The page.
pub(super) fn page(template: &Value) -> String {
    let items = items(template);
    let (list, free) = sums(&items);
    let mut page = format!(
        "# Idle cost\n\nA stack without events costs about ${free:.0} a month in an account of its own, and ${list:.0} in an account that uses up\nthe free parts. The numbers of units come from `infra/template.yaml` with the defaults of its\n[parameters](parameters.md). Stored data comes on top. A month has 730 hours.\n\n| item | calculation | list price a month | after the account's free part |\n|---|---|---|---|\n"
    );
    for item in &items {
        let (list, free) = (item.list_price(), item.after_free_part());
        let _ = writeln!(page, "| {} | {} | ${list:.2} | ${free:.2} |", item.name, item.calculation);
    }
    let _ = writeln!(page, "| **sum** | | **${list:.2}** | **${free:.2}** |\n");
    let _ = writeln!(
        page,
        "The first two yearly rotations of a KMS key add $1 a month each. The template has no dashboard. With a customer key\nthere are one more queue, one more alarm, and requests to KMS.\n\n## Prices\n\nThese are list prices of us-east-1, entered on {ENTERED_ON}. Compare them with the source before you plan a budget.\n\n| unit | price in US dollars | free for an account, a month | source |\n|---|---|---|---|"
    );
    for item in &items {
        let Price { per_unit, free_units, unit, source } = item.price;
        let (per, size) = if *per_unit < 0.01 { (per_unit * 1e6, "1,000,000 × ") } else { (*per_unit, "") };
        let _ = writeln!(page, "| {size}{unit} | {per:.3} | {} | <{source}> |", thousands(*free_units));
    }
    page
}

/// The sum of list prices, and the sum after the free parts.
fn sums(items: &[Item]) -> (f64, f64) {
    (items.iter().map(Item::list_price).sum(), items.iter().map(Item::after_free_part).sum())
}

/// The cost after the free parts, as README and the deployment page round it.
pub(super) fn rounded(template: &Value) -> String {
    format!("${:.0}", sums(&items(template)).1)
}

fn items(template: &Value) -> Vec<Item> {
    let always = |kind: &str| {
        let all = of_type(template, kind);
        // Alarms for the local cloud do not exist, and those for a customer key need one.
        all.into_iter()
            .filter(|(_, resource)| matches!(text(&resource["Condition"]), "" | "OnAws" | "MakesKey"))
            .count()
    };
    let queues = polled_queues(template);
    let polls = exact(queues) * 5.0 * 3.0 * MINUTES;
    let (alarms, keys, secrets) =
        (always("AWS::CloudWatch::Alarm"), always("AWS::KMS::Key"), always("AWS::SecretsManager::Secret"));
    let runs: f64 =
        of_type(template, "AWS::Scheduler::Schedule").iter().map(|(_, schedule)| runs(schedule)).sum();
    let memory = template["Globals"]["Function"]["MemorySize"].as_f64().unwrap_or_default() / 1024.0;
    let counted = |name, number: usize, price| Item {
        name,
        calculation: number.to_string(),
        units: exact(number),
        price,
    };
    let per_run = |name, calculation: String, units, price| Item { name, calculation, units, price };
    vec![
        per_run(
            "polls of queues by Lambda",
            format!("{queues} queues × 5 pollers × 3 a minute"),
            polls,
            &SQS,
        ),
        counted("CloudWatch alarms", alarms, &ALARM),
        counted("custom metrics of `sweep`", SWEEP_METRICS, &METRIC),
        counted("KMS keys", keys, &KEY),
        counted("secrets", secrets, &SECRET),
        per_run("runs of schedules", format!("{} runs", thousands(runs)), runs, &SCHEDULE),
        per_run("requests of these runs", format!("{} runs", thousands(runs)), runs, &LAMBDA),
        per_run(
            "duration of these runs",
            format!("0.1 s × {memory} GB each"),
            runs * SECONDS_OF_A_RUN * memory,
            &COMPUTE,
        ),
        per_run("logs of these runs", "1 KB each".to_owned(), runs * LOG_BYTES_OF_A_RUN / 1e9, &LOGS),
        per_run("reads of these runs", "2 units each".to_owned(), runs * 2.0, &READ),
        per_run("searches for the last seal", "2 a minute".to_owned(), MINUTES * 2.0, &LIST),
        per_run("signatures of seals", "one an hour without events".to_owned(), MINUTES / 60.0, &SIGNATURE),
    ]
}

/// The number of queues that Lambda polls.
fn polled_queues(template: &Value) -> usize {
    let functions = of_type(template, "AWS::Serverless::Function");
    let events = functions.iter().filter_map(|(_, function)| function["Properties"]["Events"].as_object());
    events.flatten().filter(|(_, event)| event["Type"] == "SQS").count()
}

/// The runs of a schedule in a month: `rate(5 minutes)`, `rate(1 minute)`.
fn runs(schedule: &Value) -> f64 {
    let expression = text(&schedule["Properties"]["ScheduleExpression"]);
    let minutes = expression.split(['(', ' ']).nth(1).and_then(|number| number.parse::<f64>().ok());
    minutes.map_or(0.0, |minutes| MINUTES / minutes)
}

fn exact(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// A whole number with commas.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}
