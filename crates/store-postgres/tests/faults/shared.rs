//! Two processes at the same accounts, each with a link of its own over the same lane.

use crate::world::*;
use domain::ids::{AccountId, RecipientKey};
use domain::status::State;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use store::*;
use store_postgres::PostgresStore;
use tokio::task::JoinSet;

/// Bulks that each task sends to each account.
const BULKS: u32 = 40;

type Seen = Arc<Mutex<BTreeSet<RecipientKey>>>;

/// Sends, and stops every fifth bulk through the other process.
async fn send_and_stop(
    store: Arc<PostgresStore>,
    other: Arc<PostgresStore>,
    w: World,
    account: AccountId,
) {
    for n in 0..BULKS {
        let bulk = send(&*store, w.bulk(account, "سلام", 1 + n % 30)).await;
        if n % 5 > 0 {
            continue;
        }
        let stop = StopBulk {
            account,
            bulk,
            reason: StopReason::Cancelled,
            now: T0,
        };
        while other.stop_bulk(stop).await.expect("stop_bulk") == Stopped::More {}
    }
}

/// Claims and answers through one process; receipts come to the other one at the same time.
async fn carry(
    store: Arc<PostgresStore>,
    other: Arc<PostgresStore>,
    w: World,
    link: usize,
    seen: Seen,
    sent: Arc<AtomicBool>,
) {
    loop {
        let ending = sent.load(Ordering::SeqCst);
        let claimed = store.claim_due(w.claim(link, 60)).await;
        let claimed = claimed.expect("claim_due");
        if claimed.is_empty() && ending {
            return;
        }
        for message in &claimed {
            let new = seen.lock().unwrap().insert(message.key);
            assert!(new, "{:?} was claimed twice", message.key);
        }
        let parts = parts_of(&claimed);
        let (recorded, received) = tokio::join!(
            store.record_outcomes(w.outcomes(link, &parts)),
            other.record_receipts(w.receipts(link, &parts)),
        );
        recorded.expect("record_outcomes");
        received.expect("record_receipts");
    }
}

async fn sweep(store: Arc<PostgresStore>, sent: Arc<AtomicBool>) {
    while !sent.load(Ordering::SeqCst) {
        store.sweep(T0.plus_seconds(1)).await.expect("sweep");
        tokio::task::yield_now().await;
    }
}

pub async fn two_processes_are_never_in_each_others_way() {
    let url = place().fresh();
    let config = config(&url);
    let stores = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    let w = World::make(&*stores[0]).await;
    let mut senders = JoinSet::new();
    let mut accounts = Vec::new();
    for n in 0..3 {
        let account = account(&*stores[0], &format!("customer-{n}")).await;
        accounts.push(account);
        for (one, other) in [(0, 1), (1, 0)] {
            let (store, other) = (stores[one].clone(), stores[other].clone());
            senders.spawn(send_and_stop(store, other, w, account));
        }
    }
    let (seen, sent) = (Seen::default(), Arc::new(AtomicBool::new(false)));
    let mut carriers = JoinSet::new();
    for (link, other) in [(0, 1), (1, 0)] {
        let (store, other) = (stores[link].clone(), stores[other].clone());
        carriers.spawn(sweep(store.clone(), sent.clone()));
        carriers.spawn(carry(store, other, w, link, seen.clone(), sent.clone()));
    }
    senders.join_all().await;
    sent.store(true, Ordering::SeqCst);
    carriers.join_all().await;
    // Receipts that were parked while their message was being recorded.
    while stores[0]
        .sweep(T0.plus_seconds(1))
        .await
        .expect("sweep")
        .more
    {}
    let (delivered, cancelled) = (State::Delivered as u8, State::Cancelled as u8);
    let sql = format!("SELECT count(*) FROM recipient WHERE state = {delivered}");
    let count = place().sql(&url, &sql);
    assert_eq!(count, seen.lock().unwrap().len().to_string(), "all claimed");
    let sql =
        format!("SELECT count(*) FROM recipient WHERE state NOT IN ({delivered}, {cancelled})");
    assert_eq!(place().sql(&url, &sql), "0", "nothing is left open");
    for account in accounts {
        assert_eq!(
            money(&*stores[1], account).await.1,
            0,
            "nothing stays reserved"
        );
    }
    assert_sound(&*stores[0]).await;
    let [one, other] = stores;
    one.close().await;
    other.close().await;
}
