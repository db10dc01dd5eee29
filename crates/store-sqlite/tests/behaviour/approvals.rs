//! Deciding about a bulk so large that it is made due in pieces.

use crate::{NOW, account, bulk, open, recipients};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use store::{
    AcceptBulk, AddRecipients, ApprovalWanted, DecideApproval, Decided, RECIPIENTS_PER_COMMAND_MAX,
    Screening, StopBulk, StopReason, Stopped, Store,
};
use store_sqlite::SqliteStore;

/// More than one command makes due.
const RECIPIENTS: u64 = 70_000;
const EACH: u64 = RECIPIENTS_PER_COMMAND_MAX as u64;

async fn large(store: &SqliteStore, sender: AccountId) -> BulkNo {
    let first = AcceptBulk {
        whole: false,
        approval: Some(ApprovalWanted {
            rule: None,
            why: "its line wants it".into(),
            text: None,
            until: NOW.plus_seconds(600),
        }),
        ..bulk(sender, recipients(EACH, 10))
    };
    let no = store.accept_bulk(first).await.unwrap().bulk;
    for _ in 1..RECIPIENTS / EACH {
        let add = AddRecipients {
            account: sender,
            bulk: no,
            recipients: recipients(EACH, 10),
            approval: None,
            now: NOW,
        };
        store.add_recipients(add).await.unwrap();
    }
    store.seal_bulk(sender, no, None).await.unwrap();
    no
}

fn approve(account: AccountId, bulk: BulkNo) -> DecideApproval {
    DecideApproval {
        account,
        bulk,
        approve: true,
        by: "sara".into(),
        reason: None,
        now: NOW,
    }
}

/// Recipients that can be claimed now.
fn claimable(path: &std::path::Path) -> u64 {
    let conn = store_sqlite::open_read_only(path).unwrap();
    let sum = "SELECT coalesce(sum(waiting), 0) FROM slice WHERE due_at < 9223372036854775807";
    conn.query_row(sum, [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_approved_bulk_becomes_due_in_pieces_and_whole_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = open(&path);
    let sender = account(&store, "sender", 10_000_000).await;
    let no = large(&store, sender).await;
    assert_eq!(claimable(&path), 0);
    let command = approve(sender, no);
    let decided = store.decide_approval(command.clone()).await.unwrap();
    assert_eq!(decided, Decided::More);
    let at_first = claimable(&path);
    assert!((1..RECIPIENTS).contains(&at_first), "{at_first}");
    assert_eq!(store.check().await.unwrap(), []);
    // The process that decided is gone; the sweep goes on.
    drop(store);
    let store = open(&path);
    while store.sweep(NOW).await.unwrap().more {}
    assert_eq!(claimable(&path), RECIPIENTS);
    let again = store.decide_approval(command).await.unwrap();
    assert!(matches!(again, Decided::Already(_)), "{again:?}");
    assert_eq!(store.check().await.unwrap(), []);
    let report = store.bulk(sender, no).await.unwrap().unwrap();
    assert_eq!(report.stage, BulkStage::Accepted);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_that_is_cancelled_while_it_becomes_due_stays_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = open(&path);
    let sender = account(&store, "sender", 10_000_000).await;
    let no = large(&store, sender).await;
    let command = approve(sender, no);
    let decided = store.decide_approval(command.clone()).await.unwrap();
    assert_eq!(decided, Decided::More);
    let stop = StopBulk {
        account: sender,
        bulk: no,
        reason: StopReason::Cancelled,
        now: NOW,
    };
    assert_eq!(store.stop_bulk(stop).await.unwrap(), Stopped::More);
    // Whoever decided goes on, and must not bring it back.
    while store.decide_approval(command.clone()).await.unwrap() == Decided::More {}
    assert_eq!(claimable(&path), 0);
    while store.sweep(NOW).await.unwrap().more {}
    let balance = store.balance(sender).await.unwrap();
    assert_eq!((balance.credit.0, balance.reserved.0), (10_000_000, 0));
    assert_eq!(store.check().await.unwrap(), []);
    store.close().await;
}
