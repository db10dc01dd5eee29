//! Which store: the one place that knows which adapters there are.
//!
//! Everything else sees [`store::Store`], and asks here where a command is for one of them alone.

use crate::exit::cannot_open;
use anyhow::{Context, Result, anyhow};
use domain::time::UnixMillis;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use store::schema::{Migration, State};
use store::transfer::Transfer;

/// Where a store is, and of which kind.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file of the embedded store.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<store_postgres::Config>),
}

/// An open store, seen as both of its ports.
pub struct Opened {
    /// What the program works with.
    pub store: Arc<dyn Store>,
    /// What a copy works with.
    pub transfer: Arc<dyn Transfer>,
}

impl Opened {
    fn of<S: Store + Transfer>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            transfer: store.clone(),
            store,
        }
    }
}

// Without user and password, so that it may stand in logs and errors.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(config) => write!(f, "postgres://{}", config.place()),
        }
    }
}

impl Place {
    /// Opens the store, makes it where there is none, and brings its schema as far as opening may.
    ///
    /// # Errors
    /// It cannot be opened, or a copy of another store into it is not finished.
    pub async fn open(&self) -> Result<Arc<dyn Store>> {
        let opened = self.open_unchecked().await?;
        let unfinished = opened.transfer.unfinished_copy().await;
        let Ok(None) = unfinished else {
            opened.store.close().await;
            let copy = unfinished?.map_or_else(String::new, |copy| copy.to_string());
            return Err(cannot_open(format!(
                "the store {self} holds {copy}: finish it with `peyk store copy`, or empty the store"
            )));
        };
        Ok(opened.store)
    }

    /// As [`Place::open`], half a copy included. For the copy alone.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open_unchecked(&self) -> Result<Opened> {
        match self {
            Self::Sqlite(path) => {
                let path = path.clone();
                let store = blocking(move || {
                    store_sqlite::SqliteStore::open(&path, store_sqlite::Options::default())
                })
                .await?;
                Ok(Opened::of(store.map_err(|error| self.failed(&error))?))
            }
            Self::Postgres(config) => {
                let store = store_postgres::PostgresStore::open(config).await;
                Ok(Opened::of(store.map_err(|error| self.failed(&error))?))
            }
        }
    }

    /// The store in words that are the same however it was named, without user and password.
    pub fn identity(&self) -> String {
        match self {
            Self::Sqlite(path) => {
                let whole = path.canonicalize();
                let whole = whole.or_else(|_| std::path::absolute(path));
                whole.unwrap_or_else(|_| path.clone()).display().to_string()
            }
            Self::Postgres(_) => self.to_string(),
        }
    }

    /// What the store says of its schema, without changing it; none where there is no store yet.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn schema(&self) -> Result<Option<State>> {
        let state = match self {
            Self::Sqlite(path) if !path.exists() => return Ok(None),
            Self::Sqlite(path) => {
                let path = path.clone();
                let read = blocking(move || store_sqlite::schema::read(&path)).await?;
                read.map_err(|error| self.failed(&error))?
            }
            Self::Postgres(config) => {
                let read = store_postgres::schema::read(config).await;
                read.map_err(|error| self.failed(&error))?
            }
        };
        Ok((state != State::default()).then_some(state))
    }

    /// The migrations that this program knows for such a store.
    pub fn migrations(&self) -> &'static [Migration] {
        match self {
            Self::Sqlite(_) => store_sqlite::schema::MIGRATIONS,
            Self::Postgres(_) => store_postgres::schema::MIGRATIONS,
        }
    }

    /// Carries out every pending migration, contractions among them, if no living process needs
    /// what they take away.
    ///
    /// # Errors
    /// One of them does, or the store cannot be opened.
    pub async fn contract(&self, now: UnixMillis) -> Result<State> {
        match self {
            Self::Sqlite(path) => {
                let path = path.clone();
                let done = blocking(move || store_sqlite::schema::contract(&path, now, &[]));
                done.await?.map_err(|error| self.failed(&error))
            }
            Self::Postgres(config) => {
                let done = store_postgres::schema::contract(config).await;
                done.map_err(|error| self.failed(&error))
            }
        }
    }

    /// The database file, for commands that work on files.
    ///
    /// # Errors
    /// It is none; `instead` says what to do.
    pub fn file(&self, instead: &str) -> Result<&Path> {
        match self {
            Self::Sqlite(path) => Ok(path),
            Self::Postgres(_) => Err(anyhow!("the store is {self}: {instead}")),
        }
    }

    /// The error for a store that is not there.
    pub fn missing(&self) -> anyhow::Error {
        let maker = "`peyk serve`, `peyk migrate` or an `add` command makes";
        cannot_open(match self {
            Self::Sqlite(path) => format!(
                "there is no database at {}; {maker} one, and --data or --config names another",
                path.display()
            ),
            Self::Postgres(_) => format!(
                "the database {self} is empty; {maker} its tables, and store.url names another"
            ),
        })
    }

    fn failed(&self, error: &dyn fmt::Display) -> anyhow::Error {
        cannot_open(format!("cannot open the store {self}: {error}"))
    }
}

/// SQLite blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.context("opening the store ended badly")
}
