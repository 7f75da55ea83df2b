//! Carillon with one thing broken: what the simulation must notice.

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Whoever asks may send.
    NoClaim,
    /// A channel's messages leave the queue before they are handled.
    AckBeforeSend,
    /// Dispatch's messages leave the queue before their jobs are queued.
    AckBeforeQueueing,
    /// Notification keys do not say on which channel.
    KeyWithoutChannel,
    /// All senders claim and settle under one name.
    NoToken,
    /// The ledger says `sent` when a job is claimed.
    SettleBeforeSend,
    /// A claim may be taken over at any time.
    NoLease,
    /// An outcome is written over whatever stands there.
    SettleUnconditionally,
    /// What was cancelled is not looked up.
    NoCancelCheck,
    /// Jobs lose their expiry.
    NoExpiry,
    /// The failed part of a batch's report is not read.
    ReportIgnored,
    /// The relay publishes a batch in any order.
    RelayWithoutOrder,
    /// The relay goes on to the next batch although some must come again, and the sweep is young.
    RelayGoesOn,
    /// Nobody looks for what stayed pending.
    NoSweep,
    /// The relay takes `pending` off itself, before anybody has seen the event on the bus.
    RelayAcknowledges,
    /// An append has neither guard for its ids nor a token.
    NoGuard,
    /// An append does not look at the version of the stream.
    NoVersion,
    /// An answer that never came is another try, whatever the policy says.
    UnknownResent,
    /// A channel that cannot deliver tells nobody.
    NoHandOn,
    /// What a schedule is to bring back is lost.
    LaterLost,
    /// The sweep publishes in the order of the producers' clocks.
    SweepByClock,
}

impl Variant {
    /// Every variant there is.
    pub const ALL: [Variant; 21] = [
        Variant::NoClaim,
        Variant::AckBeforeSend,
        Variant::AckBeforeQueueing,
        Variant::KeyWithoutChannel,
        Variant::NoToken,
        Variant::SettleBeforeSend,
        Variant::NoLease,
        Variant::SettleUnconditionally,
        Variant::NoCancelCheck,
        Variant::NoExpiry,
        Variant::ReportIgnored,
        Variant::RelayWithoutOrder,
        Variant::RelayGoesOn,
        Variant::NoSweep,
        Variant::RelayAcknowledges,
        Variant::NoGuard,
        Variant::NoVersion,
        Variant::UnknownResent,
        Variant::NoHandOn,
        Variant::LaterLost,
        Variant::SweepByClock,
    ];

    /// As the command line calls it: `no-claim`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Variant> {
        Variant::ALL.into_iter().find(|it| it.name() == name)
    }
}
