//! The one thread that writes, and its group commit.
//!
//! Whatever queued while the last fsync ran becomes one transaction; there is no timer. The
//! answers of a group leave only after its COMMIT has returned, so an answer is always on disk.
//!
//! Commands refuse before they write, so a group normally needs no savepoints. If one of its
//! commands fails after it has written, the group is rolled back and run again with a savepoint
//! around each command: then that one fails alone.

use crate::error::DbError;
use crate::group::{Group, Memory};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use store::StoreError;
use tokio::sync::{Notify, oneshot, watch};

/// Commands that one commit carries at most.
const GROUP_COMMANDS_MAX: usize = 1_024;

/// Work after which a group is committed even if more commands wait, so that none waits long.
const GROUP_WORK_MAX: Duration = Duration::from_millis(50);

/// One command in the queue: a body to run, perhaps twice, and somebody who awaits the answer.
pub(crate) trait Job: Send {
    /// Its name in metrics.
    fn kind(&self) -> &'static str;
    /// Runs it inside the group's transaction and keeps the answer. A command that refuses says
    /// so in its answer and has written nothing.
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), DbError>;
    /// Sends the answer, or why there is none.
    fn finish(self: Box<Self>, fate: Result<(), StoreError>);
}

struct Command<T, F> {
    kind: &'static str,
    body: F,
    answer: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Command<T, F>
where
    T: Send,
    F: FnMut(&mut Group<'_>) -> Result<T, DbError> + Send,
{
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn run(&mut self, group: &mut Group<'_>) -> Result<(), DbError> {
        self.answer = Some((self.body)(group)?);
        Ok(())
    }

    fn finish(self: Box<Self>, fate: Result<(), StoreError>) {
        let answer = match (fate, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Ok(()), None) => Err(StoreError::Other("the command was not run".into())),
            (Err(error), _) => Err(error),
        };
        // Nobody may be waiting any more; what was committed stays committed.
        let _ = self.reply.send(answer);
    }
}

enum Message {
    Run(Box<dyn Job>),
    Close,
}

/// What the writer thread and the handles share.
pub(crate) struct Shared {
    closed: AtomicBool,
    failure: watch::Sender<Option<String>>,
    due: Arc<Notify>,
}

impl Shared {
    fn stopped(&self) -> StoreError {
        let failure = self.failure.borrow();
        StoreError::Stopped(failure.clone().unwrap_or_else(|| "it was closed".into()))
    }

    fn fail(&self, what: String) {
        tracing::error!(failure = %what, "the store stops: a write may not be on disk");
        self.failure.send_replace(Some(what));
        self.closed.store(true, Ordering::SeqCst);
    }
}

/// Sends commands to the writer thread.
pub(crate) struct Writer {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    ended: watch::Receiver<bool>,
}

impl Writer {
    /// Starts the thread. At most `queue_commands` commands wait; more are refused.
    pub(crate) fn start(conn: Connection, queue_commands: usize) -> std::io::Result<Self> {
        let (queue, commands) = sync_channel(queue_commands);
        let (ending, ended) = watch::channel(false);
        let shared = Arc::new(Shared {
            closed: AtomicBool::new(false),
            failure: watch::Sender::new(None),
            due: Arc::new(Notify::new()),
        });
        let for_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let watchdog = Watchdog(Arc::clone(&for_thread));
                Thread::new(conn, commands, for_thread).serve();
                drop(watchdog);
                ending.send_replace(true);
            })?;
        Ok(Self {
            queue,
            shared,
            ended,
        })
    }

    /// Queues a command and awaits its commit.
    pub(crate) async fn run<T, F>(&self, kind: &'static str, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Group<'_>) -> Result<T, DbError> + Send + 'static,
    {
        if self.shared.closed.load(Ordering::SeqCst) {
            return Err(self.shared.stopped());
        }
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Command {
            kind,
            body,
            answer: None,
            reply,
        });
        match self.queue.try_send(Message::Run(command)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(StoreError::Overloaded),
            Err(TrySendError::Disconnected(_)) => return Err(self.shared.stopped()),
        }
        answer.await.unwrap_or_else(|_| Err(self.shared.stopped()))
    }

    /// Rung when recipients became due.
    pub(crate) fn due(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.due)
    }

    /// Says when the store has failed.
    pub(crate) fn failure(&self) -> watch::Receiver<Option<String>> {
        self.shared.failure.subscribe()
    }

    /// Lets the thread finish what is queued, and waits for its end.
    pub(crate) async fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        let queue = self.queue.clone();
        // The queue may be full, and then this send waits for the thread.
        let sent = tokio::task::spawn_blocking(move || queue.send(Message::Close)).await;
        if sent.is_ok() {
            // An error means that the thread is gone already.
            let _ = self.ended.clone().wait_for(|ended| *ended).await;
        }
    }
}

/// Turns a panic of the writer thread into a failure of the store, so that the process notices.
struct Watchdog(Arc<Shared>);

impl Drop for Watchdog {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail("the writer thread panicked".into());
        }
    }
}

struct Queued {
    job: Box<dyn Job>,
    failed: Option<StoreError>,
}

/// How a run of a group ended short of its commit.
enum Abort {
    /// Another process holds the write lock; nothing was run.
    Busy(String),
    /// A command failed after it may have written; rolled back.
    Replay,
    /// What was written may not be on disk.
    Fatal(String),
}

struct Thread {
    conn: Connection,
    commands: Receiver<Message>,
    shared: Arc<Shared>,
    memory: Memory,
    closing: bool,
}

impl Thread {
    fn new(conn: Connection, commands: Receiver<Message>, shared: Arc<Shared>) -> Self {
        Self {
            conn,
            commands,
            shared,
            memory: Memory::default(),
            closing: false,
        }
    }

    fn serve(mut self) {
        let mut queued = VecDeque::new();
        while self.fill(&mut queued) {
            if self.shared.failure.borrow().is_some() {
                self.refuse(&mut queued);
            } else {
                self.group(&mut queued);
            }
        }
    }

    /// Waits for a command and takes all that queued meanwhile; false at the end.
    fn fill(&mut self, queued: &mut VecDeque<Queued>) -> bool {
        while queued.is_empty() && !self.closing {
            match self.commands.recv() {
                Ok(message) => self.take(message, queued),
                Err(_) => self.closing = true,
            }
        }
        while queued.len() < GROUP_COMMANDS_MAX {
            match self.commands.try_recv() {
                Ok(message) => self.take(message, queued),
                Err(_) => break,
            }
        }
        !queued.is_empty()
    }

    fn take(&mut self, message: Message, queued: &mut VecDeque<Queued>) {
        match message {
            Message::Run(job) => queued.push_back(Queued { job, failed: None }),
            Message::Close => self.closing = true,
        }
    }

    fn refuse(&mut self, queued: &mut VecDeque<Queued>) {
        for command in queued.drain(..) {
            command.job.finish(Err(self.shared.stopped()));
        }
    }

    fn group(&mut self, queued: &mut VecDeque<Queued>) {
        let outcome = match self.attempt(queued, false) {
            Err(Abort::Replay) => self.attempt(queued, true),
            outcome => outcome,
        };
        match outcome {
            Ok(count) => {
                for command in queued.drain(..count) {
                    command.job.finish(command.failed.map_or(Ok(()), Err));
                }
            }
            Err(Abort::Busy(what)) => {
                for command in queued.drain(..) {
                    command.job.finish(Err(StoreError::Other(what.clone())));
                }
            }
            Err(Abort::Fatal(what)) => {
                self.shared.fail(what);
                self.refuse(queued);
            }
            Err(Abort::Replay) => {
                self.shared
                    .fail("a transaction could not be run again".into());
                self.refuse(queued);
            }
        }
    }

    /// Runs the commands in one transaction and commits it; says how many it carried.
    fn attempt(&mut self, queued: &mut VecDeque<Queued>, alone: bool) -> Result<usize, Abort> {
        let started = Instant::now();
        self.begin()?;
        let mut group = Group::new(&self.conn, &mut self.memory);
        let mut count = 0;
        for command in queued.iter_mut() {
            command.failed = None;
            let run = if alone {
                run_alone(&mut group, command)
            } else {
                command.job.run(&mut group)
            };
            if let Err(error) = run {
                return Err(self.abort(error));
            }
            count += 1;
            if started.elapsed() >= GROUP_WORK_MAX {
                break;
            }
        }
        if let Err(error) = group.flush() {
            return Err(self.abort_for_good(&error.to_string()));
        }
        let made_due = group.made_due;
        let committing = Instant::now();
        if let Err(error) = self
            .conn
            .prepare_cached("COMMIT")
            .and_then(|mut s| s.execute([]))
        {
            return Err(self.abort_for_good(&error.to_string()));
        }
        if made_due {
            self.shared.due.notify_one();
        }
        metrics::histogram!("peyk_store_commit_seconds").record(committing.elapsed());
        metrics::histogram!("peyk_store_group_commands").record(count as f64);
        for command in queued.iter().take(count) {
            metrics::counter!("peyk_store_commands_total", "kind" => command.job.kind())
                .increment(1);
        }
        Ok(count)
    }

    fn begin(&self) -> Result<(), Abort> {
        // The connection's busy handler waits for another process that writes.
        let begun = self
            .conn
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut s| s.execute([]));
        match begun.map_err(DbError::from) {
            Ok(_) => Ok(()),
            Err(error) if error.is_fatal() => Err(Abort::Fatal(error.to_string())),
            Err(error) => Err(Abort::Busy(error.to_string())),
        }
    }

    fn abort(&mut self, error: DbError) -> Abort {
        // SQLite rolls back by itself after some errors; then nothing can be said of the rest.
        if error.is_fatal() || self.conn.is_autocommit() {
            return self.abort_for_good(&error.to_string());
        }
        self.memory.forget_rows();
        match self.conn.execute_batch("ROLLBACK") {
            Ok(()) => Abort::Replay,
            Err(error) => Abort::Fatal(error.to_string()),
        }
    }

    fn abort_for_good(&mut self, what: &str) -> Abort {
        if !self.conn.is_autocommit() {
            // The failure stands either way; this only frees the lock for other processes.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        Abort::Fatal(what.to_owned())
    }
}

/// Runs one command in a savepoint. An error in the answer is one that stops the store.
fn run_alone(group: &mut Group<'_>, command: &mut Queued) -> Result<(), DbError> {
    group.conn.execute_batch("SAVEPOINT command")?;
    let run = command.job.run(group).and_then(|()| group.flush());
    match run {
        Ok(()) => {
            group.conn.execute_batch("RELEASE command")?;
        }
        Err(error) if error.is_fatal() || group.conn.is_autocommit() => return Err(error),
        Err(error) => {
            group.forget();
            group
                .conn
                .execute_batch("ROLLBACK TO command; RELEASE command")?;
            tracing::error!(kind = command.job.kind(), %error, "a command failed");
            command.failed = Some(error.into());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
