//! Somebody holds an account in the database and does not let go of it.

use crate::proxy::{Cut, Proxy, Said};
use crate::world::*;
use domain::ids::AccountId;
use std::time::Duration;
use store::*;
use tokio_postgres::{Client, NoTls};

/// A session that holds the lock of an account until it is dropped or rolled back.
async fn hold(url: &str, account: AccountId) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    let lock = format!("BEGIN; SELECT 1 FROM account WHERE id = {account} FOR UPDATE");
    client.batch_execute(&lock).await.expect("the lock");
    client
}

fn assert_held<T: std::fmt::Debug, E: std::fmt::Display>(answer: Result<T, E>) {
    let error = answer.expect_err("the account is held").to_string();
    assert!(error.contains("held by another session"), "{error}");
}

/// Its commands fail with a reason; what belongs to others goes its way, also through the same
/// writer, the same claim and the same sweep.
pub async fn a_held_account_stops_nobody_else() {
    let url = place().fresh();
    let mut config = config(&url);
    (config.statement_timeout_seconds, config.writers) = (1, 1);
    let store = open(&config).await;
    let w = World::make(&store).await;
    let held = account(&store, "held").await;
    let free = account(&store, "free").await;
    send(&store, w.bulk(held, "سلام", 2)).await;
    let session = hold(&url, held).await;
    // The first ones wait together until the time limit of a statement.
    let (of_held, of_free) = tokio::join!(
        store.accept_bulk(w.bulk(held, "سلام", 1)),
        store.accept_bulk(w.bulk(free, "سلام", 3)),
    );
    assert_held(of_held);
    of_free.expect("the other account's bulk is taken");
    assert_held(store.accept_bulk(w.bulk(held, "سلام", 1)).await);
    assert_held(store.top_up(top_up(held, 1)).await);
    let claimed = store.claim_due(w.claim(0, 100)).await.expect("claim_due");
    let whose: Vec<AccountId> = claimed.iter().map(|message| message.key.account).collect();
    assert_eq!(whose, [free; 3], "the claim leaves the held account out");
    let parts = parts_of(&claimed);
    let recorded = store.record_outcomes(w.outcomes(0, &parts)).await;
    recorded.expect("record_outcomes");
    store.sweep(T0.plus_seconds(1)).await.expect("sweep");
    session.batch_execute("ROLLBACK").await.expect("ROLLBACK");
    // It is asked for again twice a second, whenever somebody writes.
    let mut claimed = Vec::new();
    for _ in 0..100 {
        claimed = store.claim_due(w.claim(0, 100)).await.expect("claim_due");
        if !claimed.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(claimed.len(), 2, "the account is free again");
    send(&store, w.bulk(held, "سلام", 1)).await;
    assert_sound(&store).await;
    store.close().await;
}

/// A claim that is the first to meet a held account waits for it once.
pub async fn a_claim_goes_on_without_a_held_account() {
    let url = place().fresh();
    let mut config = config(&url);
    config.statement_timeout_seconds = 1;
    let store = open(&config).await;
    let w = World::make(&store).await;
    let held = account(&store, "held").await;
    let free = account(&store, "free").await;
    for account in [held, free] {
        send(&store, w.bulk(account, "سلام", 2)).await;
    }
    let session = hold(&url, held).await;
    assert_held(store.claim_due(w.claim(0, 100)).await);
    // Also where only one account may be served at a time.
    for _ in 0..2 {
        let claimed = store.claim_due(w.claim(0, 1)).await.expect("claim_due");
        let whose: Vec<AccountId> = claimed.iter().map(|message| message.key.account).collect();
        assert_eq!(whose, [free]);
    }
    session.batch_execute("ROLLBACK").await.expect("ROLLBACK");
    assert_sound(&store).await;
    store.close().await;
}

/// A process of peyk that stops in the middle of a transaction: the server ends it after ten
/// seconds, and its COMMIT comes too late.
pub async fn a_transaction_that_is_silent_is_ended_by_the_server() {
    let url = place().fresh();
    let direct = open(&config(&url)).await;
    let proxy = Proxy::start(&url).await;
    let broken = open(&config(proxy.url())).await;
    let account = account(&direct, "customer").await;
    proxy.cut_next(Cut::Late(Duration::from_secs(13)));
    let paid = broken.top_up(top_up(account, 77)).await.expect("top_up");
    assert_eq!(paid.credit.0, CREDIT + 77);
    assert_eq!(proxy.said().await, Said::Nothing, "the session was ended");
    assert_eq!(
        entries(&direct, account).await.len(),
        2,
        "it is written once"
    );
    assert_sound(&direct).await;
    broken.close().await;
    direct.close().await;
}
