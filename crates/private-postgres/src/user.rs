//! As whom the server runs: PostgreSQL refuses to run as root.

use crate::Unavailable;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Accounts that may own the server when we are root, the first one that exists.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];
const PASSWD: &str = "/etc/passwd";

/// A user of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The user to become, or none when we are not root. `made` is a folder that this process has just
/// made: its owner tells who we are, without a system call that would need unsafe code.
pub(crate) fn to_become(made: &Path) -> Result<Option<User>, Unavailable> {
    let own = fs::metadata(made)
        .map_err(|error| Unavailable::failed(format!("{}: {error}", made.display())))?;
    if own.uid() != 0 {
        return Ok(None);
    }
    let table = fs::read_to_string(PASSWD)
        .map_err(|error| Unavailable::Missing(format!("cannot read {PASSWD}: {error}")))?;
    let found = CANDIDATES.iter().find_map(|name| lookup(&table, name));
    found.map(Some).ok_or_else(|| {
        Unavailable::Missing(format!(
            "PostgreSQL does not run as root, and {PASSWD} has neither of {}",
            CANDIDATES.join(", ")
        ))
    })
}

fn lookup(table: &str, name: &str) -> Option<User> {
    let line = table.lines().find(|line| {
        line.split_once(':')
            .is_some_and(|(account, _)| account == name)
    })?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let table = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\n\
                     postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";
        let found = lookup(table, "postgres");
        assert_eq!(found, Some(User { uid: 101, gid: 104 }));
        assert_eq!(lookup(table, "nobody"), None);
        assert_eq!(lookup("postgres:x:many:1::/:/bin/sh", "postgres"), None);
    }
}
