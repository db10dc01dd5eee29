//! The SMSC's side of one session: binds, links, deliveries. Messages are in `messages.rs`.
//!
//! It works on bytes and leaves the socket to its parent, so that everything one read brings is
//! answered with one write.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use smpp::{
    Bind, BindMode, BindResp, CommandId, CommandStatus, Frame, MessageState, Pdu, Receipt,
    next_frame,
};
use tokio::sync::watch;
use tokio::time::Instant;

use super::OUT_MAX;
use crate::hub::{Hub, Order, SimEvent, SubmitRecord, add, subtract};
use crate::mailbox::{Delivery, Mailbox, ReceiptTask, lock};
use crate::queue::TimeQueue;

/// How long a delivery that the ESME refused waits before it is sent again.
const REFUSED_DELIVERY_PAUSE: Duration = Duration::from_secs(1);
/// The highest sequence number (SMPP 3.4 section 5.1.4).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// Who is bound on a connection.
pub(super) struct Bound {
    pub(super) mode: BindMode,
    pub(super) system_id: Arc<[u8]>,
    pub(super) mailbox: Arc<Mailbox>,
}

pub(super) struct Peer {
    pub(super) hub: Arc<Hub>,
    pub(super) id: u64,
    pub(super) bound: Option<Bound>,
    /// What is to be written.
    pub(super) out: Vec<u8>,
    /// The start of a frame whose rest was not read yet.
    held: Vec<u8>,
    /// Answers that wait for their time.
    pub(super) delayed: TimeQueue<Vec<u8>>,
    /// Receipts of the messages of this read, not in the mailbox yet.
    pub(super) fresh: Vec<(Instant, Delivery)>,
    /// The messages of this read, not on record yet.
    pub(super) records: Vec<SubmitRecord>,
    unacked: HashMap<u32, Delivery>,
    taken: Vec<Delivery>,
    next_delivery: Option<Instant>,
    mail: Option<watch::Receiver<()>>,
    sequence: u32,
    pub(super) last_read: Instant,
    enquired: bool,
    /// Nothing more is read; the connection closes when `out` is written.
    pub(super) ending: bool,
}

impl Peer {
    pub(super) fn new(hub: Arc<Hub>, id: u64) -> Self {
        Self {
            hub,
            id,
            bound: None,
            out: Vec::new(),
            held: Vec::new(),
            delayed: TimeQueue::new(),
            fresh: Vec::new(),
            records: Vec::new(),
            unacked: HashMap::new(),
            taken: Vec::new(),
            next_delivery: None,
            mail: None,
            sequence: 0,
            last_read: Instant::now(),
            enquired: false,
            ending: false,
        }
    }

    pub(super) fn ending(&self) -> bool {
        self.ending
    }

    /// Handles what one read brought.
    pub(super) fn read(&mut self, bytes: &[u8], now: Instant) {
        self.last_read = now;
        self.enquired = false;
        let mut held = std::mem::take(&mut self.held);
        if held.is_empty() {
            let used = self.frames(bytes, now);
            held.extend_from_slice(&bytes[used..]);
        } else {
            held.extend_from_slice(bytes);
            let used = self.frames(&held, now);
            held.drain(..used);
        }
        self.held = held;
        let hub = Arc::clone(&self.hub);
        hub.record(&mut self.records);
        self.post_fresh();
    }

    /// Does what is due: delayed answers, deliveries, `enquire_link`.
    pub(super) fn work(&mut self, now: Instant) {
        while let Some(answer) = self.delayed.pop_due(now) {
            self.out.extend_from_slice(&answer);
        }
        self.deliver_due(now);
        let silence = self.hub.config.enquire_link;
        if !silence.is_zero() && self.bound.is_some() && now >= self.last_read + silence {
            if self.enquired {
                self.ending = true;
            } else {
                self.enquired = true;
                self.last_read = now;
                self.bare(CommandId::EnquireLink);
            }
        }
    }

    /// When [`Self::work`] has something to do.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let silence = self.hub.config.enquire_link;
        let asks = !silence.is_zero() && self.bound.is_some() && !self.ending;
        let enquire = asks.then(|| self.last_read + silence);
        let due = [self.delayed.next_due(), self.next_delivery, enquire];
        due.into_iter().flatten().min()
    }

    /// Waits until the mailbox may have something new; forever without one.
    pub(super) async fn mail(&mut self) {
        match &mut self.mail {
            // The mailbox keeps the sender, so an error means the simulator is going away.
            Some(mail) => {
                if mail.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            None => std::future::pending().await,
        }
    }

    pub(super) fn obey(&mut self, order: &Order) {
        match order {
            Order::Send(garbage) => self.send_garbage(garbage),
            Order::Unbind => self.bare(CommandId::Unbind),
            Order::Enquire => self.bare(CommandId::EnquireLink),
        }
    }

    pub(super) fn send_garbage(&mut self, garbage: &crate::Garbage) {
        let sequence = self.next_sequence();
        if garbage.is_delivery() {
            add(&self.hub.counters.messages_sent, 1);
        }
        garbage.write(sequence, &mut self.out);
    }

    /// The connection is lost: what was not acknowledged goes back, and the bind is over.
    pub(super) fn gone(&mut self) {
        let now = Instant::now();
        let unacked = std::mem::take(&mut self.unacked);
        subtract(&self.hub.counters.unacknowledged, unacked.len() as u64);
        let Some(bound) = self.bound.take() else {
            return;
        };
        subtract(&self.hub.counters.binds, 1);
        bound.mailbox.binds.fetch_sub(1, Ordering::Relaxed);
        if bound.mode != BindMode::Transmitter {
            bound.mailbox.receivers.fetch_sub(1, Ordering::Relaxed);
        }
        let mut back = std::mem::take(&mut self.fresh);
        if self.hub.config.resend {
            // In the order in which they were sent.
            let mut unacked: Vec<_> = unacked.into_iter().collect();
            unacked.sort_unstable_by_key(|(sequence, _)| *sequence);
            back.extend(unacked.into_iter().map(|(_, delivery)| (now, delivery)));
        }
        bound.mailbox.push_all(back, true);
    }

    fn frames(&mut self, bytes: &[u8], now: Instant) -> usize {
        // One lock for the whole read, and none for a read without messages.
        let script = Arc::clone(&self.hub.script.0);
        let mut script = lock(&script);
        let mut used = 0;
        while !self.ending {
            match next_frame(&bytes[used..], self.hub.config.max_frame) {
                Ok(Some((frame, length))) => {
                    used += length;
                    if frame.header.id == CommandId::SubmitSm {
                        self.submit(&mut script, &frame, now);
                    } else {
                        let refused = script.behaviour.refuse_binds;
                        self.frame(&frame, now, refused);
                    }
                }
                Ok(None) => return used,
                Err(error) => {
                    tracing::debug!(connection = self.id, %error, "the stream cannot be read on");
                    self.answer(&Pdu::GenericNack, CommandStatus::ESME_RINVCMDLEN, 0);
                    self.ending = true;
                }
            }
        }
        bytes.len()
    }

    fn frame(&mut self, frame: &Frame<'_>, now: Instant, refuse_binds: Option<CommandStatus>) {
        let sequence = frame.header.sequence;
        match frame.header.id {
            CommandId::DeliverSmResp | CommandId::DataSmResp => {
                self.acknowledged(sequence, frame.header.status, now);
            }
            CommandId::BindTransmitter => self.bind(frame, BindMode::Transmitter, refuse_binds),
            CommandId::BindReceiver => self.bind(frame, BindMode::Receiver, refuse_binds),
            CommandId::BindTransceiver => self.bind(frame, BindMode::Transceiver, refuse_binds),
            CommandId::EnquireLink => {
                add(&self.hub.counters.enquires_received, 1);
                self.answer(&Pdu::EnquireLinkResp, CommandStatus::ESME_ROK, sequence);
            }
            CommandId::Unbind => {
                self.answer(&Pdu::UnbindResp, CommandStatus::ESME_ROK, sequence);
                self.ending = true;
            }
            CommandId::UnbindResp => self.ending = true,
            CommandId::GenericNack => {
                add(&self.hub.counters.nacks_received, 1);
                if self.unacked.contains_key(&sequence) {
                    self.acknowledged(sequence, CommandStatus::ESME_RUNKNOWNERR, now);
                }
            }
            id if id.is_response() => {}
            _ => self.answer(&Pdu::GenericNack, CommandStatus::ESME_RINVCMDID, sequence),
        }
    }

    fn bind(&mut self, frame: &Frame<'_>, mode: BindMode, refused: Option<CommandStatus>) {
        let sequence = frame.header.sequence;
        let Ok(bind) = Bind::decode(frame.body) else {
            self.answer(&Pdu::GenericNack, CommandStatus::ESME_RINVCMDLEN, sequence);
            return;
        };
        let status = refused.unwrap_or_else(|| self.try_bind(&bind, mode));
        let mut resp = BindResp::default();
        if status.is_ok() {
            resp.system_id.clone_from(&self.hub.config.system_id);
            resp.tlvs.push(
                smpp::tlv::tag::SC_INTERFACE_VERSION,
                [smpp::pdu::INTERFACE_VERSION_34],
            );
        } else {
            add(&self.hub.counters.binds_refused, 1);
        }
        let resp = match mode {
            BindMode::Transmitter => Pdu::BindTransmitterResp(resp),
            BindMode::Receiver => Pdu::BindReceiverResp(resp),
            BindMode::Transceiver => Pdu::BindTransceiverResp(resp),
        };
        self.answer(&resp, status, sequence);
        let connection = self.id;
        self.hub.tell(|| SimEvent::Bind {
            connection,
            system_id: bind.system_id.clone(),
            mode,
            status,
        });
    }

    fn try_bind(&mut self, bind: &Bind, mode: BindMode) -> CommandStatus {
        if self.bound.is_some() {
            return CommandStatus::ESME_RALYBND;
        }
        let status = self.hub.check(bind);
        if !status.is_ok() {
            return status;
        }
        let mailbox = self.hub.mailbox(&bind.system_id);
        if mailbox.binds.fetch_add(1, Ordering::Relaxed) >= self.hub.config.max_binds {
            mailbox.binds.fetch_sub(1, Ordering::Relaxed);
            return CommandStatus::ESME_RALYBND;
        }
        if mode != BindMode::Transmitter {
            mailbox.receivers.fetch_add(1, Ordering::Relaxed);
            self.mail = Some(mailbox.watch());
        }
        add(&self.hub.counters.binds, 1);
        self.bound = Some(Bound {
            mode,
            system_id: bind.system_id.as_slice().into(),
            mailbox,
        });
        status
    }

    fn acknowledged(&mut self, sequence: u32, status: CommandStatus, now: Instant) {
        let Some(delivery) = self.unacked.remove(&sequence) else {
            return;
        };
        let counters = &self.hub.counters;
        subtract(&counters.unacknowledged, 1);
        if status.is_ok() {
            add(&counters.acknowledged, 1);
        } else {
            add(&counters.delivery_errors, 1);
            if self.hub.config.resend {
                self.fresh.push((now + REFUSED_DELIVERY_PAUSE, delivery));
            }
        }
        let connection = self.id;
        self.hub.tell(|| SimEvent::Acknowledged {
            connection,
            sequence,
            status,
        });
    }

    /// Puts the receipts of this read where any receiver of this `system_id` finds them.
    fn post_fresh(&mut self) {
        let Some(bound) = self.bound.as_ref().filter(|_| !self.fresh.is_empty()) else {
            return;
        };
        let busy = self.unacked.len() >= self.hub.config.deliver_window;
        let alone = bound.mode != BindMode::Transmitter && !busy;
        bound.mailbox.push_all(self.fresh.drain(..), !alone);
    }

    fn deliver_due(&mut self, now: Instant) {
        self.next_delivery = None;
        let Some(bound) = self.bound.as_ref() else {
            return;
        };
        if bound.mode == BindMode::Transmitter || self.ending || self.out.len() >= OUT_MAX {
            return;
        }
        let window = self.hub.config.deliver_window;
        let room = window.saturating_sub(self.unacked.len());
        let mut taken = std::mem::take(&mut self.taken);
        let next = bound.mailbox.take_due(now, room, &mut taken);
        // With the window full the next acknowledgement wakes this connection, not the time.
        if taken.len() < room {
            self.next_delivery = next;
        }
        for delivery in taken.drain(..) {
            self.deliver(delivery);
        }
        self.taken = taken;
    }

    fn deliver(&mut self, delivery: Delivery) {
        let sequence = self.next_sequence();
        let counters = &self.hub.counters;
        let (pdu, receipt_of) = match &delivery {
            Delivery::Receipt(task) => {
                add(&counters.receipts_sent, 1);
                (self.receipt(task), Some(&task.message_id))
            }
            Delivery::Message(sm) => {
                add(&counters.messages_sent, 1);
                (Pdu::DeliverSm((**sm).clone()), None)
            }
        };
        if let Err(error) = pdu.encode(CommandStatus::ESME_ROK, sequence, &mut self.out) {
            tracing::warn!(%error, "a delivery cannot be written and is dropped");
            return;
        }
        let connection = self.id;
        self.hub.tell(|| SimEvent::Delivered {
            connection,
            sequence,
            receipt_of: receipt_of.cloned(),
        });
        add(&counters.unacknowledged, 1);
        self.unacked.insert(sequence, delivery);
    }

    fn receipt(&self, task: &ReceiptTask) -> Pdu {
        let config = &self.hub.config;
        let date: Option<Box<[u8]>> = Some(config.receipt_date.as_slice().into());
        let receipt = Receipt {
            message_id: task.message_id.clone(),
            state: task.state,
            error: Some(task.error),
            submit_date: date.clone(),
            done_date: date.filter(|_| task.state != MessageState::Enroute),
            text: None,
        };
        let (handset, line) = (task.handset.clone(), task.line.clone());
        Pdu::DeliverSm(receipt.to_deliver(config.receipt_style, handset, line))
    }

    fn bare(&mut self, id: CommandId) {
        let sequence = self.next_sequence();
        let pdu = Pdu::Other(id, Box::default());
        self.answer(&pdu, CommandStatus::ESME_ROK, sequence);
    }

    pub(super) fn answer(&mut self, pdu: &Pdu, status: CommandStatus, sequence: u32) {
        if let Err(error) = pdu.encode(status, sequence, &mut self.out) {
            tracing::warn!(%error, "an answer cannot be written and is dropped");
        }
    }

    /// A `submit_sm_resp`, now or at its time.
    pub(super) fn answer_submit(
        &mut self,
        pdu: &Pdu,
        status: CommandStatus,
        sequence: u32,
        due: Option<Instant>,
    ) {
        add(&self.hub.counters.answered, 1);
        let Some(due) = due else {
            self.answer(pdu, status, sequence);
            return;
        };
        let mut bytes = Vec::new();
        match pdu.encode(status, sequence, &mut bytes) {
            Ok(()) => self.delayed.push(due, bytes),
            Err(error) => tracing::warn!(%error, "an answer cannot be written and is dropped"),
        }
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence == SEQUENCE_MAX {
            1
        } else {
            self.sequence + 1
        };
        self.sequence
    }
}
