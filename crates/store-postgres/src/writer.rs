//! The tasks that write groups. Whatever queued while the last group was committed becomes the
//! next one; there is no timer. An answer leaves only after the commit of its group.
//!
//! Commands of one account, and outcomes and receipts of one link, go through the same task, so
//! that they do not wait for each other's locks.

use crate::bell::Bell;
use crate::db::Db;
use crate::group::{self, Answer, Job};
use crate::retry::Failure;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, RwLock};
use store::StoreError;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Commands that one commit carries at most.
const GROUP_COMMANDS_MAX: usize = 1_024;

/// Rows that one commit writes, about, so that its locks are short.
const GROUP_ROWS_MAX: usize = 10_000;

/// Commands that wait for one task at most; more are refused.
const QUEUE_COMMANDS: usize = 20_000;

type Reply = oneshot::Sender<Result<Answer, StoreError>>;

/// Sends commands to the tasks.
pub(crate) struct Writers {
    /// None any more once it is closed: then the tasks come to the end of their queues.
    queues: RwLock<Vec<Sender<(Job, Reply)>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// Starts `count` tasks, at least one.
    pub(crate) fn start(db: &Arc<Db>, bell: &Arc<Bell>, count: usize) -> Self {
        let mut queues = Vec::new();
        let mut tasks = Vec::new();
        for _ in 0..count.max(1) {
            let (queue, jobs) = channel(QUEUE_COMMANDS);
            queues.push(queue);
            tasks.push(tokio::spawn(serve(Arc::clone(db), Arc::clone(bell), jobs)));
        }
        Self {
            queues: RwLock::new(queues),
            tasks: Mutex::new(tasks),
        }
    }

    /// Writes a command; `by` says which go through the same task.
    pub(crate) async fn run(&self, by: i64, job: Job) -> Result<Answer, StoreError> {
        let stopped = || StoreError::Stopped("it was closed".into());
        let (reply, answer) = oneshot::channel();
        {
            let queues = self.queues.read().unwrap_or_else(|e| e.into_inner());
            let count = i64::try_from(queues.len()).unwrap_or(1).max(1);
            let at = usize::try_from(by.rem_euclid(count)).unwrap_or(0);
            let queue = queues.get(at).ok_or_else(stopped)?;
            match queue.try_send((job, reply)) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return Err(StoreError::Overloaded),
                Err(TrySendError::Closed(_)) => return Err(stopped()),
            }
        }
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Lets the tasks finish what is queued, the group under way included.
    pub(crate) async fn close(&self) {
        let queues = std::mem::take(&mut *self.queues.write().unwrap_or_else(|e| e.into_inner()));
        drop(queues);
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(|e| e.into_inner());
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a writer ended before its queue");
            }
        }
    }
}

async fn serve(db: Arc<Db>, bell: Arc<Bell>, mut jobs: Receiver<(Job, Reply)>) {
    let mut next = VecDeque::new();
    loop {
        if next.is_empty() {
            match jobs.recv().await {
                Some(first) => next.push_back(first),
                None => return,
            }
        }
        while next.len() < GROUP_COMMANDS_MAX {
            match jobs.try_recv() {
                Ok(job) => next.push_back(job),
                Err(_) => break,
            }
        }
        let mut rows = 0;
        let mut count = 0;
        for (job, _) in &next {
            rows += job.rows();
            if count > 0 && rows > GROUP_ROWS_MAX {
                break;
            }
            count += 1;
        }
        let (jobs, replies): (Vec<Job>, Vec<Reply>) = next.drain(..count).unzip();
        write(&db, &bell, jobs, replies).await;
    }
}

/// Writes a group. If the database refuses it as a whole, each of its commands is tried by itself,
/// so that one which is refused fails alone. Not so where the database is away, or where the group
/// may have been committed: then each would only wait as long, or be written twice.
async fn write(db: &Db, bell: &Bell, jobs: Vec<Job>, replies: Vec<Reply>) {
    match commit(db, bell, &jobs).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                // Nobody may be waiting any more; what was committed stays committed.
                let _ = reply.send(Ok(answer));
            }
        }
        Err(Failure::Refused(_)) if jobs.len() > 1 => {
            for (job, reply) in jobs.into_iter().zip(replies) {
                let one = commit(db, bell, &[job]).await.map_err(StoreError::from);
                let answer = one.and_then(|mut answers| {
                    let none = || StoreError::Other("the command was not run".into());
                    answers.pop().ok_or_else(none)
                });
                let _ = reply.send(answer);
            }
        }
        Err(failure) => {
            let error = StoreError::from(failure);
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

async fn commit(db: &Db, bell: &Bell, jobs: &[Job]) -> Result<Vec<Answer>, Failure> {
    let order = db.order_number();
    metrics::histogram!("peyk_store_group_commands").record(jobs.len() as f64);
    let (answers, made_due) = db
        .write_with(
            "group",
            |tx| async move { group::run(&tx, jobs, order).await },
        )
        .await?;
    if made_due {
        bell.ring();
    }
    Ok(answers)
}
