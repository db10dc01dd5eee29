//! Many commands in one commit, and commits that cannot reach the disk.

use super::{NOW, account, bulk, open, recipients};
use domain::ids::BulkNo;
use store::{AcceptError, Store, StoreError, TopUp};
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_command_does_not_sink_the_others_of_its_group() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("peyk.db"));
    let rich = account(&store, "rich", 1_000_000).await;
    let poor = account(&store, "poor", 150).await;
    let mut tasks = Vec::new();
    for index in 0..400 {
        let who = if index % 2 == 0 { rich } else { poor };
        let store = store.clone();
        let command = bulk(who, recipients(1, 100));
        tasks.push(tokio::spawn(async move {
            (who, store.accept_bulk(command).await)
        }));
    }
    let (mut taken, mut refused) = (Vec::new(), 0);
    for task in tasks {
        match task.await.unwrap() {
            (who, Ok(accepted)) => taken.push((who, accepted.bulk)),
            (_, Err(AcceptError::InsufficientCredit)) => refused += 1,
            (_, Err(other)) => panic!("{other}"),
        }
    }
    let of_poor: Vec<_> = taken.iter().filter(|(who, _)| *who == poor).collect();
    assert_eq!((taken.len(), refused, of_poor.len()), (201, 199, 1));
    for (who, no) in taken {
        assert!(store.bulk(who, no).await.unwrap().is_some());
    }
    assert_eq!(store.check().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_full_disk_stops_the_store_and_loses_nothing_that_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("peyk.db");
    let options = Options {
        pages_max: Some(120),
        ..Options::default()
    };
    let store = SqliteStore::open(&path, options).unwrap();
    let sender = account(&store, "sender", 1_000_000_000).await;
    let mut taken = Vec::new();
    let error = loop {
        match store.accept_bulk(bulk(sender, recipients(100, 1))).await {
            Ok(accepted) => taken.push(accepted.bulk),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, AcceptError::Store(StoreError::Stopped(_))),
        "{error}"
    );
    assert!(store.failure().borrow().is_some());
    let top_up = TopUp {
        account: sender,
        amount: domain::money::Rials(1),
        note: None,
        at: NOW,
    };
    let later = store.top_up(top_up).await.unwrap_err();
    assert!(later.to_string().contains("stopped"), "{later}");
    drop(store);

    let store = open(&path);
    assert!(!taken.is_empty());
    for no in &taken {
        let report = store.bulk(sender, *no).await.unwrap().unwrap();
        assert_eq!(report.counts.total(), 100);
    }
    let refused = BulkNo(taken.last().unwrap().0 + 1);
    assert_eq!(store.bulk(sender, refused).await.unwrap(), None);
    assert_eq!(store.check().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_closed_store_has_finished_what_was_queued_and_refuses_the_rest() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("peyk.db");
    let store = open(&path);
    let sender = account(&store, "sender", 1_000).await;
    let accepted = store
        .accept_bulk(bulk(sender, recipients(1, 1)))
        .await
        .unwrap();
    store.close().await;
    let later = store
        .accept_bulk(bulk(sender, recipients(1, 1)))
        .await
        .unwrap_err();
    assert!(
        matches!(later, AcceptError::Store(StoreError::Stopped(_))),
        "{later}"
    );
    let query = store.balance(sender).await.unwrap_err();
    assert!(matches!(query, StoreError::Stopped(_)), "{query}");
    let store = open(&path);
    assert!(store.bulk(sender, accepted.bulk).await.unwrap().is_some());
}
