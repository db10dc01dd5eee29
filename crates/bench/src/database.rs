//! The database of one installation on PostgreSQL: on a private server that ends with it, or on
//! one whose address was given. Other databases of that one are left alone.

use crate::clock::now_micros;
use crate::options::Options;
use crate::process;
use anyhow::Result;
use private_postgres::{Databases, Server, Settings};
use std::str::FromStr;

/// Connections that a private server takes, enough for some processes of peyk with their pools.
const CONNECTIONS: u16 = 200;

/// Where peyk keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// In a file.
    Sqlite,
    /// In a private PostgreSQL.
    Private,
    /// On the server with this address, in a database of its own.
    At(String),
}

impl FromStr for StoreChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Private),
            url if url.starts_with("postgres://") => Ok(Self::At(url.to_owned())),
            _ => Err("it is sqlite, postgres, or an address that begins with postgres://".into()),
        }
    }
}

/// A database. It does not outlive its handle.
pub struct Database {
    databases: Databases,
    url: String,
    name: String,
    /// The private server.
    server: Option<Server>,
}

impl Database {
    /// Makes an empty one where the options say; `None` for SQLite.
    ///
    /// # Errors
    /// There is no server, or it refuses.
    pub fn create(options: &Options) -> Result<Option<Self>> {
        let server = match options.store {
            StoreChoice::Private => Some(Server::start(Settings {
                folder: options.work.clone(),
                connections: CONNECTIONS,
                more: options.postgres_set.clone(),
                ..Settings::default()
            })?),
            StoreChoice::Sqlite | StoreChoice::At(_) => None,
        };
        let databases = match (&options.store, &server) {
            (_, Some(server)) => server.databases().clone(),
            (StoreChoice::At(url), None) => Databases::at(url)?,
            _ => return Ok(None),
        };
        let name = format!("peyk_bench_{}_{}", std::process::id(), now_micros());
        let url = databases.create_database(&name)?;
        Ok(Some(Self {
            databases,
            url,
            name,
            server,
        }))
    }

    /// Its address, with whatever lets one in.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first process of the server, where it is a private one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().and_then(Server::pid)
    }

    /// Bytes of its tables and indexes; 0 where nobody answers.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        self.number("SELECT pg_database_size(current_database())")
    }

    /// Bytes of the log that the whole server has written since it was made.
    #[must_use]
    pub fn log_bytes(&self) -> f64 {
        self.number("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    }

    fn number(&self, sql: &str) -> f64 {
        let said = self.databases.sql(&self.url, sql).unwrap_or_default();
        said.parse().unwrap_or(0.0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A private server goes with all that it has.
        if self.server.is_none() {
            let _ = self.databases.drop_database(&self.name);
        }
    }
}

/// CPU of a database's processes, where they run on this machine as ours; else none.
#[must_use]
pub fn cpu_seconds(pid: Option<u32>) -> Option<f64> {
    pid.map(process::family_cpu_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_kind_or_its_address() {
        assert_eq!("sqlite".parse(), Ok(StoreChoice::Sqlite));
        assert_eq!("postgres".parse(), Ok(StoreChoice::Private));
        let url = "postgres://u@h/d";
        assert_eq!(url.parse(), Ok(StoreChoice::At(url.into())));
        assert!("mysql".parse::<StoreChoice>().is_err());
    }
}
