//! Variants: the system with one behaviour broken, which the simulation must detect.

/// The broken behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Sends without a claim.
    NoClaim,
    /// Channel messages are deleted from the queue before they are handled.
    AckBeforeSend,
    /// Dispatch messages are deleted from the queue before their jobs are queued.
    AckBeforeQueueing,
    /// Notification keys do not contain the channel.
    KeyWithoutChannel,
    /// All senders claim and settle with the same token.
    NoToken,
    /// The ledger says `sent` when a job is claimed.
    SettleBeforeSend,
    /// A claim may be taken over at any time.
    NoLease,
    /// A settlement overwrites any row.
    SettleUnconditionally,
    /// Cancellations are not looked up.
    NoCancelCheck,
    /// Jobs lose their expiry.
    NoExpiry,
    /// The list of failed messages of a batch is ignored.
    ReportIgnored,
    /// The relay publishes a batch in any order.
    RelayWithoutOrder,
    /// The relay continues with the next batch although some records must be retried and the sweep's delay has not
    /// passed.
    RelayGoesOn,
    /// The sweep is disabled.
    NoSweep,
    /// The relay acknowledges entries itself, before the audit has received the event from the bus.
    RelayAcknowledges,
    /// An append has neither guards for its ids nor a token.
    NoGuard,
    /// An append does not check the version of the stream.
    NoVersion,
    /// A send without a reply is retried whatever the policy says.
    UnknownResent,
    /// A channel that cannot deliver starts no failover.
    NoHandOn,
    /// Scheduled messages are lost.
    LaterLost,
    /// The sweep publishes in the order of the producers' clocks.
    SweepByClock,
    /// A join looks for no marker of an earlier delivery and writes over it.
    NoMarker,
    /// A digest's header is written whatever its version is.
    WindowWithoutVersion,
    /// The timer of a digest is not made again when its event is delivered a second time.
    TimerOnce,
    /// A digest that closes looks up no cancellation of its events.
    CancelledInDigest,
    /// A page is marked as handled before its output is written.
    PageMarkedFirst,
    /// The continuation for the next page is lost.
    NextPageLost,
    /// The next page begins after a number of members and not after the last one.
    PageByPosition,
}

impl Variant {
    /// All variants.
    pub const ALL: [Variant; 28] = [
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
        Variant::NoMarker,
        Variant::WindowWithoutVersion,
        Variant::TimerOnce,
        Variant::CancelledInDigest,
        Variant::PageMarkedFirst,
        Variant::NextPageLost,
        Variant::PageByPosition,
    ];

    /// Name on the command line, such as `no-claim`.
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
        Variant::ALL.into_iter().find(|variant| variant.name() == name)
    }
}
