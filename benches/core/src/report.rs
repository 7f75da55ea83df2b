//! Runs this program under Callgrind and prints the cost of one operation.

use std::process::Command;

use serde_json::json;

use crate::operations::ALL;

/// Numbers of rules that P5 requires.
const RULES: [usize; 3] = [14, 1_400, 14_000];

/// Operations that are not counted because their set-up takes minutes under Callgrind.
const TOO_LONG: [(&str, usize); 4] = [
    ("match/quamina", 14_000),
    ("types/quamina", 14_000),
    ("compile/quamina", 14_000),
    ("types/regex", 14_000),
];

/// Counts all operations and prints the result. `false` when a count failed.
pub fn print(as_json: bool) -> bool {
    let mut rows = Vec::new();
    for (operation, meaning, depends) in ALL {
        for rules in RULES.into_iter().take(if depends { RULES.len() } else { 1 }) {
            if TOO_LONG.contains(&(operation, rules)) {
                continue;
            }
            let Some(instructions) = difference(operation, rules) else {
                eprintln!("bench: {operation} with {rules} rules could not be counted");
                return false;
            };
            let rules = depends.then_some(rules);
            if as_json {
                rows.push(json!({ "operation": operation, "rules": rules, "instructions": instructions, "is": meaning }));
            } else {
                let rules = rules.map_or_else(|| "-".to_owned(), |count| count.to_string());
                println!("{operation:16} {rules:>7} {instructions:>12}  {meaning}");
            }
        }
    }
    if as_json {
        println!("{}", json!({ "unit": "instructions per operation, x86_64", "rows": rows }));
    }
    true
}

/// Instructions of one operation: the difference of two runs of different length, divided by the number of additional
/// operations.
fn difference(operation: &str, rules: usize) -> Option<u64> {
    let (few, more) =
        if operation.starts_with("compile") || operation.starts_with("verify") { (1, 2) } else { (100, 300) };
    let (short, long) = (count(operation, rules, few)?, count(operation, rules, few + more)?);
    Some(long.saturating_sub(short) / u64::try_from(more).ok()?)
}

fn count(operation: &str, rules: usize, times: usize) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(["--once", operation, &rules.to_string(), &times.to_string()])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stderr).ok()?;
    text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}
