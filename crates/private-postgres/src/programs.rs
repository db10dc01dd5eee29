//! Finding PostgreSQL's programs, and running them so that nothing of ours leaks into them.

use crate::Unavailable;
use crate::user::User;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian puts the server's programs, in a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// What a server needs; they lie in one folder, so that they are of one version.
const NEEDED: [&str; 4] = ["initdb", "postgres", "pg_ctl", "psql"];
/// Characters at the end of a program's output that an error shows.
const SAID_CHARS_MAX: usize = 2_000;

/// The folder of PostgreSQL's programs: that of the `initdb` in the search path, or the newest of
/// Debian's.
pub(crate) fn find() -> Result<PathBuf, Unavailable> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Resolved, since distributions link single programs from there and the others lie elsewhere.
    let linked = std::env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .filter_map(|program| program.parent().map(Path::to_owned));
    linked
        .chain(debian())
        .find(|folder| complete(folder))
        .ok_or_else(|| {
            Unavailable::Missing(format!(
                "PostgreSQL's server programs ({}) are neither in PATH nor in {DEBIAN}/*/bin",
                NEEDED.join(", ")
            ))
        })
}

/// The program that runs SQL, of the server's own version where there is one.
pub(crate) fn find_psql() -> Result<PathBuf, Unavailable> {
    if let Ok(folder) = find() {
        return Ok(folder.join("psql"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(debian())
        .map(|folder| folder.join("psql"))
        .find(|program| program.is_file())
        .ok_or_else(|| Unavailable::Missing("psql is not in PATH".into()))
}

/// Debian's folders of programs, the newest version first.
fn debian() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
        .into_iter()
        .map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin"))
        .collect()
}

fn complete(folder: &Path) -> bool {
    NEEDED.iter().all(|name| folder.join(name).is_file())
}

/// A command that sees nothing of our environment which could lead it to another server, in a
/// process group of its own: Ctrl-C at a test is not for the server, which the guard ends in order.
pub(crate) fn command(program: impl AsRef<OsStr>, user: Option<User>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").process_group(0);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Runs a program to its end.
///
/// # Errors
/// It does not start, or ends badly: with what it said.
pub(crate) fn run(mut command: Command) -> Result<String, Unavailable> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Unavailable::failed(format!("{name} cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Err(Unavailable::Failed(format!(
        "{name} failed ({}): {}",
        output.status,
        tail(&said)
    )))
}

/// The end of a long text, which is where programs say what went wrong.
pub(crate) fn tail(text: &str) -> &str {
    let text = text.trim();
    let start = text.char_indices().rev().nth(SAID_CHARS_MAX - 1);
    start.map_or(text, |(start, _)| &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_said_is_cut_from_its_beginning() {
        assert_eq!(tail(" short \n"), "short");
        let long = format!("{}end", "ی".repeat(SAID_CHARS_MAX));
        assert_eq!(tail(&long).chars().count(), SAID_CHARS_MAX);
        assert!(tail(&long).ends_with("end"));
    }
}
