//! A consistent copy of the database while others read and write it.

use crate::connect::open_read_only;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use store::StoreError;

/// Copies the database at `from` into the new file `to`, and lets it reach the disk.
pub(crate) fn backup(from: &Path, to: &Path) -> Result<(), StoreError> {
    let io = |error: std::io::Error| StoreError::Other(format!("{}: {error}", to.display()));
    // Made here, so that it is never readable by others and never replaces a file.
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(io)?;
    let copied = copy(from, to).and_then(|()| {
        fs::File::open(to)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|dir| dir.sync_all())
            .map_err(io)
    });
    if copied.is_err() {
        // A copy that is not whole must not be taken for one.
        let _ = fs::remove_file(to);
    }
    copied
}

fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let other = |error: rusqlite::Error| StoreError::Other(format!("backup: {error}"));
    let source = open_read_only(from).map_err(|error| StoreError::Other(error.to_string()))?;
    let mut target = Connection::open(to).map_err(other)?;
    {
        let backup = Backup::new(&source, &mut target).map_err(other)?;
        // In one step: one that pauses begins anew at every commit of the writer, and would
        // never end under load. The log grows meanwhile and is cut afterwards.
        match backup.step(-1).map_err(other)? {
            StepResult::Done => {}
            step => return Err(StoreError::Other(format!("backup: stopped with {step:?}"))),
        }
    }
    // One file, without a log beside it.
    let mode: String = target
        .query_row("PRAGMA journal_mode=DELETE", [], |row| row.get(0))
        .map_err(other)?;
    if mode != "delete" {
        return Err(StoreError::Other(format!(
            "backup: the copy keeps journal mode {mode}"
        )));
    }
    target.close().map_err(|(_, error)| other(error))
}
