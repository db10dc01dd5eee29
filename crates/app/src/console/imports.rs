//! Importing contacts at the console: a file is sent up, looked at, and then put into its book
//! while its owner watches.
//!
//! The file and how far the import is are this process's alone: they are gone when it ends, and
//! another process knows nothing of them. What was written into the book stays, and the same file
//! may be imported again. Not here: reading files (`sheet`) and writing contacts (`phonebooks`).

use super::Person;
use crate::sheet::{Preview, Progress, ReadOptions, RefusedRow, RefusedWriter, Sheet, SheetError};
use crate::{App, ImportError, Imported, lock, password};
use domain::ids::{AccountId, BookId};
use domain::time::UnixMillis;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex};
use tempfile::{NamedTempFile, TempPath};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Octets of a file that may be sent up.
pub const IMPORT_BYTES_MAX: u64 = 64 << 20;
/// Files of one account that wait for their import or were imported. One more takes the place of
/// the oldest.
const IMPORTS_PER_ACCOUNT_MAX: usize = 4;
/// Files of all accounts that this process keeps.
const IMPORTS_MAX: usize = 24;
/// Files that are sent up at the same time.
const UPLOADS_AT_ONCE_MAX: usize = 8;
/// Imports that run at the same time; the others wait. A run of contacts is held in memory by each.
const RUNNING_MAX: usize = 2;
/// Seconds after which a file that nobody imports, or an old report, is removed.
const KEPT_SECONDS: i64 = 2 * 3_600;
/// Refused rows that the page shows; the report to be fetched has all of them.
pub const REFUSED_SHOWN_MAX: usize = 100;
/// Characters of a file's name that are remembered.
const NAME_CHARS_MAX: usize = 100;
/// Letters of what an import is known by.
const MARK_CHARS: usize = 20;

/// Why a file was not taken.
#[derive(Debug, Error)]
pub enum UploadError {
    /// It is larger than [`IMPORT_BYTES_MAX`].
    #[error("the file is larger than {} MiB", IMPORT_BYTES_MAX >> 20)]
    TooLarge,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Too many files are being taken or kept; it may work in a while.
    #[error("too many files are being imported at the moment")]
    Busy,
    /// The system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Where an import stands.
#[derive(Clone, Debug)]
pub enum ImportStage {
    /// The file is here; its owner looks at it.
    Looked,
    /// It waits until others are done.
    Waiting,
    /// It runs.
    Running(Progress, Imported),
    /// It is done.
    Done(Imported),
    /// It ended early, with what was done until then.
    Failed(Arc<ImportError>, Imported),
}

impl ImportStage {
    fn is_under_way(&self) -> bool {
        matches!(self, Self::Waiting | Self::Running(..))
    }
}

/// An import as its owner sees it.
#[derive(Clone, Debug)]
pub struct ShownImport {
    /// What it is known by.
    pub mark: String,
    /// Into which book.
    pub book: BookId,
    /// What the file was called where it came from: a stranger's text.
    pub file_name: String,
    /// Its octets.
    pub bytes: u64,
    /// Where it stands.
    pub stage: ImportStage,
    /// The first rows that were refused.
    pub refused: Vec<RefusedRow>,
}

/// A file on its way up.
pub struct Upload {
    file: NamedTempFile,
    bytes: u64,
    _turn: OwnedSemaphorePermit,
}

impl Upload {
    /// Writes a piece to disk. It blocks for as long as the disk takes.
    ///
    /// # Errors
    /// The file becomes too large, or the disk refuses.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), UploadError> {
        self.bytes += piece.len() as u64;
        if self.bytes > IMPORT_BYTES_MAX {
            return Err(UploadError::TooLarge);
        }
        Ok(self.file.write_all(piece)?)
    }
}

/// How an import begins.
#[derive(Clone, Debug, Default)]
pub struct ImportPlan {
    /// How the file is read.
    pub options: ReadOptions,
    /// Whether contacts that are there take over what the file says.
    pub update: bool,
    /// Whether the report is written in Persian.
    pub persian: bool,
}

/// What this process knows of imports.
pub(super) struct Imports {
    jobs: Mutex<BTreeMap<String, Job>>,
    uploads: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

struct Job {
    account: AccountId,
    book: BookId,
    file_name: String,
    bytes: u64,
    path: Arc<TempPath>,
    at: UnixMillis,
    state: Arc<Mutex<JobState>>,
}

struct JobState {
    stage: ImportStage,
    refused: Vec<RefusedRow>,
    /// All refused rows, as a CSV file, once it has been written.
    report: Option<Arc<TempPath>>,
}

impl Default for Imports {
    fn default() -> Self {
        Self {
            jobs: Mutex::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS_AT_ONCE_MAX)),
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
        }
    }
}

impl Job {
    fn is_idle(&self) -> bool {
        !lock(&self.state).stage.is_under_way()
    }

    fn shown(&self, mark: &str) -> ShownImport {
        let state = lock(&self.state);
        ShownImport {
            mark: mark.to_owned(),
            book: self.book,
            file_name: self.file_name.clone(),
            bytes: self.bytes,
            stage: state.stage.clone(),
            refused: state.refused.clone(),
        }
    }
}

impl Imports {
    /// Keeps a job; false where there is no room for it.
    fn keep(&self, mark: &str, job: Job, now: UnixMillis) -> bool {
        let mut jobs = lock(&self.jobs);
        jobs.retain(|_, job| !job.is_idle() || now.millis_since(job.at) < KEPT_SECONDS * 1_000);
        let own = jobs
            .iter()
            .filter(|(_, other)| other.account == job.account);
        if own.clone().count() >= IMPORTS_PER_ACCOUNT_MAX {
            let idle = own.filter(|(_, job)| job.is_idle());
            let oldest = idle
                .min_by_key(|(_, job)| job.at)
                .map(|(mark, _)| mark.clone());
            match oldest {
                Some(oldest) => jobs.remove(&oldest),
                None => return false,
            };
        }
        if jobs.len() >= IMPORTS_MAX {
            return false;
        }
        jobs.insert(mark.to_owned(), job);
        true
    }

    fn with<T>(
        &self,
        account: AccountId,
        book: BookId,
        mark: &str,
        look: impl FnOnce(&Job) -> T,
    ) -> Option<T> {
        let jobs = lock(&self.jobs);
        let own = |job: &&Job| job.account == account && job.book == book;
        jobs.get(mark).filter(own).map(look)
    }
}

impl App {
    fn imports(&self) -> &Imports {
        &self.0.console.imports
    }

    /// Begins to take a file.
    ///
    /// # Errors
    /// Too many are being taken, or the disk refuses.
    pub fn begin_upload(&self) -> Result<Upload, UploadError> {
        let turn = Arc::clone(&self.imports().uploads).try_acquire_owned();
        Ok(Upload {
            _turn: turn.map_err(|_| UploadError::Busy)?,
            file: NamedTempFile::with_prefix("peyk-import-")?,
            bytes: 0,
        })
    }

    /// Keeps a file that came whole, for a book of the person's account; answers what its import
    /// is known by.
    ///
    /// # Errors
    /// It is empty, too many are kept, or the disk refuses.
    pub fn end_upload(
        &self,
        account: AccountId,
        book: BookId,
        file_name: &str,
        mut upload: Upload,
    ) -> Result<String, UploadError> {
        if upload.bytes == 0 {
            return Err(UploadError::Empty);
        }
        upload.file.flush()?;
        let mark = password::letters(MARK_CHARS).map_err(io::Error::other)?;
        let job = Job {
            account,
            book,
            file_name: file_name.chars().take(NAME_CHARS_MAX).collect(),
            bytes: upload.bytes,
            path: Arc::new(upload.file.into_temp_path()),
            at: self.now(),
            state: Arc::new(Mutex::new(JobState {
                stage: ImportStage::Looked,
                refused: Vec::new(),
                report: None,
            })),
        };
        match self.imports().keep(&mark, job, self.now()) {
            true => Ok(mark),
            false => Err(UploadError::Busy),
        }
    }

    /// An import of the account into this book; `None` where this process knows of none.
    #[must_use]
    pub fn shown_import(
        &self,
        account: AccountId,
        book: BookId,
        mark: &str,
    ) -> Option<ShownImport> {
        let imports = self.imports();
        imports.with(account, book, mark, |job| job.shown(mark))
    }

    /// How the file of an import begins; `None` where this process knows of none.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn preview_import(
        &self,
        account: AccountId,
        book: BookId,
        mark: &str,
        options: ReadOptions,
    ) -> Result<Option<Preview>, SheetError> {
        let path = self
            .imports()
            .with(account, book, mark, |job| Arc::clone(&job.path));
        match path {
            Some(path) => Preview::of(&path, options).await.map(Some),
            None => Ok(None),
        }
    }

    /// Begins an import in a task of its own, which goes on when the person goes away; false where
    /// this process knows of none. One that runs, or is done, is left as it is.
    pub fn begin_import(
        &self,
        person: &Person,
        book: BookId,
        mark: &str,
        plan: ImportPlan,
    ) -> bool {
        let Some(account) = person.account.as_ref().map(|account| account.id) else {
            return false;
        };
        let found = self.imports().with(account, book, mark, |job| {
            let mut state = lock(&job.state);
            let is_new = matches!(state.stage, ImportStage::Looked);
            if is_new {
                state.stage = ImportStage::Waiting;
            }
            let parts = (Arc::clone(&job.path), Arc::clone(&job.state));
            is_new.then_some(parts)
        });
        let Some(begins) = found else { return false };
        if let Some((path, state)) = begins {
            let app = self.clone();
            tokio::spawn(async move {
                let job = Arc::clone(&state);
                let running = app.run_import(account, book, &path, plan, state);
                let ended = running.await;
                let mut job = lock(&job);
                let done = match job.stage {
                    ImportStage::Running(_, done) => done,
                    _ => Imported::default(),
                };
                job.stage = match ended {
                    Ok(done) => ImportStage::Done(done),
                    Err(error) => ImportStage::Failed(Arc::new(error), done),
                };
            });
        }
        true
    }

    async fn run_import(
        &self,
        account: AccountId,
        book: BookId,
        path: &TempPath,
        plan: ImportPlan,
        state: Arc<Mutex<JobState>>,
    ) -> Result<Imported, ImportError> {
        // The semaphore is never closed, so there always is a permit in the end.
        let _turn = Arc::clone(&self.imports().running).acquire_owned().await;
        let sheet = Sheet::open(path, plan.options).await?;
        let report = NamedTempFile::with_prefix("peyk-refused-").map_err(SheetError::from)?;
        let (file, report) = report.into_parts();
        let mut writer = RefusedWriter::begin_in(BufWriter::new(file), plan.persian)?;
        let refused = |row: &RefusedRow| {
            let mut state = lock(&state);
            if state.refused.len() < REFUSED_SHOWN_MAX {
                state.refused.push(row.clone());
            }
            drop(state);
            writer.write(row)
        };
        let progress = |progress: Progress, done: &Imported| {
            lock(&state).stage = ImportStage::Running(progress, *done);
        };
        let done = self.import_contacts(account, book, sheet, plan.update, refused, progress);
        let done = done.await;
        // What was refused until then is reported also where the import ended early.
        writer.finish()?;
        lock(&state).report = Some(Arc::new(report));
        done
    }

    /// The report of all refused rows of an import that ended, as a CSV file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn import_report(
        &self,
        account: AccountId,
        book: BookId,
        mark: &str,
    ) -> io::Result<Option<File>> {
        let found = self.imports().with(account, book, mark, |job| {
            let state = lock(&job.state);
            state.report.clone()
        });
        found.flatten().map(|path| File::open(&*path)).transpose()
    }
}
