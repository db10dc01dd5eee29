//! One keep-alive connection of the load generator, and what all of them share.

use super::request::Request;
use super::{LoadPlan, LoadResult};
use crate::clock::now_micros;
use anyhow::{Context, Result, bail};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Octets read at once.
const READ_BYTES: usize = 16 * 1024;
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Octets of a refusal that are shown.
const SHOWN_MAX: usize = 200;
/// Latencies that are kept at most; the figures of a longer run are those of its beginning.
const LATENCIES_MAX: usize = 20_000_000;

/// What was measured.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) result: LoadResult,
    /// Microseconds, in the order of the answers.
    pub(super) latencies: Vec<u32>,
    /// When each recipient's request was sent, from `first_index` on.
    pub(super) times: Vec<u64>,
}

pub(super) struct Shared {
    plan: LoadPlan,
    next: AtomicU64,
    begun: AtomicU64,
    outcome: Mutex<Outcome>,
}

impl Shared {
    pub(super) fn new(plan: LoadPlan) -> Self {
        let all = plan.requests.saturating_mul(u64::from(plan.recipients));
        let kept = if plan.times_file.is_some() { all } else { 0 };
        let result = LoadResult {
            bulks: vec![(0, 0); plan.calls.len()],
            ..LoadResult::default()
        };
        let outcome = Outcome {
            result,
            times: vec![0; usize::try_from(kept).unwrap_or(0)],
            ..Outcome::default()
        };
        Self {
            plan,
            next: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            outcome: Mutex::new(outcome),
        }
    }

    pub(super) fn begin(&self) {
        let now = now_micros();
        self.begun.store(now, Ordering::Relaxed);
        self.with(|outcome| outcome.result.begun = now);
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.with(std::mem::take)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Outcome) -> T) -> T {
        work(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of the next request and its planned time; `None` when all are begun.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts and spans of hours fit"
    )]
    fn ticket(&self) -> Option<(u64, Option<u64>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let begun = self.begun.load(Ordering::Relaxed);
        let planned = self
            .plan
            .per_second
            .map(|rate| begun + (number as f64 / rate * 1e6) as u64);
        let at = planned.unwrap_or_else(now_micros);
        let over = at.saturating_sub(begun) as f64 / 1e6 > self.plan.seconds_max;
        (number < self.plan.requests && !over).then_some((number, planned))
    }
}

/// Opens all connections.
pub(super) async fn open_all(shared: &Shared) -> Result<Vec<TcpStream>> {
    let mut streams = Vec::new();
    let to = shared.plan.to.iter().cycle();
    for to in to.take(shared.plan.connections) {
        let stream = TcpStream::connect(to).await;
        let stream = stream.with_context(|| format!("cannot reach {to}"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    Ok(streams)
}

/// Sends requests one after the other until none is left.
pub(super) async fn drive(mut stream: TcpStream, shared: Arc<Shared>) {
    let plan = &shared.plan;
    let Ok(to) = stream.peer_addr() else {
        return;
    };
    let requests = plan.calls.iter();
    let mut requests: Vec<Request> = requests
        .map(|call| Request::new(call, plan.recipients))
        .collect();
    let mut answer = Vec::with_capacity(READ_BYTES);
    while let Some((number, planned)) = shared.ticket() {
        if let Some(planned) = planned {
            let early = planned.saturating_sub(now_micros());
            tokio::time::sleep(Duration::from_micros(early)).await;
        }
        let first = number * u64::from(plan.recipients);
        let call = usize::try_from(number).unwrap_or(0) % requests.len();
        let bytes = requests[call].patch(plan.first_index + first);
        let sent = now_micros();
        let asked = tokio::time::timeout(ANSWER_MAX, ask(&mut stream, bytes, &mut answer));
        let asked = asked.await.context("no answer in time").flatten();
        let ended = now_micros();
        let prefix = plan.calls[call].accepted_prefix();
        let refusal = match asked {
            Ok(body) if answer[body..].starts_with(prefix) => None,
            Ok(body) => Some(shown(&answer[body..])),
            Err(error) => Some(format!("{error:#}")),
        };
        let broken = refusal.is_some();
        let bulk = asked_number(&answer);
        shared.with(|outcome| {
            outcome.result.ended = outcome.result.ended.max(ended);
            match refusal {
                None => {
                    outcome.result.accepted += 1;
                    let bulks = &mut outcome.result.bulks[call];
                    *bulks = (bulks.0 + 1, bulks.1.max(bulk));
                    let latency = ended.saturating_sub(planned.unwrap_or(sent));
                    if outcome.latencies.len() < LATENCIES_MAX {
                        outcome
                            .latencies
                            .push(u32::try_from(latency).unwrap_or(u32::MAX));
                    }
                    note_times(
                        &mut outcome.times,
                        first,
                        plan.recipients,
                        planned.unwrap_or(sent),
                    );
                }
                Some(refusal) => {
                    outcome.result.refused += 1;
                    outcome.result.first_refusal.get_or_insert(refusal);
                }
            }
        });
        if broken {
            // A connection that failed once is not worth the next request.
            match TcpStream::connect(to).await {
                Ok(fresh) => stream = fresh,
                Err(_) => return,
            }
            let _ = stream.set_nodelay(true);
        }
    }
}

fn note_times(times: &mut [u64], first: u64, recipients: u32, at: u64) {
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let places = times.get_mut(first..first.saturating_add(recipients as usize));
    if let Some(places) = places {
        places.fill(at);
    }
}

/// The number of an answer that ends with `[0,10001]`; 0 of any other.
fn asked_number(answer: &[u8]) -> u64 {
    let start = answer.iter().rposition(|octet| *octet == b',');
    let digits = start.map_or(&[][..], |at| &answer[at + 1..]);
    let digits = digits.iter().take_while(|octet| octet.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN_MAX)]).into_owned()
}

/// Writes a request and reads its answer; gives where the body begins.
async fn ask(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) -> Result<usize> {
    stream.write_all(request).await?;
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            bail!("the connection was closed");
        }
        if let Some((body, length)) = head(answer)?
            && answer.len() >= body + length
        {
            return Ok(body);
        }
    }
}

/// Where the body begins and how long it is; `None` while the head is not all there.
fn head(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let name = b"content-length:";
    let at = answer[..end]
        .windows(name.len())
        .position(|window| window.eq_ignore_ascii_case(name));
    let at = at.context("an answer without content-length")?;
    let digits = answer[at + name.len()..end]
        .iter()
        .skip_while(|octet| **octet == b' ')
        .take_while(|octet| octet.is_ascii_digit());
    let length = digits.fold(0, |sum: usize, digit| sum * 10 + usize::from(digit - b'0'));
    Ok(Some((end + 4, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length:  9\r\nX: y\r\n\r\n[0,10001]";
        let (body, length) = head(answer).unwrap().unwrap();
        assert_eq!(&answer[body..body + length], b"[0,10001]");
        assert_eq!(asked_number(answer), 10_001);
        assert!(head(&answer[..20]).unwrap().is_none());
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
