//! Stores as the conformance suite leaves them behind: real rows, of every table.

use crate::stores::{assert_healthy, assert_same, copy_all, database, file, postgres, sqlite};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use store::Store;
use store::conformance::{Harness, run};
use store::transfer::{TABLES, Transfer};
use tempfile::TempDir;

/// Cases that leave something in every table between them, as the test makes sure.
const CASES: &[&str] = &[
    "approving::an_idempotency_key_answers_a_bulk_that_waits",
    "approving::rules_are_kept_in_their_order",
    "blacklists::a_text_that_left_in_part_is_sent_whole",
    "books_and_contacts::hostile_texts_are_kept_as_they_are",
    "catalog::a_grant_is_given_and_taken_back",
    "catalog::a_price_is_set_replaced_and_removed",
    "console::a_draft_is_kept_as_it_was_written_last",
    "console::audit_entries_written_at_the_same_time_have_different_numbers",
    "inboxes::a_queued_part_is_taken_out_once",
    "inboxes::callbacks_past_their_time_are_given_up_together",
    "inboxes::rules_keep_their_order_and_their_numbers",
    "inboxes::what_lacks_a_part_is_ripe_when_nothing_came_for_long",
    "patterns_and_keys::a_change_of_a_pattern_leaves_the_rest",
    "patterns_and_keys::a_key_is_revoked_once_and_by_its_own_account",
    "people::the_account_itself_comes_into_being_with_its_first_change",
    "receipts::a_parked_receipt_waits_on_its_own_link",
    "resellers::a_day_has_no_more_messages_than_it_may",
    "resellers::a_package_is_offered_and_no_longer",
    "resellers::a_package_is_shown_as_it_was_written",
    "resellers::an_account_opened_in_the_tree_survives_a_crash",
    "resellers::the_ledger_is_added_up_in_slices",
    "tickets::a_ticket_is_shown_as_it_was_written",
];

/// Tables that no case leaves anything in; the other tests here fill them.
const UNTOUCHED: &[&str] = &["pattern_grant"];

/// Stores in private folders that stay when a case has ended.
#[derive(Default)]
struct Files {
    folders: Mutex<Vec<TempDir>>,
    paths: Mutex<HashMap<usize, PathBuf>>,
    /// Stores that were left as a crash leaves them: never closed, never dropped.
    crashed: Mutex<Vec<Arc<dyn Store>>>,
}

fn address(store: &Arc<dyn Store>) -> usize {
    Arc::as_ptr(store).cast::<()>() as usize
}

impl Files {
    fn open(&self, path: PathBuf) -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(sqlite(&path));
        self.paths.lock().unwrap().insert(address(&store), path);
        store
    }

    fn path(&self, store: &Arc<dyn Store>) -> PathBuf {
        self.paths.lock().unwrap()[&address(store)].clone()
    }
}

#[async_trait]
impl Harness for Files {
    async fn fresh(&self) -> Arc<dyn Store> {
        let (folder, path) = file();
        self.folders.lock().unwrap().push(folder);
        self.open(path)
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let path = self.path(&store);
        store.close().await;
        self.open(path)
    }

    async fn crash(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let path = self.path(&store);
        self.crashed.lock().unwrap().push(store);
        self.open(path)
    }
}

/// Moves what lies in a file to PostgreSQL and back, and compares the ends.
async fn there_and_back(case: &str, path: &Path, covered: &mut BTreeSet<&'static str>) {
    let first = sqlite(path);
    for table in TABLES {
        if first.count(table).await.expect("a count") > 0 {
            covered.insert(table.name);
        }
    }
    let between = postgres(&database()).await;
    let (_folder, path) = file();
    let last = sqlite(&path);
    copy_all(&first, &between).await;
    copy_all(&between, &last).await;
    assert_same(&first, &last).await;
    let counters = first.counters().await.expect("counters");
    assert_eq!(last.counters().await.expect("counters"), counters, "{case}");
    assert_healthy(&between).await;
    assert_healthy(&last).await;
    between.close().await;
}

pub async fn what_the_suite_leaves_behind_comes_over_and_back() {
    let mut covered: BTreeSet<&'static str> = UNTOUCHED.iter().copied().collect();
    for case in CASES {
        let files = Files::default();
        run(case, &files).await;
        let paths: BTreeSet<PathBuf> = files.paths.lock().unwrap().values().cloned().collect();
        for path in paths {
            there_and_back(case, &path, &mut covered).await;
        }
    }
    let all: BTreeSet<&'static str> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(covered, all);
}
