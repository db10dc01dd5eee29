//! The demo's folder: its credentials, kept from one start to the next in `demo.json`.

use crate::exit::cannot_open;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file with the credentials.
const FILE: &str = "demo.json";

/// What a client of the web service needs. Scripts read it, so the keys stay as they are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The whole address of the web service.
    pub url: String,
    /// User name.
    pub uname: String,
    /// Password.
    pub pass: String,
    /// Line to send from.
    pub from: String,
    /// API key, in place of user name and password; an older demo has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apikey: Option<String>,
    /// Code of the pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Password of `admin`, who runs the installation, at the staff's door of the console; an older
    /// demo has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_pass: Option<String>,
}

/// A folder that belongs to the demo.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder when there is none, for its owner only.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: PathBuf) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| cannot_open(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self(path))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file with the credentials.
    pub fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    /// The credentials of an earlier start, if there was one.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn credentials(&self) -> Result<Option<Credentials>> {
        let file = self.file();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&file, &error)),
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| unreadable(&file, &error))
    }

    /// Writes the credentials, whole or not at all, readable by their owner only.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn keep(&self, credentials: &Credentials) -> Result<()> {
        let new = self.0.join(format!("{FILE}.new"));
        let written = || -> std::io::Result<()> {
            // Made anew, since an old file would keep the permissions that it had.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            serde_json::to_writer_pretty(&mut file, credentials)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&new, self.file())
        };
        written().with_context(|| format!("cannot write {}", self.file().display()))
    }
}

fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> anyhow::Error {
    let file = file.display();
    cannot_open(format!(
        "cannot read {file}: {error}; remove it to get new credentials"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn credentials_are_kept_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("demo")).unwrap();
        assert!(folder.credentials().unwrap().is_none());
        let text = |text: &str| text.to_owned();
        let kept = Credentials {
            url: text("http://x"),
            uname: text("demo"),
            pass: text("p"),
            from: text("3000"),
            apikey: None,
            pattern: None,
            staff_pass: None,
        };
        folder.keep(&kept).unwrap();
        folder.keep(&kept).unwrap();
        assert!(folder.credentials().unwrap() == Some(kept));
        let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(folder.file(), "{").unwrap();
        assert!(folder.credentials().is_err());
    }
}
