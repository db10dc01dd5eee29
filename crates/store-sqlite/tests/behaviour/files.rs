//! The file itself: who may read it, whose it is, and several stores on one.

use super::{account, bulk, open, recipients};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use store::Store;
use store::schema::Refused;
use store_sqlite::{OpenError, Options, SqliteStore, open_read_only};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_take_turns_and_agree() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("peyk.db");
    let stores = [open(&path), open(&path)];
    let sender = account(&stores[0], "sender", 1_000_000).await;
    let mut tasks = Vec::new();
    for index in 0..200 {
        let store = stores[index % 2].clone();
        let command = bulk(sender, recipients(2, 10));
        tasks.push(tokio::spawn(
            async move { store.accept_bulk(command).await },
        ));
    }
    let mut numbers = BTreeSet::new();
    for task in tasks {
        numbers.insert(task.await.unwrap().unwrap().bulk);
    }
    assert_eq!(numbers.len(), 200, "no number was given twice");
    let balances = [
        stores[0].balance(sender).await.unwrap(),
        stores[1].balance(sender).await.unwrap(),
    ];
    assert_eq!(balances[0], balances[1]);
    assert_eq!(balances[0].reserved.0, 4_000);
    assert_eq!(stores[1].check().await.unwrap(), vec![]);
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data").join("peyk.db");
    let store = open(&path);
    account(&store, "sender", 1).await;
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("peyk.db{suffix}");
        let mode = std::fs::metadata(path.with_file_name(&name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let copy = folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        store.backup(&copy).await.is_err(),
        "a backup replaces no file"
    );
    assert_eq!(open(&copy).accounts(None, 10).await.unwrap().len(), 1);
}

#[test]
fn a_database_of_something_else_or_of_a_newer_program_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE song (title TEXT)")
        .unwrap();
    let refused = SqliteStore::open(&path, Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::NotOurs(_)), "{refused}");

    let path = folder.path().join("peyk.db");
    drop(open(&path));
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "PRAGMA user_version=99; UPDATE meta SET value = 98 WHERE key = 'schema_oldest'",
        )
        .unwrap();
    let refused = SqliteStore::open(&path, Options::default()).err().unwrap();
    assert!(
        matches!(
            refused,
            OpenError::Schema(Refused::Newer {
                found: 99,
                oldest: 98,
                ..
            })
        ),
        "{refused}"
    );
}

#[test]
fn a_shell_on_the_database_cannot_change_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("peyk.db");
    assert!(open_read_only(&path).is_err(), "it makes no file");
    drop(open(&path));
    let shell = open_read_only(&path).unwrap();
    let count: i64 = shell
        .query_row("SELECT count(*) FROM account", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 0);
    assert!(shell.execute("DELETE FROM meta", []).is_err());
}
