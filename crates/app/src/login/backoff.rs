//! Pauses for those who guess: by account and address, and by address alone.
//!
//! During a pause nothing is computed for the one who guessed. What was tried during a pause does
//! not lengthen it, so that hammering cannot keep a pause up for ever. There is no pause by account
//! alone: a stranger must not lock the owner out.

use domain::time::UnixMillis;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Failures at one account from one address before the first pause: people mistype.
const FREE_FAILURES_AT_ACCOUNT: u32 = 5;
/// Failures from one address, at any account, before the first pause: offices share addresses.
const FREE_FAILURES_FROM_ADDRESS: u32 = 20;
/// The first pause, in milliseconds; each failure after it doubles the next.
const PAUSE_FIRST_MILLIS: i64 = 1_000;
/// The longest pause, in milliseconds.
pub(super) const PAUSE_MAX_MILLIS: i64 = 60_000;
/// Milliseconds without a failure after which all is forgotten.
const FORGET_MILLIS: i64 = 900_000;
/// Entries that are kept; then the older half goes.
const ENTRIES_MAX: usize = 20_000;
/// Bits of an IPv6 address that one customer of a network has to themselves.
const V6_SITE_BITS: u32 = 64;

/// Who tries, and at which account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    /// The canonical name; empty where it cannot be one.
    name: Box<str>,
    /// The address; of IPv6 only the site.
    site: IpAddr,
}

impl Attempt {
    /// An attempt from an address in canonical form.
    pub(crate) fn new(name: &str, from: IpAddr) -> Self {
        let site = match from {
            IpAddr::V4(_) => from,
            IpAddr::V6(v6) => {
                let site_mask = u128::MAX << (u128::BITS - V6_SITE_BITS);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & site_mask))
            }
        };
        Self {
            name: name.into(),
            site,
        }
    }
}

/// What is known of one who failed.
#[derive(Clone, Copy)]
struct Record {
    failures: u32,
    last_at: UnixMillis,
    paused_until: UnixMillis,
}

impl Record {
    fn is_forgotten(self, now: UnixMillis) -> bool {
        now.millis_since(self.last_at) >= FORGET_MILLIS
    }
}

/// The failures of the last minutes.
#[derive(Default)]
pub(crate) struct Backoff {
    at_account: HashMap<Attempt, Record>,
    from_address: HashMap<IpAddr, Record>,
}

impl Backoff {
    /// Whether this attempt falls into a pause.
    pub(crate) fn is_paused(&self, attempt: &Attempt, now: UnixMillis) -> bool {
        let paused = |record: Option<&Record>| record.is_some_and(|r| now < r.paused_until);
        paused(self.at_account.get(attempt)) || paused(self.from_address.get(&attempt.site))
    }

    /// Writes down that a password was computed and wrong.
    pub(crate) fn failed(&mut self, attempt: &Attempt, now: UnixMillis) {
        note(
            &mut self.at_account,
            attempt.clone(),
            FREE_FAILURES_AT_ACCOUNT,
            now,
        );
        note(
            &mut self.from_address,
            attempt.site,
            FREE_FAILURES_FROM_ADDRESS,
            now,
        );
    }

    /// Forgets the failures at this account from this address. Those of the address stay: whoever
    /// has one account could otherwise guess at all the others.
    pub(crate) fn succeeded(&mut self, attempt: &Attempt) {
        self.at_account.remove(attempt);
    }
}

fn note<K: Eq + std::hash::Hash>(
    records: &mut HashMap<K, Record>,
    key: K,
    free: u32,
    now: UnixMillis,
) {
    if records.len() >= ENTRIES_MAX && !records.contains_key(&key) {
        make_room(records, now);
    }
    let none = Record {
        failures: 0,
        last_at: now,
        paused_until: UnixMillis(i64::MIN),
    };
    let record = records.entry(key).or_insert(none);
    if record.is_forgotten(now) {
        *record = none;
    }
    record.failures = record.failures.saturating_add(1);
    record.last_at = now;
    if let Some(doublings) = record.failures.checked_sub(free) {
        let pause = PAUSE_FIRST_MILLIS << doublings.min(16);
        record.paused_until = now.plus_millis(pause.min(PAUSE_MAX_MILLIS));
    }
}

/// Drops what is forgotten; and where that is nothing, the older half.
fn make_room<K: Eq + std::hash::Hash>(records: &mut HashMap<K, Record>, now: UnixMillis) {
    records.retain(|_, record| !record.is_forgotten(now));
    if records.len() < ENTRIES_MAX {
        return;
    }
    let mut ages: Vec<i64> = records.values().map(|record| record.last_at.0).collect();
    let half = ages.len() / 2;
    let (_, middle, _) = ages.select_nth_unstable(half);
    let middle = *middle;
    records.retain(|_, record| record.last_at.0 > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(name: &str, from: &str) -> Attempt {
        Attempt::new(name, from.parse().unwrap())
    }

    /// Fails at the end of each pause, and answers the pauses in seconds.
    fn pauses(backoff: &mut Backoff, attempt: &Attempt, failures: usize) -> Vec<i64> {
        let mut now = UnixMillis(0);
        (0..failures)
            .map(|_| {
                backoff.failed(attempt, now);
                let start = now;
                while backoff.is_paused(attempt, now) {
                    now = now.plus_millis(1_000);
                }
                now.millis_since(start) / 1_000
            })
            .collect()
    }

    #[test]
    fn pauses_begin_after_a_few_failures_double_and_have_an_end() {
        let mut backoff = Backoff::default();
        let who = attempt("shop", "192.0.2.1");
        let seconds = pauses(&mut backoff, &who, 13);
        assert_eq!(seconds, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn others_are_not_paused_but_the_same_site_of_ipv6_is() {
        let mut backoff = Backoff::default();
        let who = attempt("shop", "2001:db8::1");
        for _ in 0..8 {
            backoff.failed(&who, UnixMillis(0));
        }
        let paused = |name, from| backoff.is_paused(&attempt(name, from), UnixMillis(1));
        assert!(paused("shop", "2001:db8::1"));
        assert!(paused("shop", "2001:db8::ffff"));
        assert!(!paused("shop", "2001:db8:0:1::1"));
        assert!(!paused("shop", "192.0.2.1"));
        assert!(!paused("other", "2001:db8::1"));
    }

    #[test]
    fn guessing_at_many_accounts_pauses_the_address_and_success_elsewhere_does_not_help() {
        let mut backoff = Backoff::default();
        for number in 0..25 {
            backoff.failed(
                &attempt(&format!("shop{number}"), "192.0.2.1"),
                UnixMillis(0),
            );
        }
        backoff.succeeded(&attempt("mine", "192.0.2.1"));
        assert!(backoff.is_paused(&attempt("mine", "192.0.2.1"), UnixMillis(1)));
        assert!(!backoff.is_paused(&attempt("mine", "192.0.2.2"), UnixMillis(1)));
    }

    #[test]
    fn success_and_time_forget_failures() {
        let mut backoff = Backoff::default();
        let who = attempt("shop", "192.0.2.1");
        for _ in 0..4 {
            backoff.failed(&who, UnixMillis(0));
        }
        backoff.succeeded(&who);
        backoff.failed(&who, UnixMillis(0));
        assert!(!backoff.is_paused(&who, UnixMillis(0)));
        for _ in 0..10 {
            backoff.failed(&who, UnixMillis(0));
        }
        let later = UnixMillis(FORGET_MILLIS);
        backoff.failed(&who, later);
        assert!(!backoff.is_paused(&who, later));
    }

    #[test]
    fn memory_is_bounded_however_many_addresses_guess() {
        let mut backoff = Backoff::default();
        for number in 0..3 * ENTRIES_MAX as u32 {
            let from = IpAddr::from(number.to_be_bytes());
            backoff.failed(&Attempt::new("shop", from), UnixMillis(i64::from(number)));
        }
        assert!(backoff.at_account.len() <= ENTRIES_MAX);
        assert!(backoff.from_address.len() <= ENTRIES_MAX);
    }
}
