//! What a session does with each PDU that comes in.
//!
//! Lenient: an answer is matched by its sequence number alone, bodies of answers may be missing,
//! and any PDU counts as a sign of life. Only an impossible `command_length` ends the session.

use std::time::Duration;

use super::{CloseReason, DeliverRef, EsmeSession, Event, ProtocolFault, SessionState};
use crate::command::CommandId;
use crate::frame::{Frame, next_frame};
use crate::pdu::{BindResp, Pdu, SmResp};
use crate::status::CommandStatus;
use crate::wire;

impl EsmeSession {
    /// Handles the whole frames at the start of `bytes` and gives the octets used.
    pub(super) fn frames(
        &mut self,
        now: Duration,
        bytes: &[u8],
        out: &mut Vec<u8>,
        events: &mut Vec<Event>,
    ) -> usize {
        let mut used = 0;
        loop {
            if matches!(self.state, SessionState::Open | SessionState::Closed) {
                return bytes.len();
            }
            match next_frame(&bytes[used..], self.config.max_frame) {
                Ok(Some((frame, length))) => {
                    used += length;
                    self.last_received = now;
                    self.enquired_at = None;
                    self.frame(now, &frame, out, events);
                }
                Ok(None) => return used,
                Err(error) => {
                    // The sequence number cannot be trusted, so it is null (section 4.3.1).
                    nack(out, CommandStatus::ESME_RINVCMDLEN, 0);
                    self.counts.faults += 1;
                    self.finish(CloseReason::BadLength(error), events);
                    return bytes.len();
                }
            }
        }
    }

    fn frame(
        &mut self,
        now: Duration,
        frame: &Frame<'_>,
        out: &mut Vec<u8>,
        events: &mut Vec<Event>,
    ) {
        let header = frame.header;
        match header.id {
            CommandId::SubmitSmResp => {
                let message_id = SmResp::decode(frame.body).message_id;
                self.answer(now, frame, header.status, message_id, events);
            }
            CommandId::DeliverSm | CommandId::DataSm => self.deliver(frame, out, events),
            CommandId::EnquireLink => {
                let id = CommandId::EnquireLinkResp;
                wire::put_bare(out, id, CommandStatus::ESME_ROK, header.sequence);
            }
            CommandId::EnquireLinkResp => {}
            CommandId::GenericNack => self.nacked(now, frame, events),
            CommandId::BindTransmitterResp
            | CommandId::BindReceiverResp
            | CommandId::BindTransceiverResp => self.bind_answer(frame, events),
            CommandId::Unbind => {
                let id = CommandId::UnbindResp;
                wire::put_bare(out, id, CommandStatus::ESME_ROK, header.sequence);
                self.finish(CloseReason::PeerUnbound, events);
            }
            CommandId::UnbindResp if self.state == SessionState::Unbinding => {
                self.finish(CloseReason::Unbound, events);
            }
            id @ (CommandId::Outbind | CommandId::AlertNotification) => {
                self.fault(ProtocolFault::Ignored { id }, events);
            }
            id if id.is_response() => self.unknown_answer(frame, events),
            id => {
                let sequence = header.sequence;
                nack(out, CommandStatus::ESME_RINVCMDID, sequence);
                self.fault(ProtocolFault::Unserved { id, sequence }, events);
            }
        }
    }

    fn bind_answer(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) {
        if self.state != SessionState::Binding {
            self.unknown_answer(frame, events);
            return;
        }
        let status = frame.header.status;
        if !status.is_ok() {
            self.bind_refused(status, events);
            return;
        }
        let answer = BindResp::decode(frame.body);
        self.state = SessionState::Bound;
        events.push(Event::Bound {
            sc_interface_version: answer.sc_interface_version(),
            system_id: answer.system_id,
        });
    }

    fn bind_refused(&mut self, status: CommandStatus, events: &mut Vec<Event>) {
        events.push(Event::BindRefused { status });
        self.finish(CloseReason::BindRefused(status), events);
    }

    /// A `generic_nack` refuses whatever has its number. One with status 0 refuses too: taking it
    /// for success would lose a message.
    fn nacked(&mut self, now: Duration, frame: &Frame<'_>, events: &mut Vec<Event>) {
        let header = frame.header;
        let status = if header.status.is_ok() {
            CommandStatus::ESME_RUNKNOWNERR
        } else {
            header.status
        };
        let about_bind = header.sequence == self.bind_sequence || header.sequence == 0;
        if self.state == SessionState::Binding && about_bind {
            self.bind_refused(status, events);
        } else {
            self.answer(now, frame, status, None, events);
        }
    }

    fn answer(
        &mut self,
        now: Duration,
        frame: &Frame<'_>,
        status: CommandStatus,
        message_id: Option<Box<[u8]>>,
        events: &mut Vec<Event>,
    ) {
        let sequence = frame.header.sequence;
        if let Some(waiting) = self.window.take(sequence) {
            self.counts.answered += 1;
            events.push(Event::Answer {
                ticket: waiting.ticket,
                status,
                class: self.config.statuses.class(status),
                message_id,
                round_trip: now.saturating_sub(waiting.sent_at),
            });
        } else if let Some(ticket) = self.window.take_late(sequence) {
            self.counts.late += 1;
            events.push(Event::LateAnswer {
                ticket,
                status,
                message_id,
            });
        } else {
            self.unknown_answer(frame, events);
        }
    }

    fn deliver(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>, events: &mut Vec<Event>) {
        let (id, sequence) = (frame.header.id, frame.header.sequence);
        match Pdu::decode(frame) {
            Ok(Pdu::DeliverSm(sm) | Pdu::DataSm(sm)) => {
                self.counts.delivered += 1;
                let data_sm = id == CommandId::DataSm;
                let reply = DeliverRef { sequence, data_sm };
                events.push(Event::Deliver { reply, sm });
            }
            Ok(_) => self.fault(ProtocolFault::Ignored { id }, events),
            Err(error) => {
                nack(out, CommandStatus::ESME_RINVCMDLEN, sequence);
                let fault = ProtocolFault::BadBody {
                    id,
                    sequence,
                    error,
                };
                self.fault(fault, events);
            }
        }
    }

    fn unknown_answer(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) {
        let header = frame.header;
        let fault = ProtocolFault::UnknownAnswer {
            id: header.id,
            sequence: header.sequence,
            status: header.status,
        };
        self.fault(fault, events);
    }

    fn fault(&mut self, fault: ProtocolFault, events: &mut Vec<Event>) {
        self.counts.faults += 1;
        events.push(Event::ProtocolError(fault));
    }
}

fn nack(out: &mut Vec<u8>, status: CommandStatus, sequence: u32) {
    wire::put_bare(out, CommandId::GenericNack, status, sequence);
}
