//! The address of the database, and connections to it: TLS, session settings, the pool.

use crate::error::{DbError, OpenError, in_words};
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Context;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::UnboundedSender;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Seconds that a connection attempt may take.
const CONNECT_SECONDS_MAX: u64 = 5;

/// Seconds of silence after which the operating system asks whether the server is still there,
/// and after which what was written and not acknowledged ends the connection.
const KEEPALIVE_SECONDS: u64 = 5;
const UNACKNOWLEDGED_SECONDS_MAX: u64 = 15;

/// Seconds that a transaction may be open without a statement, where nothing shorter is set.
const SILENCE_SECONDS: u32 = 10;

/// Seconds by which an answer may come later than the server's own limit for a statement.
const ANSWER_GRACE_SECONDS: u64 = 5;

/// Seconds that a command may wait for a database that is away: marks of what was committed are
/// kept for longer than that.
pub const PATIENCE_SECONDS_MAX: u32 = 600;

/// Which database, and how to treat it.
#[derive(Clone)]
pub struct Config {
    postgres: tokio_postgres::Config,
    /// Connections for queries and for commands that are not on the message's way.
    pub connections: usize,
    /// Connections that write accepted bulks and outcomes in groups.
    pub writers: usize,
    /// Seconds that a statement may take.
    pub statement_timeout_seconds: u32,
    /// Seconds that a command waits for a database that is away, at most [`PATIENCE_SECONDS_MAX`].
    pub patience_seconds: u32,
    /// Seconds that a transaction may be open without a statement: locks of a process that was
    /// cut off or stands still hold up the others for as long. Where there are leases this is to
    /// be no longer than they last, since nobody takes over before.
    pub silence_seconds: u32,
    /// Treats the tables as spread over servers that commit each for itself: accounts are locked
    /// one statement each, with their guards, and no statement reads of several accounts row by
    /// row. `None` asks the database whether it is such a one.
    pub lock_one_by_one: Option<bool>,
    /// Whose certificates the database may have; the public authorities where there are none.
    roots: Vec<CertificateDer<'static>>,
    /// Tells other processes at once what became due, where the database has `NOTIFY`.
    pub notify: bool,
    /// Judges leases by the database's clock. Off only where a test tells the time.
    pub own_clock: bool,
}

// Not derived: the password must not come into a log.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("database", &self.place())
            .field("connections", &self.connections)
            .field("writers", &self.writers)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads `postgres://user:password@host:port/database?sslmode=…`.
    ///
    /// # Errors
    /// [`OpenError::Url`] where it is none; the message never holds the password.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let postgres: tokio_postgres::Config = url
            .parse()
            .map_err(|error| OpenError::Url(format!("the address of the database: {error}")))?;
        if postgres.get_hosts().is_empty() {
            return Err(OpenError::Url("the address names no host".into()));
        }
        if postgres.get_dbname().is_none() {
            return Err(OpenError::Url("the address names no database".into()));
        }
        Ok(Self {
            postgres,
            connections: 8,
            writers: 2,
            statement_timeout_seconds: 30,
            patience_seconds: 30,
            silence_seconds: SILENCE_SECONDS,
            lock_one_by_one: None,
            roots: Vec::new(),
            notify: true,
            own_clock: true,
        })
    }

    /// Takes only these certificates, in PEM, for the ones that the database's may be from.
    ///
    /// # Errors
    /// There is no certificate in it.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), OpenError> {
        let none = || OpenError::Url("there is no certificate in it".into());
        let roots: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| none())?;
        if roots.is_empty() {
            return Err(none());
        }
        self.roots = roots;
        Ok(())
    }

    /// The database in words, without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        let hosts: Vec<String> = self
            .postgres
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(at, host)| {
                let ports = self.postgres.get_ports();
                let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
                match host {
                    tokio_postgres::config::Host::Tcp(name) => format!("{name}:{port}"),
                    tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
                }
            })
            .collect();
        format!(
            "{}/{}",
            hosts.join(","),
            self.postgres.get_dbname().unwrap_or_default()
        )
    }

    /// How long an answer may take before the server counts as away: it ends statements by itself
    /// before that, unless it is stopped or cannot be reached.
    pub(crate) fn answer_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.statement_timeout_seconds) + ANSWER_GRACE_SECONDS)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds.min(PATIENCE_SECONDS_MAX).into())
    }
}

/// How each connection is made.
fn lasting(config: &Config) -> tokio_postgres::Config {
    let mut postgres = config.postgres.clone();
    postgres
        .application_name("peyk")
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX).min(config.patience()))
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(KEEPALIVE_SECONDS))
        .keepalives_interval(Duration::from_secs(KEEPALIVE_SECONDS))
        .keepalives_retries(2)
        .tcp_user_timeout(Duration::from_secs(UNACKNOWLEDGED_SECONDS_MAX));
    postgres
}

/// A connection outside of the pool whose notices go to `heard`, which is closed when it ends.
pub(crate) async fn listening(
    config: &Config,
    heard: UnboundedSender<String>,
) -> Result<Client, DbError> {
    let postgres = lasting(config);
    match postgres.get_ssl_mode() {
        SslMode::Disable => {
            let (client, connection) = postgres.connect(NoTls).await?;
            tokio::spawn(hear(connection, heard));
            Ok(client)
        }
        _ => {
            let (client, connection) = postgres.connect(tls(&config.roots)).await?;
            tokio::spawn(hear(connection, heard));
            Ok(client)
        }
    }
}

/// Keeps a connection going, and hands on the payloads of its notices.
async fn hear<S, T>(mut connection: Connection<S, T>, heard: UnboundedSender<String>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let next = |connection: &mut Connection<S, T>, context: &mut Context<'_>| {
        connection.poll_message(context)
    };
    loop {
        match poll_fn(|context| next(&mut connection, context)).await {
            Some(Ok(AsyncMessage::Notification(notice))) => {
                // Who listened is gone; the connection still has to be kept to its end.
                let _ = heard.send(notice.payload().to_owned());
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return,
        }
    }
}

/// Makes the pool. It opens connections when they are first needed.
pub(crate) fn pool(config: &Config) -> Result<Pool, OpenError> {
    let postgres = lasting(config);
    let settings = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match postgres.get_ssl_mode() {
        SslMode::Disable => Manager::from_config(postgres, NoTls, settings),
        _ => Manager::from_config(postgres, tls(&config.roots), settings),
    };
    let (timeout, silence) = (config.statement_timeout_seconds, config.silence_seconds);
    let spread = config.lock_one_by_one;
    let wait = Duration::from_secs(CONNECT_SECONDS_MAX).min(config.patience());
    Pool::builder(manager)
        .max_size(config.connections + config.writers)
        .timeouts(Timeouts {
            wait: Some(wait),
            create: Some(wait),
            recycle: Some(wait),
        })
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(async move {
                settle(client, (timeout, silence), spread)
                    .await
                    .map_err(|error| HookError::message(DbError::from(error).to_string()))
            })
        }))
        .build()
        .map_err(|error| OpenError::Other(error.to_string()))
}

fn tls(own: &[CertificateDer<'static>]) -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    if own.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    } else {
        roots.add_parsable_certificates(own.iter().cloned());
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth());
    // The provider has the default versions: it is the one that they are defined with.
    MakeRustlsConnect::new(builder.expect("the default protocol versions"))
}

/// Settings of a session. The first ones matter for what is promised, the others for speed, and
/// not every engine knows those.
async fn settle(
    client: &tokio_postgres::Client,
    (statement_timeout_seconds, silence_seconds): (u32, u32),
    spread: Option<bool>,
) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(&format!(
            "SET statement_timeout = '{statement_timeout_seconds}s';
             SET idle_in_transaction_session_timeout = '{silence_seconds}s'"
        ))
        .await?;
    // A role or database may have weakened it; stronger levels stay as they are.
    let row = client
        .query_one("SELECT current_setting('synchronous_commit', true)", &[])
        .await?;
    if row.get::<_, Option<&str>>(0) == Some("off") {
        client.batch_execute("SET synchronous_commit = on").await?;
    }
    // Statements over arrays of keys are joins with a table that the planner guesses at: without
    // these it now and then reads a whole table for a hundred keys.
    for setting in [
        "default_transaction_isolation = 'read committed'",
        "plan_cache_mode = force_generic_plan",
        "enable_seqscan = off",
        "enable_hashjoin = off",
        "enable_mergejoin = off",
        "enable_bitmapscan = off",
        "jit = off",
    ] {
        if let Err(error) = client.batch_execute(&format!("SET {setting}")).await {
            if error.is_closed() {
                return Err(error);
            }
            tracing::debug!(setting, "the database does not know this setting");
        }
    }
    let spread = match spread {
        Some(set) => set,
        None => is_citus(client).await?,
    };
    if spread {
        // It plans most statements anew, with the values that say which servers they concern, and
        // has no plan without them.
        client.batch_execute("RESET plan_cache_mode").await?;
    }
    Ok(())
}

/// Whether the tables may be spread over servers.
pub(crate) async fn is_citus(
    client: &tokio_postgres::Client,
) -> Result<bool, tokio_postgres::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

/// A connection out of the pool. One that is let go of in the middle of a transaction, or of a
/// question, is closed, so that nobody else finds himself in it.
pub(crate) struct Conn {
    object: Option<Object>,
    open: bool,
    /// Questions under way. Who goes away from one leaves its answer in the connection, and the
    /// next one would wait for it.
    asked: AtomicU32,
}

impl Conn {
    pub(crate) async fn from(pool: &Pool) -> Result<Self, DbError> {
        let object = pool.get().await.map_err(|error| {
            DbError::Away(match error {
                // The driver says only "db error"; what the server said is inside.
                PoolError::Backend(error) => in_words(&error),
                error => error.to_string(),
            })
        })?;
        Ok(Self {
            object: Some(object),
            open: false,
            asked: AtomicU32::new(0),
        })
    }

    pub(crate) fn client(&self) -> Result<&Object, DbError> {
        self.object
            .as_ref()
            .ok_or_else(|| DbError::Away("the connection was given back".into()))
    }

    /// Awaits an answer of the server. Should the caller go away before it comes, or should it not
    /// come within `limit`, the connection is not given back to the pool.
    pub(crate) async fn answered<T, E: Into<DbError>>(
        &self,
        limit: Option<Duration>,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, DbError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = match limit {
            None => answer.await,
            Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| {
                DbError::Away(format!("no answer came within {} s", limit.as_secs()))
            })?,
        };
        self.asked.fetch_sub(1, Ordering::Relaxed);
        answer.map_err(Into::into)
    }

    /// Says whether a transaction is open on it.
    pub(crate) fn set_open(&mut self, open: bool) {
        self.open = open;
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && (self.open || self.asked.load(Ordering::Relaxed) > 0)
        {
            drop(Object::take(object));
        }
    }
}
