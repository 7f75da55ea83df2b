//! An in-memory table behind the real SDK client. Conditions always hold, and there are no indexes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::operation::batch_execute_statement::BatchExecuteStatementOutput;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementResponse};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};

use crate::item::Item;

type Row = HashMap<String, AttributeValue>;

/// The rows by partition key and sort key.
#[derive(Clone, Default)]
pub(crate) struct Table(Arc<Mutex<BTreeMap<(String, String), Row>>>);

impl Table {
    pub(crate) fn of(items: impl IntoIterator<Item = Item>) -> Table {
        let table = Table::default();
        items.into_iter().for_each(|item| table.put(item.into_map()));
        table
    }

    /// All rows, in the order of their keys.
    pub(crate) fn items(&self) -> Vec<Item> {
        self.0.lock().unwrap().values().cloned().map(Item::from).collect()
    }

    fn put(&self, row: Row) {
        self.0.lock().unwrap().insert(key_of(&row), row);
    }

    fn get(&self, key: &Row) -> Option<Row> {
        self.0.lock().unwrap().get(&key_of(key)).cloned()
    }

    fn delete(&self, key: &Row) -> Option<Row> {
        self.0.lock().unwrap().remove(&key_of(key))
    }

    fn change(&self, key: &Row, change: impl FnOnce(&mut Row)) {
        let mut row = self.get(key).unwrap_or_else(|| key.clone());
        change(&mut row);
        self.put(row);
    }

    /// A client whose calls all go to this table.
    pub(crate) fn client(&self) -> Client {
        let rules = [self.reads(), self.writes()].concat();
        let mode = MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny);
        let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(create_mock_http_client())
            .interceptor(answers)
            .build();
        Client::from_conf(config)
    }

    fn reads(&self) -> Vec<Rule> {
        let (one, some, part) = (self.clone(), self.clone(), self.clone());
        vec![
            mock!(Client::get_item).then_compute_output(move |input| {
                GetItemOutput::builder().set_item(one.get(input.key().unwrap())).build()
            }),
            mock!(Client::batch_get_item).then_compute_output(move |input| {
                let (table, wanted) = input.request_items().unwrap().iter().next().unwrap();
                let found = wanted.keys().iter().filter_map(|key| some.get(key)).collect();
                BatchGetItemOutput::builder().responses(table, found).build()
            }),
            mock!(Client::query).then_compute_output(move |input| {
                let values = input.expression_attribute_values().unwrap();
                let text = |name: &str| values.get(name).and_then(|value| value.as_s().ok());
                let beginning = text(":beginning").cloned().unwrap_or_default();
                let (low, high) = (text(":low").cloned(), text(":high").cloned());
                let rows = part.0.lock().unwrap();
                let mut found: Vec<_> = rows
                    .iter()
                    .filter(|((pk, sk), _)| {
                        Some(pk) == text(":pk")
                            && sk.starts_with(&beginning)
                            && low.as_ref().is_none_or(|low| sk >= low)
                            && high.as_ref().is_none_or(|high| sk <= high)
                    })
                    .collect();
                if input.scan_index_forward() == Some(false) {
                    found.reverse();
                }
                let most = input.limit().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
                let last = found.get(most.saturating_sub(1)).filter(|_| found.len() > most);
                let last = last.map(|(_, row)| key_row(row));
                let items = found.iter().take(most).map(|(_, row)| (*row).clone()).collect();
                QueryOutput::builder().set_items(Some(items)).set_last_evaluated_key(last).build()
            }),
        ]
    }

    fn writes(&self) -> Vec<Rule> {
        let table = || self.clone();
        let (put, update, delete, transact, batch, statements) =
            (table(), table(), table(), table(), table(), table());
        vec![
            mock!(Client::put_item).then_compute_output(move |input| {
                put.put(input.item().unwrap().clone());
                PutItemOutput::builder().build()
            }),
            mock!(Client::update_item).then_compute_output(move |input| {
                let names = input.expression_attribute_names().cloned().unwrap_or_default();
                let values = input.expression_attribute_values().cloned().unwrap_or_default();
                let expression = input.update_expression().unwrap();
                update.change(input.key().unwrap(), |row| evaluate(expression, &names, &values, row));
                UpdateItemOutput::builder().build()
            }),
            mock!(Client::delete_item).then_compute_output(move |input| {
                DeleteItemOutput::builder().set_attributes(delete.delete(input.key().unwrap())).build()
            }),
            mock!(Client::transact_write_items).then_compute_output(move |input| {
                for action in input.transact_items() {
                    if let Some(put) = action.put() {
                        transact.put(put.item().clone());
                    } else if let Some(update) = action.update() {
                        let names = update.expression_attribute_names().cloned().unwrap_or_default();
                        let values = update.expression_attribute_values().cloned().unwrap_or_default();
                        let expression = update.update_expression();
                        transact.change(update.key(), |row| evaluate(expression, &names, &values, row));
                    } else if let Some(delete) = action.delete() {
                        transact.delete(delete.key());
                    }
                }
                TransactWriteItemsOutput::builder().build()
            }),
            mock!(Client::batch_write_item).then_compute_output(move |input| {
                for request in input.request_items().unwrap().values().flatten() {
                    if let Some(put_request) = request.put_request() {
                        batch.put(put_request.item().clone());
                    } else if let Some(delete_request) = request.delete_request() {
                        batch.delete(delete_request.key());
                    }
                }
                BatchWriteItemOutput::builder().build()
            }),
            mock!(Client::batch_execute_statement).then_compute_output(move |input| {
                let mut answer = BatchExecuteStatementOutput::builder();
                for statement in input.statements() {
                    statements.execute(statement.statement(), statement.parameters());
                    answer = answer.responses(BatchStatementResponse::builder().build());
                }
                answer.build()
            }),
        ]
    }

    /// Executes an `INSERT` or `UPDATE` statement of this crate.
    fn execute(&self, statement: &str, parameters: &[AttributeValue]) {
        if statement.starts_with("INSERT") {
            let names = statement.split('\'').skip(1).step_by(2).map(str::to_owned);
            return self.put(names.zip(parameters.iter().cloned()).collect());
        }
        let quoted = |rest: &str| rest.split('"').next().unwrap().to_owned();
        let set: Vec<String> = statement.split("SET \"").skip(1).map(quoted).collect();
        let (values, keys) = parameters.split_at(set.len());
        let key = Row::from([("pk".to_owned(), keys[0].clone()), ("sk".to_owned(), keys[1].clone())]);
        self.change(&key, |row| {
            row.extend(set.into_iter().zip(values.iter().cloned()));
            for name in statement.split("REMOVE \"").skip(1).map(quoted) {
                row.remove(&name);
            }
        });
    }
}

fn key_of(row: &Row) -> (String, String) {
    let text = |name: &str| row[name].as_s().unwrap().clone();
    (text("pk"), text("sk"))
}

/// The primary key of a row.
fn key_row(row: &Row) -> Row {
    ["pk", "sk"].map(|name| (name.to_owned(), row[name].clone())).into()
}

/// Evaluates an update expression of this crate: `SET`, `REMOVE` and `ADD` of plain names and values, and
/// `if_not_exists`.
fn evaluate(expression: &str, names: &HashMap<String, String>, values: &Row, row: &mut Row) {
    let mut clauses: Vec<(&str, String)> = Vec::new();
    for word in expression.split_whitespace() {
        match (word, clauses.last_mut()) {
            ("SET" | "REMOVE" | "ADD", _) => clauses.push((word, String::new())),
            (word, Some((_, clause))) => clause.push_str(&format!("{word} ")),
            (word, None) => panic!("{word} stands before any clause of {expression}"),
        }
    }
    let name_of = |name: &str| names.get(name.trim()).cloned().unwrap_or_else(|| name.trim().to_owned());
    for (kind, clause) in clauses {
        for part in clause.replace(", :", " :").split(',').filter(|part| !part.trim().is_empty()) {
            match kind {
                "SET" => {
                    let (name, value) = part.split_once('=').unwrap();
                    let (name, value) = (name_of(name), value.trim());
                    let existing =
                        value.starts_with("if_not_exists").then(|| row.get(&name).cloned()).flatten();
                    let given = value.split([' ', '(', ')']).find(|part| part.starts_with(':')).unwrap();
                    row.insert(name, existing.unwrap_or_else(|| values[given].clone()));
                }
                "REMOVE" => drop(row.remove(&name_of(part))),
                _ => {
                    let (name, value) = part.trim().split_once(' ').unwrap();
                    row.insert(name_of(name), values[value.trim()].clone());
                }
            }
        }
    }
}
