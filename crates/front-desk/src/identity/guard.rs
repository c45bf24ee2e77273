//! How often somebody may guess. Whoever guesses at an account slows down the guessing at it from everywhere, but not a
//! browser that its owner signed in from before: nobody can lock somebody else out.

use crate::{address::address_of, desk::FrontDesk, pipeline::Received, problem::Problem};
use jiff::SignedDuration;
use misy_domain::{limit::Quota, network::Network};
use misy_store::{
    guesses::GuessesAt,
    limits::{At, GuessRule},
};
use std::net::IpAddr;

/// From one address, at whatever accounts. Many people share one.
const BY_ADDRESS: Quota = Quota { requests: 100, period: SignedDuration::from_mins(10) };
/// At one account, from one address.
const BY_ACCOUNT_AND_ADDRESS: Quota = Quota { requests: 10, period: SignedDuration::from_mins(30) };

/// Guesses at an account that pass in an hour, whatever addresses they come from.
pub const MOST_GUESSES_PER_HOUR: u32 = 2 * GuessesAt::Account.quota().requests;

/// Somebody who guesses, perhaps.
pub(crate) struct Guess<'a> {
    /// What is guessed: passwords, codes.
    pub(crate) what: &'a str,
    /// At which account, whether there is one or not; none where a guess is at all of them.
    pub(crate) account: Option<&'a [u8]>,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// From a browser that is known for the account.
    pub(crate) device: Option<[u8; 32]>,
}

/// Where a call comes from.
pub(crate) fn address(desk: &FrontDesk, received: &Received) -> Option<IpAddr> {
    address_of(&desk.settings, &received.parts.extensions, &received.parts.headers)
}

/// Counts a guess, before it is looked at; refuses it if there were too many. What is counted in memory and in Redis refuses
/// early; what counts for an account stands in the database. Not to be called with a transaction open, whose connection it
/// would hold while it waits for another.
pub(crate) async fn count(desk: &FrontDesk, guess: &Guess<'_>) -> Result<(), Problem> {
    let Guess { what, account, address, device } = guess;
    let account = account.map(|account| format!("{what}/account/{}", hex::encode(account)));
    let lasting = account.as_ref().map(|account| match device {
        Some(device) => (At::Device, format!("{account}/device/{}", hex::encode(device)), GuessesAt::Device),
        None => (At::Account, account.clone(), GuessesAt::Account),
    });
    let mut counted: Vec<Counted> =
        lasting.iter().map(|(at, subject, rule)| (*at, subject.clone(), rule.quota())).collect();
    if let Some(address) = address.filter(|_| device.is_none()) {
        counted.extend(from(address, what, account.as_deref()));
    }
    refuse_early(desk, &counted).await?;
    let Some((_, subject, rule)) = lasting else { return Ok(()) };
    match desk.database.count_guess(desk.vault.guess_bucket(&subject)?, rule).await? {
        Some(wait) => Err(Problem::rate_limited(wait)),
        None => Ok(()),
    }
}

/// Counts somebody who asks for something in the name of an account, by where they ask from and by nothing else: else whoever asks
/// in somebody's name keeps them from asking. What comes of it is bounded by who is written to (`misy_store::mails`).
pub(crate) async fn count_asking(
    desk: &FrontDesk,
    what: &str,
    account: &[u8],
    address: Option<IpAddr>,
) -> Result<(), Problem> {
    let account = format!("{what}/account/{}", hex::encode(account));
    let counted: Vec<_> =
        address.into_iter().flat_map(|address| from(address, what, Some(&account))).collect();
    refuse_early(desk, &counted).await
}

type Counted = (At, String, Quota);

/// What is counted of an address: by its networks, and by the account that it asks about.
fn from(address: IpAddr, what: &str, account: Option<&str>) -> Vec<Counted> {
    let networks = Network::all_of(address).map(|network| {
        let times = network.width().times();
        let quota = Quota { requests: BY_ADDRESS.requests * times, ..BY_ADDRESS };
        (At::Address, format!("{what}/address/{network}"), quota)
    });
    let prefix = limited_prefix(address);
    let at_account = account.map(|account| format!("{account}/address/{prefix}"));
    let at_account = at_account.map(|subject| (At::Account, subject, BY_ACCOUNT_AND_ADDRESS));
    networks.into_iter().chain(at_account).collect()
}

/// Refuses what memory or Redis know to be too much.
async fn refuse_early(desk: &FrontDesk, counted: &[Counted]) -> Result<(), Problem> {
    let rules: Vec<GuessRule<'_>> =
        counted.iter().map(|(at, subject, quota)| GuessRule { at: *at, subject, quota: *quota }).collect();
    let now = desk.clock.now();
    // It is counted for the platform: of whom the guess is may be unknown, and must not show.
    match desk.limits.guess(&desk.settings.owner_id, &rules, now).await {
        Some(wait) => Err(Problem::rate_limited(wait)),
        None => Ok(()),
    }
}

/// Who has an IPv6 connection has at least a /64 of addresses to choose from.
fn limited_prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x}", v6.to_bits() >> 64),
    }
}

/// Roughly where a call comes from, to be shown to the user: a /24 or /48.
pub(crate) fn shown_prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", std::net::Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00)),
        IpAddr::V6(v6) => format!("{}/48", std::net::Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80)),
    }
}
