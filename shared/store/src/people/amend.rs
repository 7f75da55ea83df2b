//! Changes to people: read, change, write if no other writer was first, else start again.
//!
//! A person and their memberships are written in one transaction, on the condition that the profile's version is
//! unchanged. So concurrent writers never leave a membership without a profile. If a transaction cannot hold all
//! memberships, the profile is first written with a list of the memberships that may have to go. Then memberships
//! are added, then others removed, each on the condition of that version. After a crash the next writer finds the
//! list and completes the work.

use std::collections::{BTreeMap, BTreeSet};

use aws::{CallError, Verdict};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem};
use domain::event::Refusal;
use domain::recipient::address_change::{self, AddressChange};
use domain::recipient::recipient_changes::RecipientChange;
use futures_util::StreamExt as _;

use super::filed::{self, Filed};
use super::{KEYS_PER_READ, People};
use crate::item::Item;
use crate::writes::{ROUNDS, left_over};
use crate::{lookup, pause};

/// DynamoDB's limit for one transaction.
const ACTIONS_PER_TRANSACTION: usize = 100;

/// The number of people written concurrently.
const AT_ONCE: usize = 16;

const DOING: &str = "write people";

/// The reason why a change was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// The result would not be a valid person. A repetition cannot succeed.
    #[error("the change does not fit: {0}")]
    Unfit(Refusal),
    /// The table refused the write.
    #[error(transparent)]
    Refused(#[from] CallError),
}

/// The result of a change.
#[derive(Clone, Default)]
pub struct ChangeResult {
    /// `false`: newer changes override the whole change, or it was already applied.
    pub changed: bool,
    /// The addresses that the person no longer has.
    pub addresses: Vec<AddressChange>,
}

type Applied = Result<ChangeResult, NotApplied>;

/// The result of a conditional write.
pub(super) enum Swap {
    Done,
    /// Another writer was first.
    Lost,
}

impl Filed {
    /// Applies one change. A refused change leaves the profile unchanged.
    pub(super) fn amend(&mut self, amendment: &RecipientChange) -> Result<ChangeResult, Refusal> {
        let before = self.entry.person.clone();
        let changed = self.entry.apply(amendment)?;
        let addresses = address_change::between(before.as_ref(), self.entry.person.as_ref());
        Ok(ChangeResult { changed, addresses })
    }
}

impl People {
    /// Applies changes, those of one person together and in their order. The results are in the order of the
    /// changes. `false`: newer changes override the whole change, or it was already applied.
    pub async fn apply(&self, amendments: &[RecipientChange]) -> Vec<Result<bool, NotApplied>> {
        let applied = self.amend_all(amendments).await;
        applied.into_iter().map(|applied| applied.map(|amended| amended.changed)).collect()
    }

    /// Applies changes and returns the addresses that they removed from people.
    pub async fn amend_all(&self, amendments: &[RecipientChange]) -> Vec<Applied> {
        let mut of_person: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, amendment) in amendments.iter().enumerate() {
            of_person.entry(&amendment.id).or_default().push(index);
        }
        let people: Vec<(&str, Vec<usize>)> = of_person.into_iter().collect();
        let mut answers: BTreeMap<usize, Applied> = BTreeMap::new();
        for some in people.chunks(KEYS_PER_READ) {
            let keys = some.iter().map(|(id, _)| filed::profile(id).into_map()).collect();
            let items = match self.read(keys).await {
                Ok(items) => items,
                Err(refused) => {
                    let all = some.iter().flat_map(|(_, indices)| indices);
                    answers.extend(all.map(|index| (*index, Err(again(&refused).into()))));
                    continue;
                }
            };
            let mut items: BTreeMap<String, Item> =
                items.into_iter().filter_map(|item| Some((item.get("pk")?.to_owned(), item))).collect();
            let work = some.iter().map(|(id, indices)| {
                let item = filed::profile(id).get("pk").and_then(|pk| items.remove(pk));
                let changes: Vec<&RecipientChange> =
                    indices.iter().map(|index| &amendments[*index]).collect();
                async move { (indices, self.amend_each(id, item, &changes).await) }
            });
            let work: Vec<_> = work.collect();
            let mut done = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
            while let Some((indices, applied)) = done.next().await {
                answers.extend(indices.iter().copied().zip(applied));
            }
        }
        answers.into_values().collect()
    }

    /// Applies all changes of one person in one write. If the table refuses the result permanently, applies them
    /// one by one, so that a single change does not block the others.
    async fn amend_each(&self, id: &str, item: Option<Item>, changes: &[&RecipientChange]) -> Vec<Applied> {
        match self.amend(id, item, changes).await {
            Ok(applied) => applied,
            Err(refused) if refused.verdict == Verdict::Permanent && changes.len() > 1 => {
                let mut applied = Vec::with_capacity(changes.len());
                for change in changes {
                    applied.push(match self.reread(id).await {
                        Ok(item) => self.amend(id, item, &[change]).await,
                        Err(refused) => Err(refused),
                    });
                }
                applied
                    .into_iter()
                    .map(|answers| answers?.pop().unwrap_or(Ok(ChangeResult::default())))
                    .collect()
            }
            Err(refused) => changes.iter().map(|_| Err(again(&refused).into())).collect(),
        }
    }

    async fn amend(
        &self,
        id: &str,
        mut item: Option<Item>,
        changes: &[&RecipientChange],
    ) -> Result<Vec<Applied>, CallError> {
        for round in 0..ROUNDS {
            if round > 0 {
                pause::before(round).await;
                item = self.reread(id).await?;
            }
            let before = item.as_ref().map(filed::filed).transpose().map_err(unreadable)?.unwrap_or_default();
            let mut after = before.clone();
            let applied: Vec<Applied> =
                changes.iter().map(|change| after.amend(change).map_err(NotApplied::Unfit)).collect();
            if after.entry == before.entry && before.open.is_none() && !self.lacks_addresses(&before) {
                return Ok(applied);
            }
            match self.swap(id, &before, after).await? {
                Swap::Done => return Ok(applied),
                Swap::Lost => {}
            }
        }
        Err(left_over(DOING))
    }

    pub(super) async fn reread(&self, id: &str) -> Result<Option<Item>, CallError> {
        lookup::get(&self.client, &self.table, filed::profile(id)).await
    }

    /// Writes a profile and its memberships on the condition that the profile is unchanged.
    pub(super) async fn swap(&self, id: &str, before: &Filed, mut after: Filed) -> Result<Swap, CallError> {
        let mut wanted = filed::partitions(&after.entry);
        let (mut sure, mut possible) = before.entered();
        let own = self.address_partitions(before.entry.person.as_ref()).await?;
        if before.has_addresses && before.open.is_none() {
            sure.extend(own.iter().cloned());
        }
        possible.extend(own);
        wanted.extend(self.address_partitions(after.entry.person.as_ref()).await?);
        after.has_addresses = self.addresses.is_some();
        let enter: Vec<&String> = wanted.difference(&sure).collect();
        let strike: BTreeSet<String> = possible.difference(&wanted).cloned().collect();
        after.version = Some(before.version.unwrap_or(0) + 1);
        after.open = None;
        let mut actions: Vec<TransactWriteItem> =
            enter.into_iter().map(|partition| self.putting(filed::membership(partition, id), None)).collect();
        actions.extend(strike.iter().map(|partition| self.deleting(filed::membership_key(partition, id))));
        if actions.len() < ACTIONS_PER_TRANSACTION {
            actions.insert(0, self.putting(filed::to_item(id, &after), Some(before.version)));
            return self.transact(actions).await;
        }
        after.open = Some(strike);
        let first = self.putting(filed::to_item(id, &after), Some(before.version));
        if let Swap::Lost = self.transact(vec![first]).await? {
            return Ok(Swap::Lost);
        }
        for some in actions.chunks(ACTIONS_PER_TRANSACTION - 1) {
            let mut some = some.to_vec();
            some.insert(0, self.check(id, after.version));
            if let Swap::Lost = self.transact(some).await? {
                return Ok(Swap::Lost);
            }
        }
        let written = after.version;
        after.version = written.map(|written| written + 1);
        after.open = None;
        self.transact(vec![self.putting(filed::to_item(id, &after), Some(written))]).await
    }

    /// Whether address entries must be written although the person is unchanged.
    pub(super) fn lacks_addresses(&self, before: &Filed) -> bool {
        self.addresses.is_some() && !before.has_addresses && before.entry.person.is_some()
    }

    /// A put. `version` is the version that the item must have to be replaced.
    fn putting(&self, item: Item, version: Option<Option<i64>>) -> TransactWriteItem {
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item.into_map()));
        if let Some(version) = version {
            put = put.condition_expression(condition(version)).expression_attribute_names("#v", "version");
            if let Some(version) = version {
                put = put.expression_attribute_values(":v", AttributeValue::N(version.to_string()));
            }
        }
        let put = put.build().expect("a table and an item are all that a put needs");
        TransactWriteItem::builder().put(put).build()
    }

    fn deleting(&self, key: Item) -> TransactWriteItem {
        let delete = Delete::builder().table_name(&self.table).set_key(Some(key.into_map()));
        let delete = delete.build().expect("a table and a key are all that a delete needs");
        TransactWriteItem::builder().delete(delete).build()
    }

    /// A check that the profile is unchanged.
    fn check(&self, id: &str, version: Option<i64>) -> TransactWriteItem {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(filed::profile(id).into_map()))
            .condition_expression(condition(version))
            .expression_attribute_names("#v", "version")
            .set_expression_attribute_values(
                version.map(|version| [(":v".to_owned(), AttributeValue::N(version.to_string()))].into()),
            )
            .build()
            .expect("a table, a key and a condition are all that a check needs");
        TransactWriteItem::builder().condition_check(check).build()
    }

    async fn transact(&self, actions: Vec<TransactWriteItem>) -> Result<Swap, CallError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(actions)).send().await;
        let Err(error) = sent else { return Ok(Swap::Done) };
        match error.as_service_error().map(sort) {
            Some(Sorted::Lost) => Ok(Swap::Lost),
            Some(Sorted::Is(verdict)) => Err(CallError { doing: DOING, verdict, source: Box::new(error) }),
            Some(Sorted::Other) | None => Err(CallError::new(DOING, error)),
        }
    }
}

enum Sorted {
    Lost,
    Is(Verdict),
    Other,
}

/// Classifies a failed transaction by the reasons of its actions.
///
/// Source: DynamoDB API reference, `TransactWriteItems`, "TransactionCanceledException".
fn sort(error: &TransactWriteItemsError) -> Sorted {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return match error.is_transaction_in_progress_exception() {
            true => Sorted::Is(Verdict::Transient),
            false => Sorted::Other,
        };
    };
    let codes: Vec<&str> = cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(|cancellation_reason| cancellation_reason.code())
        .collect();
    let says = |some: &[&str]| codes.iter().any(|code| some.contains(code));
    if says(&["ConditionalCheckFailed", "TransactionConflict"]) {
        return Sorted::Lost;
    }
    if says(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        return Sorted::Is(Verdict::Throttled);
    }
    if says(&["ValidationError", "ItemCollectionSizeLimitExceeded"]) {
        return Sorted::Is(Verdict::Permanent);
    }
    Sorted::Is(Verdict::Transient)
}

fn condition(version: Option<i64>) -> &'static str {
    match version {
        Some(_) => "#v = :v",
        None => "attribute_not_exists(#v)",
    }
}

/// The same error for another change.
fn again(refused: &CallError) -> CallError {
    CallError { doing: refused.doing, verdict: refused.verdict, source: aws::chain(refused).into() }
}

/// The error for a profile that another release may be able to parse: retry, and leave it unchanged.
pub(super) fn unreadable(malformed: crate::Malformed) -> CallError {
    CallError { doing: DOING, verdict: Verdict::Transient, source: Box::new(malformed) }
}
