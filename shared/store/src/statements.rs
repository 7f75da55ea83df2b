//! Conditional writes in batches. PartiQL's `BatchExecuteStatement` carries 25 statements, each with its own
//! condition and its own answer. A transaction would fail as a whole.
//!
//! Source: DynamoDB API reference, `BatchExecuteStatement` and `BatchStatementError`.

use aws::{CallError, Verdict};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse,
};

use crate::item::Item;

/// DynamoDB's limit for one call.
const STATEMENTS_PER_CALL: usize = 25;

/// One conditional write.
pub(crate) struct Statement {
    text: String,
    parameters: Vec<AttributeValue>,
}

/// The result of one statement.
#[derive(Debug)]
pub(crate) enum Written {
    Done,
    /// The key exists already, or the condition does not hold.
    Refused,
    /// The statement could not be executed.
    Failed(CallError),
}

impl Statement {
    pub(crate) fn new(text: impl Into<String>, parameters: Vec<AttributeValue>) -> Statement {
        Statement { text: text.into(), parameters }
    }

    /// A write of an item whose key must not exist.
    pub(crate) fn insert(table: &str, item: Item) -> Statement {
        let (names, parameters) = item.into_parts();
        let pairs: Vec<String> = names.iter().map(|name| format!("'{name}': ?")).collect();
        Statement { text: format!("INSERT INTO \"{table}\" VALUE {{{}}}", pairs.join(", ")), parameters }
    }
}

/// Executes all statements, 25 per call. The results are in the order of the statements.
///
/// # Errors
/// A whole call failed. Earlier statements may have been executed, so repeating all of them must be harmless.
pub(crate) async fn execute(
    client: &Client,
    doing: &'static str,
    statements: Vec<Statement>,
) -> Result<Vec<Written>, CallError> {
    let mut written = Vec::with_capacity(statements.len());
    let mut statements = statements.into_iter().peekable();
    while statements.peek().is_some() {
        let mut call = client.batch_execute_statement();
        let mut asked = 0;
        for statement in statements.by_ref().take(STATEMENTS_PER_CALL) {
            let request = BatchStatementRequest::builder()
                .statement(statement.text)
                .set_parameters(Some(statement.parameters))
                .build()
                .expect("a statement is all that a request needs");
            call = call.statements(request);
            asked += 1;
        }
        let answer = call.send().await.map_err(|error| CallError::new(doing, error))?;
        let answers = answer.responses.unwrap_or_default();
        // A missing answer leaves the result of its statement unknown.
        written.extend(
            answers
                .iter()
                .map(|answer| sort(doing, answer))
                .chain(std::iter::repeat_with(|| {
                    Written::Failed(refused(
                        doing,
                        Verdict::Unanswered,
                        "the table gave no answer for this item",
                    ))
                }))
                .take(asked),
        );
    }
    Ok(written)
}

fn sort(doing: &'static str, answer: &BatchStatementResponse) -> Written {
    let Some(error) = answer.error() else { return Written::Done };
    let said = error.message().unwrap_or("no message").to_owned();
    let verdict = match error.code() {
        Some(
            BatchStatementErrorCodeEnum::DuplicateItem | BatchStatementErrorCodeEnum::ConditionalCheckFailed,
        ) => return Written::Refused,
        Some(
            BatchStatementErrorCodeEnum::ThrottlingError
            | BatchStatementErrorCodeEnum::RequestLimitExceeded
            | BatchStatementErrorCodeEnum::ProvisionedThroughputExceeded,
        ) => Verdict::Throttled,
        Some(BatchStatementErrorCodeEnum::AccessDenied) => Verdict::Denied,
        Some(
            BatchStatementErrorCodeEnum::ValidationError
            | BatchStatementErrorCodeEnum::ResourceNotFound
            | BatchStatementErrorCodeEnum::ItemCollectionSizeLimitExceeded,
        ) => Verdict::Permanent,
        // InternalServerError, TransactionConflict, and codes that AWS may add.
        Some(_) | None => Verdict::Transient,
    };
    Written::Failed(refused(doing, verdict, &said))
}

fn refused(doing: &'static str, verdict: Verdict, said: &str) -> CallError {
    CallError { doing, verdict, source: said.into() }
}
