//! The tables, queues and clock that a delivery worker uses, as traits. A simulation implements them
//! too.
//!
//! [`Aws`] is the implementation of every function. Calls are resolved at compile time, without boxing.

use std::time::Duration;

use aws::Refused;
use domain::Timestamp;
use domain::breaker::Breaker;
use domain::cancel::{CancelKey, Cancellation};
use domain::job::Job;
use domain::quota::Bucket;
use queue::{Cause, Outgoing, Past, Queue};
use schedule::Schedules;
use store::{Counters, Kept, Ledger, Settlement, Standing, Stood};

/// The environment of a delivery worker.
pub trait Cloud {
    type Claims: Claims;
    type Shared: Shared;
    type Line: Line;
    type Timer: Timer;

    /// The current time.
    fn now() -> Timestamp;
}

/// The claims in the ledger, see [`Ledger`].
pub trait Claims {
    /// See [`Ledger::claim`].
    fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> impl Future<Output = Result<Vec<Standing>, Refused>>;

    /// See [`Ledger::settle`].
    fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Result<(), Refused>>, Refused>>;
}

/// The state that senders share, see [`Counters`].
pub trait Shared: Clone {
    /// See [`Counters::cancelled`].
    fn cancelled(&self, key: &CancelKey) -> impl Future<Output = Result<Option<Cancellation>, Refused>>;

    /// See [`Counters::breaker`].
    fn breaker(&self, provider: &str) -> impl Future<Output = Result<Kept<Breaker>, Refused>>;

    /// See [`Counters::keep_breaker`].
    fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        now: Timestamp,
    ) -> impl Future<Output = Result<Stood<Breaker>, Refused>>;

    /// See [`Counters::bucket`].
    fn bucket(&self, provider: &str) -> impl Future<Output = Result<Kept<Bucket>, Refused>>;

    /// See [`Counters::keep_bucket`].
    fn keep_bucket(
        &self,
        provider: &str,
        over: &Kept<Bucket>,
        next: Bucket,
        now: Timestamp,
    ) -> impl Future<Output = Result<Stood<Bucket>, Refused>>;
}

/// A queue, see [`Queue`].
pub trait Line {
    /// See [`Queue::send`].
    fn send(&self, messages: &[Outgoing]) -> impl Future<Output = Vec<Result<(), Refused>>>;

    /// See [`Queue::show_after`].
    fn show_after(&self, receipt: &str, pause: Duration) -> impl Future<Output = Result<(), Refused>>;

    /// See [`Queue::bury`].
    fn bury(
        &self,
        body: &str,
        tenant: Option<&str>,
        cause: &Cause,
        past: Past,
    ) -> impl Future<Output = Result<(), Refused>>;
}

/// A scheduler that puts a message into a queue at a given time, see [`Schedules`].
pub trait Timer {
    /// See [`Schedules::at`].
    fn at(
        &self,
        queue_arn: &str,
        at: Timestamp,
        body: &str,
        name: &str,
    ) -> impl Future<Output = Result<(), Refused>>;
}

/// The AWS implementation.
pub struct Aws;

impl Cloud for Aws {
    type Claims = Ledger;
    type Shared = Counters;
    type Line = Queue;
    type Timer = Schedules;

    fn now() -> Timestamp {
        runtime::now()
    }
}

impl Claims for Ledger {
    async fn claim(
        &self,
        jobs: &[&Job],
        token: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<Standing>, Refused> {
        Ledger::claim(self, jobs, token, now, lease).await
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Result<(), Refused>>, Refused> {
        Ledger::settle(self, settlements, token, now).await
    }
}

impl Shared for Counters {
    async fn cancelled(&self, key: &CancelKey) -> Result<Option<Cancellation>, Refused> {
        Counters::cancelled(self, key).await
    }

    async fn breaker(&self, provider: &str) -> Result<Kept<Breaker>, Refused> {
        Counters::breaker(self, provider).await
    }

    async fn keep_breaker(
        &self,
        provider: &str,
        over: &Kept<Breaker>,
        next: Breaker,
        now: Timestamp,
    ) -> Result<Stood<Breaker>, Refused> {
        Counters::keep_breaker(self, provider, over, next, now).await
    }

    async fn bucket(&self, provider: &str) -> Result<Kept<Bucket>, Refused> {
        Counters::bucket(self, provider).await
    }

    async fn keep_bucket(
        &self,
        provider: &str,
        over: &Kept<Bucket>,
        next: Bucket,
        now: Timestamp,
    ) -> Result<Stood<Bucket>, Refused> {
        Counters::keep_bucket(self, provider, over, next, now).await
    }
}

impl Line for Queue {
    async fn send(&self, messages: &[Outgoing]) -> Vec<Result<(), Refused>> {
        Queue::send(self, messages).await
    }

    async fn show_after(&self, receipt: &str, pause: Duration) -> Result<(), Refused> {
        Queue::show_after(self, receipt, pause).await
    }

    async fn bury(&self, body: &str, tenant: Option<&str>, cause: &Cause, past: Past) -> Result<(), Refused> {
        Queue::bury(self, body, tenant, cause, past).await
    }
}

impl Timer for Schedules {
    async fn at(&self, queue_arn: &str, at: Timestamp, body: &str, name: &str) -> Result<(), Refused> {
        Schedules::at(self, queue_arn, at, body, name).await
    }
}
