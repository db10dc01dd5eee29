//! One connection of the sink: this file owns the socket.

use super::queue::{Due, Queue};
use super::state::{State, lock};
use super::wire;
use crate::clock::now_micros;
use crate::numbers;
use smpp::{Bind, BindResp, CommandId, CommandStatus, Frame, Pdu, next_frame};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Octets read at once.
const READ_BYTES: usize = 256 * 1024;
/// Octets that wait to be written above which no more receipts are added.
const OUT_BYTES_MAX: usize = 256 * 1024;
/// Receipts that may wait for their answers.
const RECEIPT_WINDOW: usize = 1000;
/// How often a receiver looks for receipts that other connections left behind.
const ORPHANS_EVERY_MILLIS: u64 = 20;
/// The longest PDU, in octets.
const FRAME_MAX: usize = 70_000;

struct Peer {
    state: Arc<Mutex<State>>,
    bound: bool,
    /// A transmitter gets no receipts; they wait for a receiver.
    receives: bool,
    out: Vec<u8>,
    held: Vec<u8>,
    /// Answers that wait for their time.
    answers: Queue<(u32, u64)>,
    receipts: Queue<Due>,
    /// Receipts by sequence number from `oldest` on; `None` once answered.
    unanswered: VecDeque<Option<Due>>,
    oldest: u32,
    ending: bool,
}

/// Serves one connection until it ends.
pub(super) async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut peer = Peer {
        state,
        bound: false,
        receives: false,
        out: Vec::new(),
        held: Vec::new(),
        answers: Queue::default(),
        receipts: Queue::default(),
        unanswered: VecDeque::new(),
        oldest: 1,
        ending: false,
    };
    let mut buffer = vec![0; READ_BYTES];
    let (mut reader, mut writer) = stream.split();
    loop {
        let now = now_micros();
        peer.work(now / 1000);
        if peer.ending && peer.out.is_empty() {
            break;
        }
        let wake = peer.next_wake().map(|due| {
            // A millisecond is over when the next begins.
            Duration::from_micros(((due + 1) * 1000).saturating_sub(now))
        });
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(count) if count > 0 => peer.read(&buffer[..count]),
                _ => break,
            },
            wrote = writer.write(&peer.out), if !peer.out.is_empty() => match wrote {
                Ok(count) => drop(peer.out.drain(..count)),
                Err(_) => break,
            },
            () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {}
        }
    }
    peer.gone();
}

impl Peer {
    fn read(&mut self, bytes: &[u8]) {
        let now = now_micros();
        let shared = Arc::clone(&self.state);
        let mut state = lock(&shared);
        let mut held = std::mem::take(&mut self.held);
        if held.is_empty() {
            let used = self.frames(&mut state, bytes, now);
            held.extend_from_slice(&bytes[used..]);
        } else {
            held.extend_from_slice(bytes);
            let used = self.frames(&mut state, &held, now);
            held.drain(..used);
        }
        self.held = held;
    }

    fn frames(&mut self, state: &mut State, bytes: &[u8], now: u64) -> usize {
        let mut used = 0;
        while !self.ending {
            match next_frame(&bytes[used..], FRAME_MAX) {
                Ok(Some((frame, length))) => {
                    used += length;
                    self.frame(state, &frame, now);
                }
                Ok(None) => return used,
                Err(_) => self.ending = true,
            }
        }
        bytes.len()
    }

    fn frame(&mut self, state: &mut State, frame: &Frame<'_>, now: u64) {
        let sequence = frame.header.sequence;
        match frame.header.id {
            CommandId::SubmitSm => self.submit(state, frame, now),
            CommandId::DeliverSmResp => {
                self.answered(state, sequence, frame.header.status, now);
            }
            CommandId::EnquireLink => self.say(&Pdu::EnquireLinkResp, sequence),
            CommandId::BindTransceiver => self.bind(state, frame, Pdu::BindTransceiverResp, true),
            CommandId::BindReceiver => self.bind(state, frame, Pdu::BindReceiverResp, true),
            CommandId::BindTransmitter => self.bind(state, frame, Pdu::BindTransmitterResp, false),
            CommandId::Unbind => {
                self.say(&Pdu::UnbindResp, sequence);
                self.ending = true;
            }
            _ => {}
        }
    }

    fn say(&mut self, pdu: &Pdu, sequence: u32) {
        // What we say ourselves always fits.
        let _ = pdu.encode(CommandStatus::ESME_ROK, sequence, &mut self.out);
    }

    fn bind(
        &mut self,
        state: &mut State,
        frame: &Frame<'_>,
        resp: fn(BindResp) -> Pdu,
        receives: bool,
    ) {
        self.ending = Bind::decode(frame.body).is_err() || self.bound;
        self.bound = true;
        self.receives = receives;
        state.stats.binds += 1;
        let resp = resp(BindResp {
            system_id: b"sink".to_vec(),
            ..BindResp::default()
        });
        self.say(&resp, frame.header.sequence);
    }

    fn submit(&mut self, state: &mut State, frame: &Frame<'_>, now: u64) {
        let sequence = frame.header.sequence;
        let Some(submit) = wire::submit(frame.body).filter(|_| self.bound) else {
            self.ending = true;
            return;
        };
        let index = numbers::index_of(submit.destination);
        let Some(id) = state.take(index, now) else {
            let status = CommandStatus::ESME_RTHROTTLED.0;
            wire::put_answer(&mut self.out, status, sequence, None);
            return;
        };
        match state.settings.answer_delay_millis {
            0 => wire::put_answer(&mut self.out, 0, sequence, Some(id)),
            delay => self.answers.push(now / 1000 + delay, (sequence, id)),
        }
        if submit.wants_receipt {
            let receipt = Due {
                id,
                number: wire::digits(submit.destination),
                source: state.source(submit.source),
            };
            let due = state.receipt_due(now);
            if self.receives {
                self.receipts.push(due, receipt);
            } else {
                state.orphans.push(due, receipt);
            }
        }
    }

    fn answered(&mut self, state: &mut State, sequence: u32, status: CommandStatus, now: u64) {
        let at = sequence.wrapping_sub(self.oldest) as usize;
        let Some(slot) = self.unanswered.get_mut(at) else {
            return;
        };
        let Some(receipt) = slot.take() else { return };
        if status.is_ok() {
            state.stats.acknowledged += 1;
            state.stats.last_acknowledged = now;
        } else {
            // Again after a second, as a centre does.
            state.stats.refused += 1;
            self.receipts.push(now / 1000 + 1000, receipt);
        }
        while let Some(None) = self.unanswered.front() {
            self.unanswered.pop_front();
            self.oldest = self.oldest.wrapping_add(1);
        }
    }

    /// Writes the answers and receipts that are due.
    fn work(&mut self, now: u64) {
        while let Some((sequence, id)) = self.answers.pop_due(now) {
            wire::put_answer(&mut self.out, 0, sequence, Some(id));
        }
        if !self.receives || self.ending {
            return;
        }
        let shared = Arc::clone(&self.state);
        let mut state = lock(&shared);
        while self.unanswered.len() < RECEIPT_WINDOW && self.out.len() < OUT_BYTES_MAX {
            let own = self.receipts.pop_due(now);
            let Some(due) = own.or_else(|| state.orphans.pop_due(now)) else {
                break;
            };
            let length = u32::try_from(self.unanswered.len()).unwrap_or(u32::MAX);
            let sequence = self.oldest.wrapping_add(length);
            let source = &state.sources[due.source as usize];
            wire::put_receipt(&mut self.out, sequence, &due, source);
            state.stats.receipts += 1;
            self.unanswered.push_back(Some(due));
        }
    }

    /// When [`Self::work`] has something to do, in milliseconds since 1970.
    fn next_wake(&self) -> Option<u64> {
        let answers = self.answers.next_due();
        let full = self.unanswered.len() >= RECEIPT_WINDOW || self.out.len() >= OUT_BYTES_MAX;
        if !self.receives || full {
            return answers;
        }
        let own = [answers, self.receipts.next_due()].into_iter().flatten();
        // What other connections leave behind wakes nobody, so it is looked for now and then.
        let look = now_micros() / 1000 + ORPHANS_EVERY_MILLIS;
        Some(own.fold(look, u64::min))
    }

    /// Hands what was not answered to the other connections.
    fn gone(self) {
        let mut state = lock(&self.state);
        if self.bound {
            state.stats.binds -= 1;
        }
        state.orphans.append(self.receipts);
        for receipt in self.unanswered.into_iter().flatten() {
            state.orphans.push(0, receipt);
        }
    }
}
