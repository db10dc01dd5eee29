//! The server dies and comes back while two processes send, claim, answer and deliver.

use crate::world::*;
use domain::ids::{AccountId, BulkNo, RecipientKey};
use private_postgres::Settings;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::*;
use store_postgres::PostgresStore;
use tokio::task::JoinSet;

const PATIENCE_SECONDS: u32 = 30;

/// Seconds after which a command counts as hanging: its patience, an answer that does not come,
/// and a machine that has much to do.
const HANGS_SECONDS: u64 = 90;

async fn bounded<T>(command: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(HANGS_SECONDS);
    tokio::time::timeout(limit, command)
        .await
        .expect("no command hangs")
}

/// Sends single messages until told to stop; answers what was acknowledged.
async fn send_all(
    store: Arc<PostgresStore>,
    w: World,
    account: AccountId,
    name: String,
    over: Arc<AtomicBool>,
) -> Vec<(AccountId, BulkNo, String)> {
    let mut taken = Vec::new();
    for n in 0.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let text = format!("{account} {name} {n}");
        match bounded(store.accept_bulk(w.bulk(account, &text, 1))).await {
            Ok(accepted) => taken.push((account, accepted.bulk, text)),
            Err(error) => eprintln!("not acknowledged: {error}"),
        }
    }
    taken
}

/// Who was claimed; nobody may be twice.
type Claimed = Arc<Mutex<BTreeSet<RecipientKey>>>;

/// Claims, answers and delivers until told to stop and nothing is left.
async fn carry(
    store: Arc<PostgresStore>,
    w: World,
    link: usize,
    seen: Claimed,
    over: Arc<AtomicBool>,
) {
    loop {
        let ending = over.load(Ordering::SeqCst);
        let claimed = match bounded(store.claim_due(w.claim(link, 100))).await {
            Ok(claimed) => claimed,
            Err(error) => {
                eprintln!("not claimed: {error}");
                continue;
            }
        };
        if claimed.is_empty() {
            if ending {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        for message in &claimed {
            let new = seen.lock().unwrap().insert(message.key);
            assert!(new, "{:?} was claimed twice", message.key);
        }
        // As the dispatcher does, until they are written.
        let parts = parts_of(&claimed);
        while let Err(error) = bounded(store.record_outcomes(w.outcomes(link, &parts))).await {
            eprintln!("not recorded: {error}");
        }
        while let Err(error) = bounded(store.record_receipts(w.receipts(link, &parts))).await {
            eprintln!("not received: {error}");
        }
    }
}

pub async fn what_was_acknowledged_is_there_once_however_often_the_server_dies() {
    let place = Arc::new(Place::start(Settings::default()));
    let url = place.fresh();
    let mut config = config(&url);
    config.patience_seconds = PATIENCE_SECONDS;
    let stores = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    let w = World::make(&*stores[0]).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut senders = JoinSet::new();
    let mut accounts = Vec::new();
    for n in 0..4 {
        let account = account(&*stores[0], &format!("customer-{n}")).await;
        accounts.push(account);
        for (process, store) in stores.iter().enumerate() {
            let name = format!("of process {process}");
            senders.spawn(send_all(store.clone(), w, account, name, over.clone()));
        }
    }
    let (seen, sent) = (Claimed::default(), Arc::new(AtomicBool::new(false)));
    let mut carriers = JoinSet::new();
    for (link, store) in stores.iter().enumerate() {
        carriers.spawn(carry(store.clone(), w, link, seen.clone(), sent.clone()));
    }
    let killed = Arc::clone(&place);
    let killing = tokio::task::spawn_blocking(move || kill_thrice(&killed));
    killing.await.expect("the server comes back");
    over.store(true, Ordering::SeqCst);
    let taken: Vec<_> = senders.join_all().await.into_iter().flatten().collect();
    sent.store(true, Ordering::SeqCst);
    carriers.join_all().await;
    assert_all_is_there(&place, &url, &taken);
    settle_doubts(&stores[0], w, &seen).await;
    for account in accounts {
        let sql = format!("SELECT count(*) FROM bulk WHERE account_id = {account}");
        let bulks: i64 = place.sql(&url, &sql).parse().expect("a number");
        let paid = (CREDIT - PRICE * bulks, 0);
        assert_eq!(money(&*stores[0], account).await, paid, "account {account}");
    }
    assert_sound(&*stores[0]).await;
    for store in stores {
        store.close().await;
    }
}

fn kill_thrice(place: &Place) {
    let pause = || std::thread::sleep(Duration::from_millis(1_000));
    for kill in [true, false, true] {
        pause();
        let ended = if kill {
            place.server.kill()
        } else {
            place.server.stop_fast()
        };
        ended.expect("the server ends");
        place.server.start_again().expect("the server starts");
    }
    pause();
}

/// Each acknowledged bulk is there under its number, and none is there twice.
fn assert_all_is_there(place: &Place, url: &str, taken: &[(AccountId, BulkNo, String)]) {
    let rows = place.sql(url, "SELECT account_id || '-' || bulk_no, text FROM bulk");
    let mut there: BTreeMap<&str, &str> = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for row in rows.lines() {
        let (key, text) = row.split_once('|').expect("two columns");
        there.insert(key, text);
        assert!(texts.insert(text), "`{text}` is there twice");
    }
    assert!(taken.len() > 20, "{} were acknowledged", taken.len());
    for (account, bulk, text) in taken {
        let key = format!("{account}-{bulk}");
        assert_eq!(there.get(key.as_str()), Some(&text.as_str()), "bulk {key}");
    }
}

/// A claim that was not acknowledged may have been written: then its recipients are in doubt, and
/// go out after a recovery.
async fn settle_doubts(store: &Arc<PostgresStore>, w: World, seen: &Claimed) {
    let links = w.links.map(|link| HeldLink { link, epoch: 0 }).to_vec();
    let command = RecoverInDoubt { links, now: T0 };
    loop {
        let recovered = store.recover_in_doubt(command.clone()).await;
        let recovered = recovered.expect("recover_in_doubt");
        for key in &recovered.recipients {
            let claimed = seen.lock().unwrap().contains(key);
            assert!(!claimed, "{key:?} was answered and is in doubt");
        }
        if !recovered.more {
            break;
        }
    }
    let over = Arc::new(AtomicBool::new(true));
    carry(store.clone(), w, 0, seen.clone(), over).await;
}
