//! The store port on PostgreSQL, for installations with several peyk processes.
//!
//! Accepted bulks and outcomes are written in groups as statements over arrays; everything else is
//! a transaction for each command. Several processes share one database: whoever changes something
//! of an account holds the lock of its row. No rule of the business is here: states change through
//! `domain::status`, and what is refused says the port.
#![forbid(unsafe_code)]

/// Runs a command: `command!(self, "top_up", admin::top_up(command, other))` calls
/// `admin::top_up(&tx, &command, &other)` in a transaction of its own, again where it must be.
macro_rules! command {
    ($self:ident, $kind:literal, $path:path $(, $arg:ident)*) => {{
        $(let $arg = &$arg;)*
        $self.db.write($kind, move |tx| async move { $path(&tx $(, $arg)*).await })
    }};
}

/// Runs a query: as `command!`, with statements that need not agree.
macro_rules! query {
    ($self:ident, $path:path $(, $arg:ident)*) => {{
        $(let $arg = &$arg;)*
        $self.db.read(move |tx| async move { $path(&tx $(, $arg)*).await })
    }};
}

/// Runs a query whose statements see one state of the database.
macro_rules! snapshot {
    ($self:ident, $path:path $(, $arg:ident)*) => {{
        $(let $arg = &$arg;)*
        $self.db.snapshot(move |tx| async move { $path(&tx $(, $arg)*).await })
    }};
}

mod accept;
mod account;
mod admin;
mod api_keys;
mod approval;
mod bell;
mod blacklist;
mod bulks;
mod catalog;
mod check;
mod claim;
mod columns;
mod connect;
mod console;
mod day;
mod db;
mod error;
mod fleet;
mod group;
mod held;
mod inbound;
mod inbox;
mod inserts;
mod lanes;
mod listed;
mod mark;
mod outcomes;
mod patterns;
mod pause;
mod phonebooks;
mod pipeline;
mod places;
mod port;
mod queries;
mod queue;
mod receipts;
mod recover;
mod release;
mod resellers;
mod resellers_check;
mod retry;
mod rows;
mod rules;
pub mod schema;
mod screening;
mod statistics;
mod stop;
mod sweep;
mod texts;
mod tickets;
pub mod transfer;
mod words;
mod work;
mod writer;

pub use connect::{Config, PATIENCE_SECONDS_MAX};
pub use error::OpenError;

use bell::Bell;
use claim::ClaimMemory;
use db::Db;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};
use writer::Writers;

/// A store on PostgreSQL.
pub struct PostgresStore {
    db: Arc<Db>,
    writers: Writers,
    claims: Mutex<ClaimMemory>,
    own_clock: bool,
    place: String,
    bell: Arc<Bell>,
    failure: watch::Sender<Option<String>>,
}

impl PostgresStore {
    /// Connects, checks that the server keeps what it acknowledges, and brings the schema up to
    /// date.
    ///
    /// # Errors
    /// Nobody answers there, the server may lose what it acknowledged, or the database is not one
    /// that this program can work with.
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        let db = Db::open(config).await?;
        must_be_durable(&db).await?;
        schema::expand(&db).await?;
        let bell = Arc::new(Bell::start(config, db.process()));
        let db = Arc::new(db);
        Ok(Self {
            writers: Writers::start(&db, &bell, config.writers),
            db,
            claims: Mutex::default(),
            own_clock: config.own_clock,
            place: config.place(),
            bell,
            failure: watch::Sender::new(None),
        })
    }
}

/// Refuses a server that acknowledges what is not on its disk.
async fn must_be_durable(db: &Db) -> Result<(), OpenError> {
    let tx = db.connection().await?;
    for (setting, words) in [
        ("fsync", "fsync = off"),
        ("full_page_writes", "full_page_writes = off"),
    ] {
        // Engines without the setting have their own ways, and no way to switch them off here.
        let row = tx
            .query_one("SELECT current_setting($1, true)", &[&setting])
            .await?;
        if row.get::<_, Option<&str>>(0) == Some("off") {
            return Err(OpenError::NotDurable(words));
        }
    }
    Ok(())
}
