//! Making databases on a server that is there, ours or one that the environment names.

use crate::Unavailable;
use crate::programs::{self, run};
use crate::server::{Server, Settings};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The environment variable with the URL of a server that tests may use instead of one of their
/// own. Its user must be allowed to make databases, and databases on it are dropped.
pub const SHARED_URL_VARIABLE: &str = "PEYK_TEST_POSTGRES";
/// Bytes of a name that PostgreSQL keeps; it cuts longer ones without a word.
const NAME_BYTES_MAX: usize = 63;

/// A server as a place for databases: it can be filled and asked, and not stopped.
#[derive(Clone, Debug)]
pub struct Databases {
    url: String,
    psql: PathBuf,
}

impl Databases {
    pub(crate) fn new(url: String, psql: PathBuf) -> Self {
        Self { url, psql }
    }

    /// The server with this URL. Its user must be allowed to make databases.
    ///
    /// # Errors
    /// `psql` is not installed.
    pub fn at(url: &str) -> Result<Self, Unavailable> {
        Ok(Self::new(url.to_owned(), programs::find_psql()?))
    }

    /// The URL of the server's database `postgres`, or of the one that the environment names.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database, and returns its URL. One of that name is dropped before, under
    /// whoever is connected to it: processes that share a server must choose different names.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    ///
    /// # Panics
    /// When the name is not of small letters, digits and `_`, beginning with a letter: it goes
    /// into SQL and into a URL.
    pub fn create_database(&self, name: &str) -> Result<String, Unavailable> {
        assert!(is_name(name), "`{name}` is no name for a test's database");
        // Each in a transaction of its own, since neither may stand in one.
        self.run_all(
            &self.url,
            &[
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                &format!("CREATE DATABASE {name}"),
            ],
        )?;
        Ok(with_database(&self.url, name))
    }

    /// Drops a database, under whoever is connected to it.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    ///
    /// # Panics
    /// As [`Databases::create_database`].
    pub fn drop_database(&self, name: &str) -> Result<(), Unavailable> {
        assert!(is_name(name), "`{name}` is no name for a test's database");
        self.sql(
            &self.url,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .map(drop)
    }

    /// Runs SQL in the database of that URL with `psql`, and returns its rows: one a line, columns
    /// parted by `|`, nothing around them.
    ///
    /// # Errors
    /// The database cannot be reached, or refuses the statement: with what it said.
    pub fn sql(&self, url: &str, sql: &str) -> Result<String, Unavailable> {
        self.run_all(url, &[sql])
    }

    fn run_all(&self, url: &str, statements: &[&str]) -> Result<String, Unavailable> {
        let mut command = programs::command(&self.psql, None);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url]);
        for sql in statements {
            command.args(["-c", sql]);
        }
        run(command).map(|said| said.trim_end().to_owned())
    }
}

impl Server {
    /// The server that all tests of this process share: the one that [`SHARED_URL_VARIABLE`]
    /// names, else one of this process, started at the first call.
    ///
    /// # Errors
    /// As [`Server::start`], the same at each call.
    pub fn shared() -> Result<&'static Databases, Unavailable> {
        static SHARED: OnceLock<Result<(Databases, Option<Server>), Unavailable>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            if let Ok(url) = std::env::var(SHARED_URL_VARIABLE) {
                return Ok((Databases::new(url, programs::find_psql()?), None));
            }
            let server = Server::start(Settings::default())?;
            Ok((server.databases().clone(), Some(server)))
        });
        match shared {
            Ok((databases, _)) => Ok(databases),
            Err(error) => Err(error.clone()),
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= NAME_BYTES_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (before, options) = url.split_once('?').map_or((url, ""), |(a, b)| (a, b));
    let authority = before.find("://").map_or(0, |found| found + "://".len());
    let end = before[authority..]
        .find('/')
        .map_or(before.len(), |found| authority + found);
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{}/{name}{mark}{options}", &before[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_another_database_with_the_same_options() {
        for (url, expected) in [
            (
                "postgres://u:p@h:5/x?sslmode=disable",
                "postgres://u:p@h:5/new?sslmode=disable",
            ),
            ("postgres://u@h:5/x", "postgres://u@h:5/new"),
            ("postgres://u@h", "postgres://u@h/new"),
            ("postgres://u@h?a=b/c", "postgres://u@h/new?a=b/c"),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }

    #[test]
    fn a_name_needs_no_quotes_anywhere() {
        assert!(is_name("peyk_7"));
        for wrong in ["", "7peyk", "Peyk", "a-b", "a\"b", "a b", "یک"] {
            assert!(!is_name(wrong), "{wrong}");
        }
        assert!(is_name(&"a".repeat(NAME_BYTES_MAX)));
        assert!(!is_name(&"a".repeat(NAME_BYTES_MAX + 1)));
    }
}
