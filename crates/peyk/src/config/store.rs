//! Settings of the store: a file, or an address that may hold a password.

use super::DATABASE;
use crate::place::Place;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What the address of a file begins with.
const SQLITE: &str = "sqlite:";
/// What the address of a PostgreSQL database begins with.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

/// Connections of each sort that a process may open.
const CONNECTIONS: RangeInclusive<usize> = 1..=1_000;
/// Seconds that a statement may take.
const SECONDS: RangeInclusive<u32> = 1..=3_600;

/// Where the data lies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The database file. With PostgreSQL, files that would lie beside it lie here all the same.
    pub path: PathBuf,
    /// Its address, in place of the path; empty for none.
    pub url: StoreUrl,
    /// How a store on PostgreSQL is used.
    pub postgres: PostgresConfig,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from("./peyk-data").join(DATABASE),
            url: StoreUrl::default(),
            postgres: PostgresConfig::default(),
        }
    }
}

/// How a store on PostgreSQL is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresConfig {
    /// Connections for queries, and for commands that are not on the way of messages.
    pub connections: usize,
    /// Connections that write accepted bulks and outcomes in groups.
    pub writers: usize,
    /// Seconds that a statement may take.
    pub statement_timeout_seconds: u32,
    /// Seconds for which a command waits for a database that is away.
    pub patience_seconds: u32,
    /// Tells other processes at once what became due (`NOTIFY`).
    pub notify: bool,
    /// A file with the certificates of those whom the database's certificate may be from (PEM);
    /// empty for the public authorities.
    pub ca_file: PathBuf,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            connections: 8,
            writers: 2,
            statement_timeout_seconds: 30,
            patience_seconds: 30,
            notify: true,
            ca_file: PathBuf::new(),
        }
    }
}

impl PostgresConfig {
    fn check(&self) -> Result<(), String> {
        for (name, value) in [("connections", self.connections), ("writers", self.writers)] {
            within(name, &value, &CONNECTIONS)?;
        }
        let timeout = &self.statement_timeout_seconds;
        within("statement_timeout_seconds", timeout, &SECONDS)?;
        let patience = 1..=store_postgres::PATIENCE_SECONDS_MAX;
        within("patience_seconds", &self.patience_seconds, &patience)
    }
}

fn within<T: PartialOrd + fmt::Display>(
    name: &str,
    value: &T,
    range: &RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(format!("postgres.{name} must be {least} to {most}"))
}

impl StoreConfig {
    /// Uses the database in this folder, whatever else was set.
    pub(super) fn set_folder(&mut self, folder: &Path) {
        self.path = folder.join(DATABASE);
        self.url = StoreUrl::default();
    }

    /// Takes the path out of an address that names a file, so that everything beside the file is
    /// found by the path.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        if let Some(path) = self.url.0.strip_prefix(SQLITE) {
            // Others write sqlite://data/peyk.db and mean a folder beside them.
            if path.starts_with("//") && !path.starts_with("///") {
                return Err("store.url for a file is sqlite:PATH, without //".into());
            }
            self.path = PathBuf::from(path);
        }
        Ok(())
    }

    /// Another store, named by its address; it is used as this one would be.
    ///
    /// # Errors
    /// As [`StoreConfig::place`].
    pub fn other(&self, url: &str) -> Result<Place, String> {
        let mut other = Self {
            path: PathBuf::new(),
            url: StoreUrl(url.to_owned()),
            postgres: self.postgres.clone(),
        };
        other.settle()?;
        other.place()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.postgres.check()?;
        self.place().map(drop)
    }

    /// Which store that is.
    ///
    /// # Errors
    /// It cannot be one. The address is not in the message, since it may hold a password.
    pub fn place(&self) -> Result<Place, String> {
        let url = self.url.0.as_str();
        if POSTGRES.iter().any(|begin| url.starts_with(begin)) {
            let mut config =
                store_postgres::Config::parse(url).map_err(|error| format!("url: {error}"))?;
            config.connections = self.postgres.connections;
            config.writers = self.postgres.writers;
            config.statement_timeout_seconds = self.postgres.statement_timeout_seconds;
            config.patience_seconds = self.postgres.patience_seconds;
            config.notify = self.postgres.notify;
            let ca_file = &self.postgres.ca_file;
            if !ca_file.as_os_str().is_empty() {
                let file = ca_file.display();
                let read = std::fs::read(ca_file)
                    .map_err(|error| format!("postgres.ca_file: {file}: {error}"))?;
                config
                    .trust(&read)
                    .map_err(|error| format!("postgres.ca_file: {file}: {error}"))?;
            }
            return Ok(Place::Postgres(Box::new(config)));
        }
        if !url.is_empty() && !url.starts_with(SQLITE) {
            return Err(
                "url must begin with sqlite: or postgres://; it is not shown, since it may \
                        hold a password"
                    .into(),
            );
        }
        if self.path.as_os_str().is_empty() {
            let key = if url.is_empty() { "path" } else { "url" };
            return Err(format!("{key} must not be empty"));
        }
        Ok(Place::Sqlite(self.path.clone()))
    }
}

/// The address of a store. It is written without its password, wherever it is written.
#[derive(Clone, Default)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The address without what lets somebody in. It is put together from what was understood of
    /// it, since a password may stand in more than one place; nothing is shown of the rest.
    fn shown(&self) -> String {
        let url = self.0.as_str();
        if url.is_empty() || url.starts_with(SQLITE) {
            return url.to_owned();
        }
        let read = store_postgres::Config::parse(url);
        read.map_or_else(
            |_| "(not shown)".into(),
            |config| format!("postgres://{}", config.place()),
        )
    }
}

// Not derived: the password must not come into a log.
impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for StoreUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

impl<'de> Deserialize<'de> for StoreUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(url: &str) -> StoreConfig {
        let mut store = StoreConfig {
            url: StoreUrl(url.into()),
            ..StoreConfig::default()
        };
        store.settle().expect("an address");
        store
    }

    #[test]
    fn the_address_of_a_file_is_its_path() {
        for (url, path) in [
            ("", "./peyk-data/peyk.db"),
            ("sqlite:data/x.db", "data/x.db"),
            ("sqlite:/var/lib/x.db", "/var/lib/x.db"),
            ("sqlite:///var/lib/x.db", "///var/lib/x.db"),
        ] {
            let store = store(url);
            assert!(
                matches!(store.place(), Ok(Place::Sqlite(place)) if place == Path::new(path)),
                "{url}"
            );
            assert_eq!(store.path, Path::new(path));
        }
    }

    #[test]
    fn no_form_of_an_address_shows_its_password() {
        for url in [
            "postgres://peyk:s3cret@db.example:5433/sms?sslmode=require",
            "postgresql://peyk:s3cret@db.example:5433/sms",
            "postgres://peyk@db.example:5433/sms?password=s3cret",
            "postgres://peyk:s3cret%40@db.example:5433/sms?application_name=a@b",
        ] {
            let store = store(url);
            let place = store.place().expect("an address");
            assert_eq!(place.to_string(), "postgres://db.example:5433/sms");
            let written = toml::to_string(&store).expect("TOML");
            for shown in [format!("{store:?}"), format!("{place:?}"), written] {
                assert!(shown.contains("db.example:5433/sms"), "{shown}");
                assert!(!shown.contains("s3cret"), "{shown}");
            }
        }
    }

    #[test]
    fn an_address_that_cannot_be_is_refused_without_being_shown() {
        for url in [
            "mysql://peyk:s3cret@h/d",
            "postgres://peyk:s3cret@h:port/d",
            "postgres://peyk:s3cret@h",
            "postgres://peyk:s3cret@h/d?sslmode=s3cret",
            "postgres://peyk:s3cret@h/d?s3cret=1",
            "host=h password=s3cret dbname=d",
            "s3cret",
        ] {
            let store = store(url);
            let error = store.check().expect_err(url);
            assert!(!error.contains("s3cret"), "{error}");
            assert!(!format!("{store:?}").contains("s3cret"));
        }
        let slashes = StoreUrl("sqlite://data/x.db".into());
        let mut store = StoreConfig {
            url: slashes,
            ..StoreConfig::default()
        };
        assert!(store.settle().is_err());
    }

    #[test]
    fn settings_of_postgresql_reach_the_store() {
        let mut store = store("postgres://peyk@h/d");
        store.postgres.connections = 5;
        store.postgres.writers = 3;
        store.postgres.statement_timeout_seconds = 7;
        store.postgres.patience_seconds = 9;
        let Ok(Place::Postgres(config)) = store.place() else {
            panic!("it is PostgreSQL");
        };
        assert_eq!((config.connections, config.writers), (5, 3));
        assert_eq!(config.statement_timeout_seconds, 7);
        assert_eq!(config.patience_seconds, 9);
        store.postgres.writers = 0;
        let said = store.check().expect_err("none");
        assert_eq!(said, "postgres.writers must be 1 to 1000");
    }
}
