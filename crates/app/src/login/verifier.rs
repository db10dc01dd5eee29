//! Is this the password? Answered from memory where it can be, else by computing the hash: two at
//! a time, with a bounded queue, and once for all who ask the same at the same moment.
//!
//! Not here: whose password it is, and what else is needed to be let in (`login`).

use super::backoff::{Attempt, Backoff};
use crate::limits::Limits;
use crate::{lock, password};
use domain::time::Clock;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::StoreError;
use tokio::sync::{Semaphore, watch};

/// Credentials that were wrong and are remembered as such.
const WRONG_REMEMBERED_MAX: usize = 10_000;

/// Hashes that are computed at the same time; each takes 19 MiB and a core.
const HASHES_AT_ONCE: usize = 2;

/// Passwords of new accounts that may wait for their hash: few, since logins wait behind them.
const NEW_PASSWORDS_WAITING_MAX: usize = 8;

/// A keyed digest of (name, password, stored hash). A changed password has another stored hash,
/// so what is remembered of the old one is never found again.
pub(super) type Digest = [u8; 32];

/// What came of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the password.
    Right,
    /// It is not, or the caller is in a pause and nobody looked.
    Wrong,
}

/// A computation under way: who else asks the same waits for its answer.
type Flight = watch::Receiver<Option<Verdict>>;

/// What has been right, and what is being computed.
pub(super) struct Verifier {
    key: [u8; 32],
    clock: Arc<dyn Clock>,
    right: Mutex<Remembered>,
    /// A client with an old password sends it again and again. That is no guessing: it costs one
    /// hash and one failure, and does not pause the others behind its address.
    wrong: Mutex<Remembered>,
    backoff: Mutex<Backoff>,
    flights: Mutex<HashMap<(Digest, Attempt), Flight>>,
    flights_max: usize,
    permits: Semaphore,
    new_passwords: Arc<Semaphore>,
    /// Hashes computed so far.
    computed: AtomicU64,
}

impl Verifier {
    pub(super) fn new(key: [u8; 32], limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            key,
            clock,
            right: Mutex::new(Remembered::new(limits.logins_remembered_max as usize)),
            wrong: Mutex::new(Remembered::new(WRONG_REMEMBERED_MAX)),
            backoff: Mutex::default(),
            flights: Mutex::default(),
            flights_max: HASHES_AT_ONCE + limits.logins_waiting_max as usize,
            permits: Semaphore::new(HASHES_AT_ONCE),
            new_passwords: Arc::new(Semaphore::new(NEW_PASSWORDS_WAITING_MAX)),
            computed: AtomicU64::new(0),
        }
    }

    /// Whether `password` has the hash `stored`. What was right before is right without computing,
    /// also during a pause.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] where too many wait already.
    pub(super) async fn verify(
        self: &Arc<Self>,
        attempt: Attempt,
        name: &str,
        password: &str,
        stored: &str,
    ) -> Result<Verdict, StoreError> {
        let digest = self.digest(name, password, stored);
        if lock(&self.right).contains(&digest) {
            return Ok(Verdict::Right);
        }
        // Nothing makes wrong credentials right but another stored hash, hence another digest.
        if lock(&self.wrong).contains(&digest) || self.is_paused(&attempt) {
            return Ok(Verdict::Wrong);
        }
        let mut flight = self.join_or_start(digest, attempt, password, stored)?;
        let landed = flight
            .wait_for(Option::is_some)
            .await
            .map(|verdict| *verdict);
        // The sender goes without an answer only when the runtime is shutting down.
        landed
            .ok()
            .flatten()
            .ok_or_else(|| StoreError::Stopped("shutting down".into()))
    }

    /// The hash of a new password, under the same permits as logins: opening accounts as fast as a
    /// caller can must not take the processor from those who log in.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] where too many wait already.
    pub(super) async fn hash_new(self: &Arc<Self>, password: String) -> Result<String, StoreError> {
        let place = Arc::clone(&self.new_passwords)
            .try_acquire_owned()
            .map_err(|_| StoreError::Overloaded)?;
        let verifier = Arc::clone(self);
        // A task of its own: a caller who hangs up must not set the permit free while the hash is
        // still being computed.
        let task = tokio::spawn(async move {
            let _place = place;
            let _permit = verifier.permits.acquire().await.ok()?;
            verifier.computed.fetch_add(1, Ordering::Relaxed);
            let hashing = move || password::hash(&password);
            tokio::task::spawn_blocking(hashing).await.ok()
        });
        let hashed = task.await.ok().flatten();
        let hashed = hashed.ok_or_else(|| StoreError::Stopped("shutting down".into()))?;
        hashed.map_err(|error| StoreError::Other(error.to_string()))
    }

    /// Whether a secret that is found by its digest, without computing, may be looked for: not
    /// during a pause, unless it was right before.
    pub(super) fn may_look(&self, attempt: &Attempt, digest: &Digest) -> bool {
        lock(&self.right).contains(digest) || !self.is_paused(attempt)
    }

    /// Writes down that such a secret was found.
    pub(super) fn found(&self, attempt: &Attempt, digest: Digest) {
        lock(&self.right).insert(digest);
        lock(&self.backoff).succeeded(attempt);
    }

    /// Writes down that such a secret was not found. The same one again is no further guess.
    pub(super) fn missed(&self, attempt: &Attempt, digest: Digest) {
        let mut wrong = lock(&self.wrong);
        if !wrong.contains(&digest) {
            wrong.insert(digest);
            lock(&self.backoff).failed(attempt, self.clock.now());
        }
    }

    fn digest(&self, name: &str, password: &str, stored: &str) -> Digest {
        // Neither a canonical name nor a stored hash contains the byte 0, so the first and the
        // last one part the three without doubt.
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher
            .update(name.as_bytes())
            .update(&[0])
            .update(password.as_bytes());
        hasher.update(&[0]).update(stored.as_bytes());
        *hasher.finalize().as_bytes()
    }

    fn is_paused(&self, attempt: &Attempt) -> bool {
        lock(&self.backoff).is_paused(attempt, self.clock.now())
    }

    /// The computation of this very question, which is started unless it runs already. It runs as
    /// a task of its own: the others still need it when the first caller hangs up.
    fn join_or_start(
        self: &Arc<Self>,
        digest: Digest,
        attempt: Attempt,
        password: &str,
        stored: &str,
    ) -> Result<Flight, StoreError> {
        let mut flights = lock(&self.flights);
        let key = (digest, attempt);
        if let Some(flight) = flights.get(&key) {
            return Ok(flight.clone());
        }
        // A flight leaves the list after its answer is remembered, so under this lock no answer
        // can be missed between the first look and the joining.
        if lock(&self.right).contains(&key.0) {
            return Ok(watch::channel(Some(Verdict::Right)).1);
        }
        if flights.len() >= self.flights_max {
            return Err(StoreError::Overloaded);
        }
        let (sender, flight) = watch::channel(None);
        flights.insert(key.clone(), flight.clone());
        let landing = Landing {
            verifier: Arc::clone(self),
            key,
        };
        let (password, stored) = (password.to_owned(), stored.to_owned());
        tokio::spawn(async move {
            let verdict = landing.compute(password, stored).await;
            // First off the list, so that nobody joins a flight that has landed.
            drop(landing);
            sender.send_replace(verdict);
        });
        Ok(flight)
    }
}

/// Takes a computation off the list, whatever becomes of it.
struct Landing {
    verifier: Arc<Verifier>,
    key: (Digest, Attempt),
}

impl Landing {
    async fn compute(&self, password: String, stored: String) -> Option<Verdict> {
        let (digest, attempt) = &self.key;
        let verifier = &*self.verifier;
        let _permit = verifier.permits.acquire().await.ok()?;
        // A burst of guesses came past the first look together; those that failed meanwhile count.
        if verifier.is_paused(attempt) {
            return Some(Verdict::Wrong);
        }
        verifier.computed.fetch_add(1, Ordering::Relaxed);
        let hashing = move || password::verify(&password, &stored);
        let fits = tokio::task::spawn_blocking(hashing).await.ok()?;
        if fits {
            lock(&verifier.right).insert(*digest);
            lock(&verifier.backoff).succeeded(attempt);
            return Some(Verdict::Right);
        }
        lock(&verifier.wrong).insert(*digest);
        lock(&verifier.backoff).failed(attempt, verifier.clock.now());
        Some(Verdict::Wrong)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.verifier.flights).remove(&self.key);
    }
}

/// Digests, in two generations: when the younger one is full, the older one goes.
struct Remembered {
    young: HashSet<Digest>,
    old: HashSet<Digest>,
    generation_max: usize,
}

impl Remembered {
    fn new(max: usize) -> Self {
        let generation_max = max.div_ceil(2).max(1);
        Self {
            young: HashSet::new(),
            old: HashSet::new(),
            generation_max,
        }
    }

    /// Whether it is remembered; what is asked for stays.
    fn contains(&mut self, digest: &Digest) -> bool {
        if self.young.contains(digest) {
            return true;
        }
        let found = self.old.remove(digest);
        if found {
            self.insert(*digest);
        }
        found
    }

    fn insert(&mut self, digest: Digest) {
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest);
    }
}

#[cfg(test)]
impl Verifier {
    /// Hashes computed so far.
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_remembered_and_memory_is_bounded() {
        let mut remembered = Remembered::new(8);
        let digest = |number: u16| {
            let mut digest = [0; 32];
            digest[..2].copy_from_slice(&number.to_be_bytes());
            digest
        };
        remembered.insert(digest(0));
        for number in 1..1_000 {
            remembered.insert(digest(number));
            assert!(remembered.contains(&digest(0)));
            assert!(remembered.young.len() + remembered.old.len() <= 8);
        }
        assert!(!remembered.contains(&digest(1)));
    }
}
