//! What becomes of one `submit_sm`: the script decides, this file does it.

use std::sync::Arc;
use std::time::Duration;

use smpp::{BindMode, CommandId, CommandStatus, Frame, MessageState, Pdu, SmResp, SubmitSm};
use tokio::time::Instant;

use super::peer::Peer;
use crate::hub::{SubmitRecord, add};
use crate::mailbox::{Delivery, ReceiptTask};
use crate::script::{Action, ReceiptPlan, ScriptState};

/// How long an answer is held back for its receipt to arrive first.
const RECEIPT_FIRST: Duration = Duration::from_millis(50);
/// The bits of `registered_delivery` that ask for a receipt (SMPP 3.4 section 5.2.17).
const RECEIPT_MASK: u8 = 0x03;
/// Only failures are asked for.
const RECEIPT_ON_FAILURE: u8 = 0x02;

/// The ids of a message that was taken.
struct Ids {
    answer: Box<[u8]>,
    receipt: Box<[u8]>,
}

impl Peer {
    pub(super) fn submit(&mut self, script: &mut ScriptState, frame: &Frame<'_>, now: Instant) {
        let sequence = frame.header.sequence;
        add(&self.hub.counters.submits, 1);
        let may = self.bound.as_ref().map(|bound| bound.mode);
        if !matches!(may, Some(BindMode::Transmitter | BindMode::Transceiver)) {
            let status = CommandStatus::ESME_RINVBNDSTS;
            add(&self.hub.counters.refused, 1);
            self.answer_submit(&empty(), status, sequence, None);
            return;
        }
        let Ok(sm) = SubmitSm::decode(frame.body) else {
            add(&self.hub.counters.refused, 1);
            self.answer(&Pdu::GenericNack, CommandStatus::ESME_RINVCMDLEN, sequence);
            return;
        };
        let decision = script.decide(&sm, now);
        let plan = &decision.plan;
        let mut wait = decision.answer_delay;
        if plan.before_answer && plan.copies > 0 {
            wait += RECEIPT_FIRST;
        }
        if let Action::DelayAnswer(more) = decision.action {
            wait += more;
        }
        let due = (!wait.is_zero()).then(|| now + wait);
        let taken = decision.action.takes();
        let ids = taken.then(|| self.take(script, &sm, plan, now));
        let status = self.act(&decision.action, ids.as_ref(), sequence, due);
        self.note(sm, ids, status, now);
    }

    /// Answers as decided, and gives the status answered with.
    fn act(
        &mut self,
        action: &Action,
        ids: Option<&Ids>,
        sequence: u32,
        due: Option<Instant>,
    ) -> Option<CommandStatus> {
        let ok = CommandStatus::ESME_ROK;
        match action {
            Action::Refuse(status) => {
                let counters = &self.hub.counters;
                if *status == CommandStatus::ESME_RTHROTTLED {
                    add(&counters.throttled, 1);
                } else {
                    add(&counters.refused, 1);
                }
                self.answer_submit(&empty(), *status, sequence, due);
                return Some(*status);
            }
            Action::Nack(status) => {
                add(&self.hub.counters.refused, 1);
                self.answer(&Pdu::GenericNack, *status, sequence);
                return Some(*status);
            }
            Action::AcceptWithoutBody => {
                let bare = Pdu::Other(CommandId::SubmitSmResp, Box::default());
                self.answer_submit(&bare, ok, sequence, due);
                return Some(ok);
            }
            Action::LoseAnswer | Action::Swallow => return None,
            Action::Disconnect { .. } => {
                self.ending = true;
                return None;
            }
            Action::Accept | Action::DelayAnswer(_) | Action::AcceptAndSend(_) => {}
        }
        let resp = SmResp {
            message_id: ids.map(|ids| ids.answer.clone()),
            ..SmResp::default()
        };
        self.answer_submit(&Pdu::SubmitSmResp(resp), ok, sequence, due);
        if let Action::AcceptAndSend(garbage) = action {
            self.send_garbage(garbage);
        }
        Some(ok)
    }

    /// Gives the message its number and plans its receipts.
    fn take(
        &mut self,
        script: &mut ScriptState,
        sm: &SubmitSm,
        plan: &ReceiptPlan,
        now: Instant,
    ) -> Ids {
        add(&self.hub.counters.accepted, 1);
        let number = self.hub.next_number();
        let style = self.hub.config.ids;
        let ids = Ids {
            answer: style.answer.write(number, style.answer_width),
            receipt: style.receipt.write(number, style.receipt_width),
        };
        let Some(outcome) = script.draw(plan) else {
            return ids;
        };
        if !plan.unasked && !asked(sm, outcome.state) {
            return ids;
        }
        let message_id = if plan.unknown_id {
            b"no-such-id".to_vec().into()
        } else {
            ids.receipt.clone()
        };
        let task = ReceiptTask {
            message_id,
            state: outcome.state,
            error: outcome.error,
            handset: sm.destination.clone(),
            line: sm.source.clone(),
        };
        for _ in 0..plan.copies {
            let due = if plan.before_answer {
                now
            } else {
                now + plan.delay + script.jitter(plan.jitter)
            };
            let delivery = Delivery::Receipt(Box::new(task.clone()));
            self.fresh.push((due, delivery));
        }
        ids
    }

    fn note(
        &mut self,
        sm: SubmitSm,
        ids: Option<Ids>,
        status: Option<CommandStatus>,
        now: Instant,
    ) {
        let Some(bound) = self.bound.as_ref().filter(|_| self.hub.wants_records()) else {
            return;
        };
        let (message_id, receipt_id) = match ids {
            Some(ids) => (Some(ids.answer), Some(ids.receipt)),
            None => (None, None),
        };
        self.records.push(SubmitRecord {
            message_id,
            receipt_id,
            status,
            at: now.saturating_duration_since(self.hub.begun),
            connection: self.id,
            system_id: Arc::clone(&bound.system_id),
            sm,
        });
    }
}

impl Action {
    /// Whether the message is taken, whatever becomes of its answer.
    fn takes(&self) -> bool {
        match self {
            Self::Accept
            | Self::AcceptWithoutBody
            | Self::LoseAnswer
            | Self::DelayAnswer(_)
            | Self::AcceptAndSend(_) => true,
            Self::Disconnect { accepted } => *accepted,
            Self::Refuse(_) | Self::Nack(_) | Self::Swallow => false,
        }
    }
}

/// An answer that names no message.
fn empty() -> Pdu {
    Pdu::SubmitSmResp(SmResp::default())
}

/// Whether the sender wants to hear of this state.
fn asked(sm: &SubmitSm, state: MessageState) -> bool {
    match sm.registered_delivery & RECEIPT_MASK {
        0 => false,
        RECEIPT_ON_FAILURE => state != MessageState::Delivered,
        _ => true,
    }
}
