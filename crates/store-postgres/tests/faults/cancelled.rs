//! Callers go away at any instant: no connection of the pool is left in a transaction or with an
//! answer that nobody waits for, and no command is written in part.

use crate::world::*;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::*;
use tokio::task::JoinSet;

/// Commands that are broken off.
const COMMANDS: u64 = 240;

/// Runs a command until it is done or this instant has come.
async fn until<T>(micros: u64, command: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        answer = command => Some(answer),
        () = tokio::time::sleep(Duration::from_micros(micros)) => None,
    }
}

pub async fn who_goes_away_leaves_no_open_transaction_and_no_half_command() {
    let url = place().fresh();
    let config = config(&url);
    let store = open(&config).await;
    let w = World::make(&store).await;
    let account = account(&store, "customer").await;
    let begun = AcceptBulk {
        whole: false,
        ..w.bulk(account, "سلام", 1)
    };
    let building = send(&store, begun).await;
    let mut broken_off = 0;
    let mut parts = Vec::new();
    for n in 0..COMMANDS {
        // Without order, the same at each run.
        let micros = n.wrapping_mul(6_364_136_223_846_793_005) >> 40;
        let micros = micros % 12_000;
        let add = AddRecipients {
            account,
            bulk: building,
            recipients: recipients(2),
            approval: None,
            now: T0,
        };
        let done = match n % 8 {
            0 => until(micros, store.accept_bulk(w.bulk(account, "سلام", 5)))
                .await
                .is_some(),
            1 => until(micros, store.top_up(top_up(account, 10)))
                .await
                .is_some(),
            2 => until(micros, store.add_recipients(add)).await.is_some(),
            3 => match until(micros, store.claim_due(w.claim(0, 3))).await {
                Some(claimed) => {
                    parts = parts_of(&claimed.expect("claim_due"));
                    true
                }
                None => false,
            },
            4 => until(micros, store.record_outcomes(w.outcomes(0, &parts)))
                .await
                .is_some(),
            5 => until(micros, store.record_receipts(w.receipts(0, &parts)))
                .await
                .is_some(),
            6 => until(micros, store.waiting_lanes(T0)).await.is_some(),
            _ => until(micros, store.ledger(account, None, 1_000))
                .await
                .is_some(),
        };
        broken_off += u32::from(!done);
    }
    assert!(broken_off > 20, "{broken_off} were broken off");
    settle(&url).await;
    // Each connection of the pool is as good as a new one.
    let balances = (0..32).map(|_| store.balance(account));
    let balances = futures_util::future::join_all(balances).await;
    let first = balances[0].as_ref().expect("balance").credit;
    for balance in &balances {
        assert_eq!(balance.as_ref().expect("balance").credit, first);
    }
    send(&store, w.bulk(account, "سلام", 1)).await;
    let sql = "SELECT count(*) FROM bulk b WHERE b.next_seq <> (SELECT count(*) FROM recipient r
         WHERE r.account_id = b.account_id AND r.bulk_no = b.bulk_no)";
    assert_eq!(
        place().sql(&url, sql),
        "0",
        "bulks without all their recipients"
    );
    assert_sound(&store).await;
    store.close().await;
}

/// Waits until the sessions that were let go of have ended what they did.
async fn settle(url: &str) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND state <> 'idle'";
    for _ in 0..100 {
        if place().sql(url, sql) == "0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a session is left in a transaction");
}

/// Whoever is told that the store has stopped was not written down, and whoever was is told so.
pub async fn a_store_that_closes_answers_for_all_that_it_wrote() {
    let url = place().fresh();
    let store = Arc::new(open(&config(&url)).await);
    let w = World::make(&*store).await;
    let account = account(&*store, "customer").await;
    let mut sending = JoinSet::new();
    for n in 0..200 {
        let (store, command) = (Arc::clone(&store), w.bulk(account, &format!("{n}"), 1));
        sending.spawn(async move {
            tokio::time::sleep(Duration::from_micros(200 * n)).await;
            match store.accept_bulk(command).await {
                Ok(_) => Some(n.to_string()),
                Err(AcceptError::Store(StoreError::Stopped(_))) => None,
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.close().await;
    let taken: BTreeSet<String> = sending.join_all().await.into_iter().flatten().collect();
    let there = place().sql(&url, "SELECT text FROM bulk");
    let there: BTreeSet<String> = there.lines().map(Into::into).collect();
    assert_eq!(taken, there);
    assert!(taken.len() < 200, "it was closed before the last one came");
}
