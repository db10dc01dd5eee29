//! Bulks to people of the directory: whose numbers their senders may not see.

use super::Harness;
use super::fixture::*;
use crate::{AcceptBulk, AcceptError};
use domain::recipient::{Address, NewRecipient};

pub(super) async fn a_bulk_keeps_that_its_sender_may_not_see_the_numbers(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let masked = |masked| AcceptBulk {
        masked,
        ..w.bulk_of(account, recipients(3))
    };
    let hidden = w.accept(masked(true)).await;
    let shown = w.accept(masked(false)).await;
    let built = w
        .accept(AcceptBulk {
            whole: false,
            ..masked(true)
        })
        .await;
    w.add(account, built, recipients(2)).await.expect("taken");
    w.seal_bulk(account, built, None).await.expect("sealed");
    for (bulk, masked) in [(hidden, true), (shown, false), (built, true)] {
        assert_eq!(w.report(account, bulk).await.masked, masked, "{bulk}");
    }
    // The mark is for front doors: whoever delivers needs the numbers.
    let addresses: Vec<_> = w.all(account, hidden).await;
    let expected: Vec<_> = (0..3).map(|n| Address::Mobile(mobile(n))).collect();
    let found = addresses.into_iter().map(|one| one.address);
    assert_eq!(found.collect::<Vec<_>>(), expected);
    w.finish().await;
}

pub(super) async fn a_masked_number_is_never_taken(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let one = recipients(1).remove(0);
    let masked = NewRecipient {
        address: one.address.masked(),
        ..one
    };
    let refused = w.accept_bulk(w.bulk_of(account, vec![masked])).await;
    assert!(
        matches!(refused, Err(AcceptError::Refused(_))),
        "{refused:?}"
    );
    w.finish().await;
}
