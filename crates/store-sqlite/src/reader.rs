//! A few threads with connections of their own that answer queries. Each query is short: a long
//! read keeps the write-ahead log from being emptied.

use crate::error::DbError;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use store::StoreError;
use tokio::sync::oneshot;

type Query = Box<dyn FnOnce(&Connection) + Send>;

enum Message {
    Run(Query),
    Close,
}

/// Sends queries to the reader threads.
pub(crate) struct Readers {
    queue: SyncSender<Message>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Readers {
    /// Starts a thread for each connection. At most `queue_queries` queries wait.
    pub(crate) fn start(conns: Vec<Connection>, queue_queries: usize) -> std::io::Result<Self> {
        let (queue, queries) = sync_channel(queue_queries);
        let queries = Arc::new(Mutex::new(queries));
        let mut threads = Vec::with_capacity(conns.len());
        for conn in conns {
            let queries = Arc::clone(&queries);
            let thread = thread::Builder::new()
                .name("store-reader".into())
                .spawn(move || serve(&conn, &queries))?;
            threads.push(thread);
        }
        Ok(Self {
            queue,
            threads: Mutex::new(threads),
        })
    }

    /// Runs a query on some reader. `body` that needs several statements to agree opens its own
    /// transaction (see [`snapshot`]).
    pub(crate) async fn run<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let query: Query = Box::new(move |conn| {
            // Nobody may be waiting any more.
            let _ = reply.send(body(conn));
        });
        match self.queue.try_send(Message::Run(query)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(StoreError::Overloaded),
            Err(TrySendError::Disconnected(_)) => return Err(closed()),
        }
        match answer.await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_) => Err(closed()),
        }
    }

    /// Lets the threads finish what is queued, and waits until their connections are closed.
    pub(crate) async fn close(&self) {
        let queue = self.queue.clone();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let end = move || {
            for _ in 0..threads.len() {
                // An error means that the threads are gone already.
                let _ = queue.send(Message::Close);
            }
            for thread in threads {
                // A reader that panicked has closed its connection too.
                let _ = thread.join();
            }
        };
        let _ = tokio::task::spawn_blocking(end).await;
    }
}

fn closed() -> StoreError {
    StoreError::Stopped("it was closed".into())
}

fn serve(conn: &Connection, queries: &Mutex<Receiver<Message>>) {
    loop {
        // The lock is held while waiting: one idle thread waits for the queue, the others for it.
        let next = queries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match next {
            Ok(Message::Run(query)) => query(conn),
            Ok(Message::Close) | Err(_) => return,
        }
    }
}

/// Runs several statements against one state of the database.
pub(crate) fn snapshot<T>(
    conn: &Connection,
    body: impl FnOnce(&Connection) -> Result<T, DbError>,
) -> Result<T, DbError> {
    let tx = conn.unchecked_transaction()?;
    let answer = body(&tx);
    // Nothing was written, so the end of the transaction cannot lose anything.
    tx.finish()?;
    answer
}
