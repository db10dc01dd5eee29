//! Whose turn it is to write a long list: each account one list at a time, and a few lists in all.
//!
//! Every list has one command with the store at any moment, and whoever sends a single message
//! waits behind those of all lists. So their number is what keeps single messages quick; and one
//! account that sends to a hundred books at once waits for itself and for nobody else.

use crate::lock;
use domain::ids::AccountId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Lists that are written at the same time.
const LISTS_AT_ONCE_MAX: usize = 4;

/// The turns of all accounts.
pub(crate) struct Turns {
    lists: Arc<Semaphore>,
    accounts: Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>,
}

/// A turn; over when it is dropped.
pub(crate) struct Turn {
    _account: OwnedMutexGuard<()>,
    _list: Option<OwnedSemaphorePermit>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            lists: Arc::new(Semaphore::new(LISTS_AT_ONCE_MAX)),
            accounts: Mutex::default(),
        }
    }
}

impl Turns {
    /// Waits for the account's turn. Those of one account come in the order in which they asked.
    pub(crate) async fn wait(&self, account: AccountId) -> Turn {
        let own = {
            let mut accounts = lock(&self.accounts);
            // Nobody holds or waits for those that only the map knows.
            accounts.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(accounts.entry(account).or_default())
        };
        let own = own.lock_owned().await;
        // The semaphore is never closed, so there always is a permit in the end.
        let list = Arc::clone(&self.lists).acquire_owned().await.ok();
        Turn {
            _account: own,
            _list: list,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_account_waits_for_itself_and_not_for_another() {
        let turns = Turns::default();
        let Poll::Ready(first) = poll(pin!(turns.wait(AccountId(1)))) else {
            panic!("nobody has the turn");
        };
        let mut second = pin!(turns.wait(AccountId(1)));
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(pin!(turns.wait(AccountId(2)))).is_ready());
        drop(first);
        assert!(poll(second.as_mut()).is_ready());
    }

    #[test]
    fn only_a_few_lists_are_written_at_once_and_the_map_does_not_grow() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for id in 0..LISTS_AT_ONCE_MAX as i64 {
            let Poll::Ready(turn) = poll(pin!(turns.wait(AccountId(id)))) else {
                panic!("there is room");
            };
            held.push(turn);
        }
        let mut next = pin!(turns.wait(AccountId(99)));
        assert!(poll(next.as_mut()).is_pending());
        held.pop();
        assert!(poll(next.as_mut()).is_ready());
        drop(held);
        drop(poll(pin!(turns.wait(AccountId(100)))));
        assert!(lock(&turns.accounts).len() <= 3);
    }
}
