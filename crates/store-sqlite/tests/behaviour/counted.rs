//! Statistics of what was there before they were kept, and the doctor's word on wrong ones.

use crate::{NOW, account, bulk, open, recipients};
use domain::ids::{AccountId, BulkNo};
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient};
use domain::status::State;
use rusqlite::Connection;
use std::path::Path;
use store::{AcceptBulk, Bulks, Statistic, StatisticQuery, StopBulk, StopReason, Store};
use store_sqlite::SqliteStore;
use store_sqlite::schema::MIGRATIONS;

async fn statistics(store: &SqliteStore, account: AccountId) -> Vec<Statistic> {
    let query = StatisticQuery {
        account: Some(account),
        from_hour: i64::MIN,
        to_hour: i64::MAX,
    };
    store.statistics(query).await.unwrap()
}

/// Runs SQL beside the store that has the file open.
fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

async fn cancel(store: &SqliteStore, account: AccountId, bulk: BulkNo) {
    let stop = StopBulk {
        account,
        bulk,
        reason: StopReason::Cancelled,
        now: NOW,
    };
    store.stop_bulk(stop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_migration_counts_what_is_there_already() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = open(&path);
    let sender = account(&store, "sender", 1_000_000).await;
    let mut to = recipients(5, 10);
    to.push(NewRecipient {
        ends_as: Some((State::Discarded, Reason::Blacklisted)),
        ..to[0].clone()
    });
    to.push(NewRecipient {
        address: Address::Invalid("12".into()),
        parts: 0,
        ends_as: Some((State::Failed, Reason::NotAMobileNumber)),
        ..to[0].clone()
    });
    for hours in [0, 1, 30] {
        let later = AcceptBulk {
            accepted_at: NOW.plus_seconds(hours * 3_600),
            ..bulk(sender, to.clone())
        };
        store.accept_bulk(later).await.unwrap();
    }
    cancel(&store, sender, BulkNo::FIRST).await;
    let counted = statistics(&store, sender).await;
    assert_eq!(counted.len(), 3);
    let migration = MIGRATIONS.iter().find(|one| one.name == "0011_bulks");
    let migration = migration.expect("it is there").sql;
    sql(&path, "DROP TABLE statistic");
    sql(&path, migration);
    assert_eq!(statistics(&store, sender).await, counted);
    assert_eq!(store.check().await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_finds_statistics_that_count_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = open(&path);
    let sender = account(&store, "sender", 1_000_000).await;
    store
        .accept_bulk(bulk(sender, recipients(3, 10)))
        .await
        .unwrap();
    sql(&path, "UPDATE statistic SET unsent = unsent + 1");
    let findings = store.check().await.unwrap();
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["statistics"], "{findings:#?}");
    assert!(findings[0].what.contains("[4, 0, 0, 0, 0]"), "{findings:?}");
    sql(&path, "DELETE FROM statistic");
    assert_eq!(store.check().await.unwrap().len(), 1);
    store.close().await;
}
