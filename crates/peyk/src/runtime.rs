//! The store and the use cases over it, opened for one command or for a server.
//!
//! Not here: the server's life (`serve`). Several processes may have one store open; on a database
//! file only one of them may dispatch, which [`ServeLock`] sees to.

use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::place::Place;
use anyhow::{Context, Result};
use app::App;
use domain::time::Clock;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// What to do when there is no database yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make one.
    Create,
    /// Say so: a command that only looks must not leave an empty database behind a slip in a path.
    Refuse,
}

/// An open store with the use cases over it.
pub struct Peyk {
    /// The use cases.
    pub app: App,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock that both go by.
    pub clock: Arc<dyn Clock>,
    /// Where the store is.
    pub place: Place,
}

impl Peyk {
    /// Opens the store, with its migrations.
    ///
    /// # Errors
    /// There is no database and none is to be made, or it cannot be opened.
    pub async fn open(config: &Config, missing: Missing) -> Result<Self> {
        let mut place = config.store.place().map_err(cannot_open)?;
        if let Place::Postgres(store) = &mut place {
            // Whoever takes over from a process that was cut off waits for its locks no longer
            // than for its leases.
            store.silence_seconds = store.silence_seconds.min(config.process.lease_seconds);
        }
        if missing == Missing::Refuse && place.schema().await?.is_none() {
            return Err(place.missing());
        }
        let store = place.open().await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let operators = Arc::new(config.operators()?);
        let mut key = [0; 32];
        getrandom::fill(&mut key).context("the system gives no random numbers")?;
        let app = App::new(
            store.clone(),
            clock.clone(),
            operators,
            config.limits.clone(),
            key,
        );
        app.attach_directory(app::DirectorySource::new(
            &config.directory_path(),
            config.directory.areas()?,
            config.directory.jobs()?,
        ));
        app.attach_configuration(
            crate::config_example::in_force(config)?,
            env!("CARGO_PKG_VERSION").to_owned(),
            config.tickets.clone(),
        );
        Ok(Self {
            app,
            store,
            clock,
            place,
        })
    }

    /// Whether some process sends what waits in this store now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn is_served(&self) -> Result<bool> {
        match &self.place {
            Place::Sqlite(path) => Ok(ServeLock::is_held(path)),
            Place::Postgres(_) => {
                let now = self.clock.now();
                let processes = self.store.processes().await?;
                let mut living = processes.iter().filter(|one| one.expires_at > now);
                Ok(living.any(|process| process.roles.dispatch))
            }
        }
    }

    /// Does one command's work, through the audit log where it changes something, and closes the
    /// store whatever came of it.
    ///
    /// # Errors
    /// Opening failed, or the work did.
    pub async fn with(
        config: &Config,
        missing: Missing,
        work: impl AsyncFnOnce(&Self) -> Result<Exit>,
    ) -> Result<Exit> {
        let peyk = Self::open(config, missing).await?;
        let done = match crate::cli::audited::change() {
            Some(change) => match peyk.app.audited(change, work(&peyk)).await {
                Ok(done) => done,
                Err(error) => Err(error.into()),
            },
            None => work(&peyk).await,
        };
        peyk.store.close().await;
        done
    }
}

/// Attempts to take the lock of a server, and the pause between two.
const LOCK_ATTEMPTS: u32 = 4;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Held by the one process that dispatches on a database file. Leases would keep two apart as well;
/// but who has the lock knows at once that every dispatcher before it is gone, and need not wait
/// for leases to run out. On PostgreSQL there is no
/// such lock: many may dispatch, and leases run out.
pub struct ServeLock {
    // Locked as long as it is open; the system lets go of it even when the process is killed.
    _file: File,
}

impl ServeLock {
    /// Takes the lock of an embedded store, or says who may have it. There is none elsewhere: who
    /// has the lock may take every other dispatcher for dead.
    ///
    /// # Errors
    /// Another process has it, or the file cannot be made.
    pub fn take(place: &Place) -> Result<Option<Self>> {
        match place {
            Place::Sqlite(path) => Self::of_file(path).map(Some),
            Place::Postgres(_) => Ok(None),
        }
    }

    fn of_file(database: &Path) -> Result<Self> {
        let path = lock_path(database);
        let failed =
            |error: std::io::Error| cannot_open(format!("cannot lock {}: {error}", path.display()));
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(failed)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                // A command that only asks holds it for an instant.
                Err(TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(cannot_open(format!(
                        "another peyk (serve or demo) runs on {} already; stop it first, or \
                         choose another folder with --data",
                        database.display()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Ok(Self { _file: file })
    }

    /// Whether some process serves this store now.
    pub fn is_held(database: &Path) -> bool {
        let Ok(file) = OpenOptions::new().write(true).open(lock_path(database)) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".serving");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_process_may_serve_a_store() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("peyk.db");
        let place = Place::Sqlite(database.clone());
        assert!(!ServeLock::is_held(&database));
        let first = ServeLock::take(&place).unwrap();
        assert!(ServeLock::is_held(&database));
        let second = ServeLock::take(&place).err().unwrap();
        assert!(second.to_string().contains("another peyk"));
        drop(first);
        ServeLock::take(&place).unwrap();
    }
}
