//! Transactions: how a command is written once and only once, whatever happens to the connection.
//!
//! Every transaction that writes also writes a *mark*, a row that only this command has. When the
//! connection is lost while it commits, nobody knows whether it did. Then the command begins again
//! on another connection by writing its mark: where it stands already the command was committed,
//! and the answer of that run stands; otherwise it is run again, and the lost transaction can never
//! commit any more once this one has, since its own mark would be a duplicate.

use crate::connect::{Config, Conn, is_citus, pool};
use crate::error::{DbError, OpenError};
use crate::held::Held;
use crate::mark::{Mark, mark_again, mark_write};
use crate::pipeline::{Sent, in_order};
use crate::retry::{Failure, Retry};
use crate::words::{Storable, storable};
use deadpool_postgres::Pool;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use store::StoreError;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

/// A parameter of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// A parameter that is kept until its statement is sent.
pub(crate) type OwnedParam = Box<dyn ToSql + Sync + Send>;

/// A statement of which only the end matters, prepared and with its parameters.
pub(crate) type Write = (Statement, Vec<OwnedParam>);

/// The database, shared by all who read and write.
pub(crate) struct Db {
    pool: Pool,
    process: i64,
    next_mark: AtomicI64,
    pub(crate) patience: Duration,
    answer_limit: Duration,
    closed: AtomicBool,
    pub(crate) held: Arc<Held>,
    /// See [`Config::lock_one_by_one`].
    pub(crate) lock_one_by_one: bool,
}

/// A connection to run statements on. Clones are the same connection.
#[derive(Clone)]
pub(crate) struct Tx {
    conn: Arc<Conn>,
    /// How long an answer may take.
    limit: Option<Duration>,
    /// Accounts that somebody does not let go of.
    pub(crate) held: Arc<Held>,
    /// Accounts are locked with one statement each.
    pub(crate) lock_one_by_one: bool,
}

impl Tx {
    /// The same connection, for statements that may take as long as they do.
    pub(crate) fn without_limit(&self) -> Self {
        Self {
            limit: None,
            ..self.clone()
        }
    }

    pub(crate) async fn prepare(&self, sql: &str) -> Result<Statement, DbError> {
        let prepared = self.conn.client()?.prepare_cached(sql);
        self.conn.answered(self.limit, prepared).await
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let statement = self.prepare(sql).await?;
        let params = storable(params.iter().copied());
        let rows = ask(self.conn.client()?, &statement, &params);
        self.conn.answered(self.limit, rows).await
    }

    /// The first row, if there is one.
    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// The first row of a statement that always has one.
    pub(crate) async fn query_one(&self, sql: &str, params: &[Param<'_>]) -> Result<Row, DbError> {
        self.query_opt(sql, params)
            .await?
            .ok_or_else(|| DbError::Row(format!("no row came of: {sql}")))
    }

    /// How many rows were written.
    pub(crate) async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, DbError> {
        let statement = self.prepare(sql).await?;
        let params = storable(params.iter().copied());
        let written = tell(self.conn.client()?, &statement, &params);
        self.conn.answered(self.limit, written).await
    }

    pub(crate) async fn batch(&self, sql: &str) -> Result<(), DbError> {
        let done = self.conn.client()?.batch_execute(sql);
        self.conn.answered(self.limit, done).await
    }

    /// Sends queries in one go; their rows come in the order of the queries.
    pub(crate) async fn query_all(
        &self,
        queries: &[(Statement, Vec<OwnedParam>)],
    ) -> Result<Vec<Vec<Row>>, DbError> {
        let client = self.conn.client()?;
        let mut sent: Vec<Sent<'_, Result<Vec<Row>, tokio_postgres::Error>>> = Vec::new();
        for (statement, params) in queries {
            sent.push(Box::pin(async move {
                let params = storable(params.iter().map(|p| &**p as Param<'_>));
                ask(client, statement, &params).await
            }));
        }
        let all = async { in_order(sent).await.into_iter().collect::<Result<_, _>>() };
        self.conn.answered(self.limit, all).await
    }

    /// Sends writes in one go, and with `commit` the end of the transaction behind them.
    pub(crate) async fn write_all(&self, writes: &[Write], commit: bool) -> Result<(), DbError> {
        let client = self.conn.client()?;
        let mut sent: Vec<Sent<'_, Result<u64, tokio_postgres::Error>>> = Vec::new();
        for (statement, params) in writes {
            sent.push(Box::pin(async move {
                let params = storable(params.iter().map(|p| &**p as Param<'_>));
                tell(client, statement, &params).await
            }));
        }
        if commit {
            sent.push(Box::pin(async move {
                client.batch_execute("COMMIT").await.map(|()| 0)
            }));
        }
        // A statement that fails turns the COMMIT behind it into a rollback, so all must succeed.
        let all = async {
            in_order(sent)
                .await
                .into_iter()
                .try_for_each(|one| one.map(drop))
        };
        self.conn.answered(self.limit, all).await
    }

    /// The next number of an installation-wide counter. Its row stays locked until the end, so
    /// numbers become visible in their order and none is left out.
    pub(crate) async fn next_number(&self, counter: &str, count: i64) -> Result<i64, DbError> {
        let row = self
            .query_one(
                "UPDATE counter SET next = next + $2 WHERE name = $1 RETURNING next",
                &[&counter, &count],
            )
            .await?;
        Ok(row.get::<_, i64>(0) - count)
    }

    /// Counts up a version that others compare by, and locks it: who changes what stands under it
    /// does so one at a time.
    pub(crate) async fn bump(&self, counter: &str) -> Result<(), DbError> {
        self.next_number(counter, 1).await.map(drop)
    }

    /// A counter as it stands: the next number, or the version.
    pub(crate) async fn counter(&self, counter: &str) -> Result<i64, DbError> {
        let row = self
            .query_one("SELECT next FROM counter WHERE name = $1", &[&counter])
            .await?;
        Ok(row.get(0))
    }
}

async fn ask(
    client: &tokio_postgres::Client,
    statement: &Statement,
    params: &[Storable<'_>],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let params: Vec<Param<'_>> = params.iter().map(|param| param as Param<'_>).collect();
    client.query(statement, &params).await
}

async fn tell(
    client: &tokio_postgres::Client,
    statement: &Statement,
    params: &[Storable<'_>],
) -> Result<u64, tokio_postgres::Error> {
    let params: Vec<Param<'_>> = params.iter().map(|param| param as Param<'_>).collect();
    client.execute(statement, &params).await
}

/// How an attempt at a command ended.
enum Attempt<T> {
    /// Committed, with this answer.
    Done(T),
    /// This earlier run, whose end was unknown, was committed.
    DoneBefore(i32),
    /// Sent to be committed, and then the connection was lost.
    Unknown(T, DbError),
    /// Nothing was written.
    Failed(DbError),
}

impl Db {
    /// Makes the pool and connects for the first time.
    pub(crate) async fn open(config: &Config) -> Result<Self, OpenError> {
        let mut number = [0; 8];
        getrandom::fill(&mut number).map_err(|error| OpenError::Other(error.to_string()))?;
        let db = Self {
            pool: pool(config)?,
            process: i64::from_le_bytes(number),
            next_mark: AtomicI64::new(1),
            patience: config.patience(),
            answer_limit: config.answer_limit(),
            closed: AtomicBool::new(false),
            held: Arc::default(),
            lock_one_by_one: false,
        };
        let tx = db.connection().await;
        let tx = tx.map_err(|error| OpenError::Unreachable(error.to_string()))?;
        let lock_one_by_one = match config.lock_one_by_one {
            Some(set) => set,
            None => is_citus(tx.conn.client()?).await.map_err(DbError::from)?,
        };
        Ok(Self {
            lock_one_by_one,
            ..db
        })
    }

    /// A connection outside of any transaction.
    pub(crate) async fn connection(&self) -> Result<Tx, DbError> {
        Ok(self.tx(Conn::from(&self.pool).await?))
    }

    fn tx(&self, conn: Conn) -> Tx {
        Tx {
            conn: Arc::new(conn),
            limit: Some(self.answer_limit),
            held: Arc::clone(&self.held),
            lock_one_by_one: self.lock_one_by_one,
        }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self, how: &str) -> Result<Tx, DbError> {
        let mut conn = Conn::from(&self.pool).await?;
        conn.set_open(true);
        let tx = self.tx(conn);
        tx.batch(how).await?;
        Ok(tx)
    }

    /// A mark for one command.
    fn mark(&self) -> Mark {
        Mark {
            process: self.process,
            no: self.next_mark.fetch_add(1, Ordering::Relaxed),
            run: 0,
        }
    }

    /// This store among all that are open on the database.
    pub(crate) fn process(&self) -> i64 {
        self.process
    }

    /// A number that no other call of any process gets; those of one process count up.
    pub(crate) fn order_number(&self) -> (i64, i64) {
        let mark = self.mark();
        (mark.no, mark.process)
    }

    fn must_be_open(&self) -> Result<(), Failure> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Failure::Stopped);
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.pool.close();
    }

    /// Runs a command in a transaction of its own, again where others were in its way or the
    /// database went away, until `patience` is over. What `body` refuses it says in its answer,
    /// and has written nothing then; an error is an attempt that failed.
    pub(crate) async fn write<T, F, Fut>(
        &self,
        kind: &'static str,
        body: F,
    ) -> Result<T, StoreError>
    where
        T: Send,
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DbError>> + Send,
    {
        let body = &body;
        let written = self.write_with(kind, |tx| async move { Ok((body(tx).await?, Vec::new())) });
        Ok(written.await?)
    }

    /// As [`Db::write`]; the statements that `body` answers are sent with the commit.
    pub(crate) async fn write_with<T, F, Fut>(
        &self,
        kind: &'static str,
        body: F,
    ) -> Result<T, Failure>
    where
        T: Send,
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<(T, Vec<Write>), DbError>> + Send,
    {
        let mut mark = self.mark();
        let mut unknown: Vec<(i32, T)> = Vec::new();
        let mut retry = Retry::new(self.patience);
        self.ask_held_again().await;
        loop {
            self.must_be_open()?;
            mark.run += 1;
            let error = match self.attempt(mark, &body, !unknown.is_empty()).await {
                Attempt::Done(answer) => {
                    metrics::counter!("peyk_store_commands_total", "kind" => kind).increment(1);
                    return Ok(answer);
                }
                Attempt::DoneBefore(run) => {
                    let before = unknown.into_iter().find(|(of, _)| *of == run);
                    let lost = || DbError::Row(format!("the answer of run {run} was lost"));
                    return Ok(before.ok_or_else(|| Failure::Unknown(lost()))?.1);
                }
                Attempt::Unknown(answer, error) => {
                    unknown.push((mark.run, answer));
                    error
                }
                Attempt::Failed(error) => error,
            };
            if let DbError::Stuck(accounts, _) = &error {
                self.find_held(accounts).await;
            }
            retry.pause(kind, error, !unknown.is_empty()).await?;
        }
    }

    async fn attempt<T, F, Fut>(&self, mark: Mark, body: &F, again: bool) -> Attempt<T>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<(T, Vec<Write>), DbError>>,
    {
        let tx = match self.begin("BEGIN").await {
            Ok(tx) => tx,
            Err(error) => return Attempt::Failed(error),
        };
        let mut last = None;
        if again {
            // Waits for the end of a transaction that has written it and is not over.
            match mark_again(&tx, mark).await {
                Ok(None) => {}
                Ok(Some(run)) => {
                    roll_back(tx).await;
                    return Attempt::DoneBefore(run);
                }
                Err(error) => return Attempt::Failed(error),
            }
        } else {
            match mark_write(&tx, mark).await {
                Ok(write) => last = Some(write),
                Err(error) => return Attempt::Failed(error),
            }
        }
        match body(tx.clone()).await {
            Ok((answer, mut writes)) => {
                writes.extend(last);
                finish(tx, &writes, answer).await
            }
            Err(error) => {
                roll_back(tx).await;
                Attempt::Failed(error)
            }
        }
    }

    /// Runs a query. The statements of `body` need not agree with each other.
    pub(crate) async fn read<T, F, Fut>(&self, body: F) -> Result<T, StoreError>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, DbError>>,
    {
        self.reading(None, body).await
    }

    /// Runs several statements against one state of the database.
    pub(crate) async fn snapshot<T, F, Fut>(&self, body: F) -> Result<T, StoreError>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, DbError>>,
    {
        self.reading(
            Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            body,
        )
        .await
    }

    async fn reading<T, F, Fut>(
        &self,
        begin: Option<&'static str>,
        body: F,
    ) -> Result<T, StoreError>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, DbError>>,
    {
        let mut retry = Retry::new(self.patience);
        loop {
            self.must_be_open()?;
            let tx = match begin {
                Some(begin) => self.begin(begin).await,
                None => self.connection().await,
            };
            let read = match tx {
                Ok(tx) => {
                    let read = body(tx.clone()).await;
                    if begin.is_some() {
                        roll_back(tx).await;
                    }
                    read
                }
                Err(error) => Err(error),
            };
            match read {
                Ok(answer) => return Ok(answer),
                Err(error) => retry.pause("query", error, false).await?,
            }
        }
    }
}

/// Ends a transaction after its body: what was written becomes durable, or it is not known.
async fn finish<T>(tx: Tx, writes: &[Write], answer: T) -> Attempt<T> {
    match tx.write_all(writes, true).await {
        Ok(()) => {
            closed(tx);
            Attempt::Done(answer)
        }
        Err(error) if error.is_rollback() => Attempt::Failed(error),
        Err(error) => Attempt::Unknown(answer, error),
    }
}

/// Ends a transaction that wrote nothing, or must not have. Failing that, dropping the connection
/// does it.
pub(crate) async fn roll_back(tx: Tx) {
    if tx.batch("ROLLBACK").await.is_ok() {
        closed(tx);
    }
}

/// Says that no transaction is open any more, unless somebody still holds the connection: then it
/// is closed, which is only slower.
fn closed(tx: Tx) {
    if let Ok(mut conn) = Arc::try_unwrap(tx.conn) {
        conn.set_open(false);
    }
}
