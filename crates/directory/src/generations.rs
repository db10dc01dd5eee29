//! The newest directory at a path: a file that was built anew is taken up without a restart, and
//! whoever reads the older one goes on with it.

use crate::error::DirectoryError;
use crate::file::Directory;
use domain::time::UnixMillis;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Milliseconds for which a look at the path is good.
const LOOK_MILLIS: i64 = 1_000;

/// A path, and the directory that was last found there.
#[derive(Debug)]
pub struct Generations {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    looked_at: Option<UnixMillis>,
    seen: Option<Identity>,
    current: Option<Arc<Directory>>,
    failure: Option<Arc<DirectoryError>>,
}

/// What differs between two files that stood at the same path.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Identity {
    fn from(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }
}

impl Generations {
    /// Looks for nothing yet: there need not be a file at the path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            state: Mutex::default(),
        }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest directory, at most a second old; `None` where there is no file. A new file that
    /// cannot be used does not replace one that can.
    ///
    /// # Errors
    /// There is a file, but none that could ever be used.
    pub fn newest(&self, now: UnixMillis) -> Result<Option<Arc<Directory>>, Arc<DirectoryError>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |at: UnixMillis| (0..LOOK_MILLIS).contains(&now.millis_since(at));
        if !state.looked_at.is_some_and(fresh) {
            state.look(&self.path);
            state.looked_at = Some(now);
        }
        match (&state.current, &state.failure) {
            (Some(directory), _) => Ok(Some(Arc::clone(directory))),
            (None, Some(failure)) => Err(Arc::clone(failure)),
            (None, None) => Ok(None),
        }
    }
}

impl State {
    fn look(&mut self, path: &Path) {
        let seen = match std::fs::metadata(path) {
            Ok(metadata) => Identity::from(&metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *self = Self::default();
                return;
            }
            Err(error) => return self.fail(path, error.into()),
        };
        if self.seen.as_ref() == Some(&seen) {
            return;
        }
        self.seen = Some(seen);
        match Directory::open(path) {
            Ok(directory) => {
                let people = directory.people();
                tracing::info!(path = %path.display(), people, "a directory was opened");
                self.current = Some(Arc::new(directory));
                self.failure = None;
            }
            Err(error) => self.fail(path, error),
        }
    }

    fn fail(&mut self, path: &Path, error: DirectoryError) {
        let known = self
            .failure
            .as_ref()
            .is_some_and(|one| one.to_string() == error.to_string());
        if !known {
            let keeps = self.current.is_some();
            tracing::error!(path = %path.display(), %error, keeps_older = keeps, "a directory cannot be used");
        }
        self.failure = Some(Arc::new(error));
    }
}
