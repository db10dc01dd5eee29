//! The store port's own suite, on SQLite files.

use async_trait::async_trait;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use store::Store;
use store::conformance::Harness;
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// Stores in private folders. Which store lies where is known by the address of its `Arc`.
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
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&path, Options::default()).expect("the store opens"));
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
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("peyk.db");
        self.folders.lock().unwrap().push(folder);
        self.open(path)
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let path = self.path(&store);
        store.close().await;
        drop(store);
        self.open(path)
    }

    async fn crash(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        // The files as they are on disk at this moment, without what the process still holds.
        let path = self.path(&store);
        let folder = TempDir::new().unwrap();
        for suffix in ["", "-wal"] {
            let name = format!("peyk.db{suffix}");
            let _ = std::fs::copy(path.with_file_name(&name), folder.path().join(&name));
        }
        let copy = folder.path().join("peyk.db");
        self.folders.lock().unwrap().push(folder);
        self.crashed.lock().unwrap().push(store);
        self.open(copy)
    }

    async fn open_backup(&self, store: &Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("backup.db");
        self.folders.lock().unwrap().push(folder);
        store.backup(&path).await.expect("the backup is written");
        Some(self.open(path))
    }
}

store::conformance_tests!(super::Files::default());
