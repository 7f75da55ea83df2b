//! The tables, queues and clock that a delivery worker uses, as traits. A simulation implements them
//! too.
//!
//! [`Aws`] is the implementation of every function. Calls are resolved at compile time, without boxing.

use std::time::Duration;

use aws::CallError;
use domain::Timestamp;
use domain::delivery::breaker::Breaker;
use domain::delivery::job::Job;
use domain::delivery::rate_limit::Bucket;
use domain::limits::cancel::{CancelKey, Cancellation};
use queue::{Cause, MessageHistory, Outgoing, Queue};
use schedule::Schedules;
use store::{ClaimStatus, Counters, Kept, Ledger, Settlement, WriteResult};

/// The environment of a delivery worker.
pub trait Backend {
    type ClaimStore: ClaimStore;
    type SharedState: SharedState;
    type JobQueue: JobQueue;
    type Scheduler: Scheduler;

    /// The current time.
    fn now() -> Timestamp;
}

/// The claims in the ledger, see [`Ledger`].
pub trait ClaimStore {
    /// See [`Ledger::claim`].
    fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> impl Future<Output = Result<Vec<ClaimStatus>, CallError>>;

    /// See [`Ledger::settle`].
    fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Result<(), CallError>>, CallError>>;
}

/// The state that senders share, see [`Counters`].
pub trait SharedState: Clone {
    /// See [`Counters::cancelled`].
    fn cancelled(&self, key: &CancelKey) -> impl Future<Output = Result<Option<Cancellation>, CallError>>;

    /// See [`Counters::breaker`].
    fn breaker(&self, provider: &str) -> impl Future<Output = Result<Kept<Breaker>, CallError>>;

    /// See [`Counters::keep_breaker`].
    fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        now: Timestamp,
    ) -> impl Future<Output = Result<WriteResult<Breaker>, CallError>>;

    /// See [`Counters::bucket`].
    fn bucket(&self, provider: &str) -> impl Future<Output = Result<Kept<Bucket>, CallError>>;

    /// See [`Counters::keep_bucket`].
    fn keep_bucket(
        &self,
        provider: &str,
        over: &Kept<Bucket>,
        next: Bucket,
        now: Timestamp,
    ) -> impl Future<Output = Result<WriteResult<Bucket>, CallError>>;
}

/// A queue, see [`Queue`].
pub trait JobQueue {
    /// See [`Queue::send`].
    fn send(&self, messages: &[Outgoing]) -> impl Future<Output = Vec<Result<(), CallError>>>;

    /// See [`Queue::show_after`].
    fn show_after(&self, receipt: &str, pause: Duration) -> impl Future<Output = Result<(), CallError>>;

    /// See [`Queue::dead_letter`].
    fn dead_letter(
        &self,
        body: &str,
        tenant: Option<&str>,
        cause: &Cause,
        past: MessageHistory,
    ) -> impl Future<Output = Result<(), CallError>>;
}

/// A scheduler that puts a message into a queue at a given time, see [`Schedules`].
pub trait Scheduler {
    /// See [`Schedules::at`].
    fn at(
        &self,
        queue_arn: &str,
        at: Timestamp,
        body: &str,
        name: &str,
    ) -> impl Future<Output = Result<(), CallError>>;
}

/// The AWS implementation.
pub struct Aws;

impl Backend for Aws {
    type ClaimStore = Ledger;
    type SharedState = Counters;
    type JobQueue = Queue;
    type Scheduler = Schedules;

    fn now() -> Timestamp {
        runtime::now()
    }
}

impl ClaimStore for Ledger {
    async fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<ClaimStatus>, CallError> {
        Ledger::claim(self, jobs, token, now, lease).await
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        Ledger::settle(self, settlements, token, now).await
    }
}

impl SharedState for Counters {
    async fn cancelled(&self, key: &CancelKey) -> Result<Option<Cancellation>, CallError> {
        Counters::cancelled(self, key).await
    }

    async fn breaker(&self, provider: &str) -> Result<Kept<Breaker>, CallError> {
        Counters::breaker(self, provider).await
    }

    async fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        now: Timestamp,
    ) -> Result<WriteResult<Breaker>, CallError> {
        Counters::keep_breaker(self, provider, over, next, now).await
    }

    async fn bucket(&self, provider: &str) -> Result<Kept<Bucket>, CallError> {
        Counters::bucket(self, provider).await
    }

    async fn keep_bucket(
        &self,
        provider: &str,
        over: &Kept<Bucket>,
        next: Bucket,
        now: Timestamp,
    ) -> Result<WriteResult<Bucket>, CallError> {
        Counters::keep_bucket(self, provider, over, next, now).await
    }
}

impl JobQueue for Queue {
    async fn send(&self, messages: &[Outgoing]) -> Vec<Result<(), CallError>> {
        Queue::send(self, messages).await
    }

    async fn show_after(&self, receipt: &str, pause: Duration) -> Result<(), CallError> {
        Queue::show_after(self, receipt, pause).await
    }

    async fn dead_letter(
        &self,
        body: &str,
        tenant: Option<&str>,
        cause: &Cause,
        past: MessageHistory,
    ) -> Result<(), CallError> {
        Queue::dead_letter(self, body, tenant, cause, past).await
    }
}

impl Scheduler for Schedules {
    async fn at(&self, queue_arn: &str, at: Timestamp, body: &str, name: &str) -> Result<(), CallError> {
        Schedules::at(self, queue_arn, at, body, name).await
    }
}
