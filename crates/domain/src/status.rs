//! The one place where a recipient's state changes: [`Progress::apply`].
//!
//! It is a pure function of what is known and what happened. The store calls it inside the
//! transaction that writes its result, so a decision is written whole or not at all. Each decision
//! says what moves in the ledger and names its reason.

pub use crate::part_set::PartSet;
pub use crate::state::State;

use crate::line::{InDoubt, RefundBasis, Terms};
use crate::money::Rials;
use crate::reason::Reason;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Attempts after which a message that the operator keeps deferring is given up.
pub const ATTEMPTS_MAX: u8 = 12;

/// The part number that means every part: a text that went out whole, in one PDU, is answered and
/// reported once for all its parts.
pub const WHOLE_MESSAGE: u8 = u8::MAX;

/// Pause before a throttled message is offered again, in milliseconds. The link slows down by
/// itself; this only keeps the message from coming back in the same instant.
pub const THROTTLE_PAUSE_MILLIS: i64 = 200;

/// Pauses before the next attempt after a temporary error, in seconds; the last one repeats.
const RETRY_PAUSES_SECONDS: [i64; 6] = [2, 5, 15, 60, 300, 900];

/// All that is known of one recipient's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Why it stands there.
    pub reason: Reason,
    /// The operator's code behind the reason, where there is one: an SMPP `command_status`
    /// (SMPP 3.4 section 5.1.3) or the `err` of a receipt.
    pub detail: Option<u32>,
    /// Parts of the message, 1 to 32.
    pub parts: u8,
    /// Price of one part, fixed at acceptance.
    pub unit_price: Rials,
    /// Attempts that ended in a temporary error or a lost answer.
    pub attempts: u8,
    /// Parts handed to a link whose answer is not recorded. After a crash these, and only these,
    /// are in doubt. Empty in every state but [`State::Attempted`].
    pub outstanding: PartSet,
    /// Parts that the operator took (or may have taken, when held): they are charged.
    pub accepted: PartSet,
    /// Parts whose receipt says delivered.
    pub delivered: PartSet,
    /// Parts that were refused for good, or whose receipt says they failed.
    pub failed: PartSet,
    /// Not to be offered before this time.
    pub not_before: Option<UnixMillis>,
}

/// What a receipt says about a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// Reached the handset.
    Delivered,
    /// The operator gave up: validity ended.
    Expired,
    /// Deleted at the operator.
    Deleted,
    /// Cannot be delivered.
    Undeliverable,
    /// Rejected after it had been taken.
    Rejected,
    /// Still on its way, or unknown to the operator: nothing is decided by it.
    Intermediate,
}

/// What happened to a recipient, or to one of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The parts that are not accepted yet are handed to a link.
    Claimed,
    /// The operator took this part.
    PartAccepted {
        /// Which part.
        part: u8,
    },
    /// The operator refused this part for good.
    PartRefused {
        /// Which part.
        part: u8,
        /// SMPP `command_status`.
        code: u32,
    },
    /// The operator could not take this part now.
    PartDeferred {
        /// Which part.
        part: u8,
        /// SMPP `command_status`.
        code: u32,
    },
    /// The operator asked to slow down. Does not count as an attempt.
    PartThrottled {
        /// Which part.
        part: u8,
        /// SMPP `command_status`.
        code: u32,
    },
    /// This part's bytes left, and its answer will not come: crash, disconnect or time-out.
    AnswerLost {
        /// Which part.
        part: u8,
    },
    /// This part never left. Does not count as an attempt.
    PartNotSent {
        /// Which part.
        part: u8,
    },
    /// A receipt for this part.
    Receipt {
        /// Which part.
        part: u8,
        /// What it says.
        kind: ReceiptKind,
        /// The operator's error number, where it gave one.
        error: Option<u32>,
    },
    /// The report time is over.
    ReportTimeOut,
    /// The text's validity period is over.
    ValidityOver,
    /// The sender cancels what has not left yet.
    Cancel,
    /// Nobody approved the text: what waits for it ends.
    NotApproved,
    /// The recipient came onto a blacklist while it waited; the reason names the list.
    Listed(Reason),
    /// Nothing can carry it: it ends here with this reason.
    Undeliverable(Reason),
}

/// What a decision moves in the account's ledger. All amounts are zero or positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerMove {
    /// From reserved to spent.
    pub charge: Rials,
    /// From reserved back to the credit.
    pub release: Rials,
    /// From spent back to the credit.
    pub refund: Rials,
}

impl LedgerMove {
    /// True when nothing moves.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.charge.is_zero() && self.release.is_zero() && self.refund.is_zero()
    }

    /// Both movements together.
    pub fn add(&mut self, other: LedgerMove) {
        self.charge += other.charge;
        self.release += other.release;
        self.refund += other.refund;
    }
}

/// What follows from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The recipient afterwards; carries the new state and its reason.
    pub progress: Progress,
    /// What moves in the ledger.
    pub ledger: LedgerMove,
    /// False when the event changes nothing: late, doubled, or after the end.
    pub changed: bool,
}

impl Progress {
    /// A recipient that was just accepted.
    #[must_use]
    pub fn accepted(parts: u8, unit_price: Rials) -> Self {
        Self {
            state: State::Waiting,
            reason: Reason::Accepted,
            detail: None,
            parts,
            unit_price,
            attempts: 0,
            outstanding: PartSet::EMPTY,
            accepted: PartSet::EMPTY,
            delivered: PartSet::EMPTY,
            failed: PartSet::EMPTY,
            not_before: None,
        }
    }

    /// What is still reserved for this recipient: the parts that may yet be charged.
    #[must_use]
    pub fn reserved(&self) -> Rials {
        if self.state.is_final() {
            return Rials::ZERO;
        }
        self.price_of(u32::from(self.parts) - self.accepted.len())
    }

    /// What follows from `event` at the time `now` under the line's `terms`.
    #[must_use]
    pub fn apply(&self, event: Event, terms: &Terms, now: UnixMillis) -> Decision {
        let mut next = self.clone();
        let mut ledger = LedgerMove::default();
        if !self.state.is_final() {
            next.step(event, terms, now, &mut ledger);
        }
        let changed = next != *self || !ledger.is_nothing();
        Decision {
            progress: next,
            ledger,
            changed,
        }
    }

    fn step(&mut self, event: Event, terms: &Terms, now: UnixMillis, ledger: &mut LedgerMove) {
        match event {
            Event::Claimed => self.claim(),
            Event::PartAccepted { part }
            | Event::PartRefused { part, .. }
            | Event::PartDeferred { part, .. }
            | Event::PartThrottled { part, .. }
            | Event::AnswerLost { part }
            | Event::PartNotSent { part } => {
                // An answer for a part that is not out is late or doubled: nothing follows.
                let answered = self.named(part).both(self.outstanding);
                if !answered.is_empty() {
                    self.outstanding = self.outstanding.without(answered);
                    self.answer(answered, event, terms, now, ledger);
                    self.settle(terms, ledger);
                }
            }
            Event::Receipt { part, kind, error } => self.receipt(part, kind, error, terms, ledger),
            Event::ReportTimeOut => {
                if matches!(self.state, State::Submitted | State::Held) {
                    self.finish(State::Unreported, Reason::ReportTimeOut, terms, ledger);
                }
            }
            Event::ValidityOver => {
                self.end_waiting(State::Failed, Reason::ValidityOver, terms, ledger)
            }
            Event::Cancel => self.end_waiting(State::Cancelled, Reason::Cancelled, terms, ledger),
            Event::NotApproved => {
                self.end_waiting(State::Cancelled, Reason::TextNotApproved, terms, ledger);
            }
            Event::Listed(reason) => {
                // Of a text that went out in part the rest follows: half a message helps nobody.
                if self.accepted.is_empty() {
                    self.end_waiting(State::Discarded, reason, terms, ledger);
                }
            }
            Event::Undeliverable(reason) => {
                // It was claimed, but no byte of it left: nothing is in doubt.
                self.outstanding = PartSet::EMPTY;
                if matches!(self.state, State::Waiting | State::Attempted) {
                    self.finish(State::Failed, reason, terms, ledger);
                }
            }
        }
    }

    fn claim(&mut self) {
        if self.state == State::Waiting {
            self.state = State::Attempted;
            self.reason = Reason::HandedToLink;
            self.detail = None;
            self.not_before = None;
            self.outstanding = PartSet::all(self.parts).without(self.accepted);
        }
    }

    fn answer(
        &mut self,
        answered: PartSet,
        event: Event,
        terms: &Terms,
        now: UnixMillis,
        ledger: &mut LedgerMove,
    ) {
        match event {
            Event::PartAccepted { .. } => {
                self.take(answered, ledger);
                self.note(Reason::AcceptedByOperator, None);
            }
            Event::PartRefused { code, .. } => {
                self.failed = self.failed.with(answered);
                self.note(Reason::RefusedByOperator, Some(code));
            }
            Event::PartDeferred { code, .. } => {
                self.count_attempt(now);
                self.note(Reason::DeferredByOperator, Some(code));
            }
            Event::PartThrottled { code, .. } => {
                self.wait_until(now.plus_millis(THROTTLE_PAUSE_MILLIS));
                self.note(Reason::ThrottledByOperator, Some(code));
            }
            Event::AnswerLost { .. } => match terms.in_doubt {
                InDoubt::Resend => {
                    self.count_attempt(now);
                    self.note(Reason::AnswerLostResend, None);
                }
                InDoubt::Hold => {
                    // It may have been sent, so it counts as taken and is charged.
                    self.take(answered, ledger);
                    self.note(Reason::AnswerLostHeld, None);
                }
            },
            _ => self.note(Reason::LinkLostBeforeSending, None),
        }
    }

    /// Keeps the weightiest reason of the parts that were out together: a refusal or a hold is
    /// what a person must read, even when the other parts went well.
    fn note(&mut self, reason: Reason, detail: Option<u32>) {
        fn weight(reason: Reason) -> u8 {
            match reason {
                Reason::HandedToLink => 0,
                Reason::AcceptedByOperator => 1,
                Reason::LinkLostBeforeSending => 2,
                Reason::ThrottledByOperator => 3,
                Reason::AnswerLostResend => 4,
                Reason::DeferredByOperator => 5,
                Reason::AnswerLostHeld => 6,
                _ => 7,
            }
        }
        if weight(reason) >= weight(self.reason) {
            self.reason = reason;
            self.detail = detail;
        }
    }

    /// The parts that a part number of an event means.
    fn named(&self, part: u8) -> PartSet {
        if part == WHOLE_MESSAGE {
            return PartSet::all(self.parts);
        }
        PartSet::one(part).both(PartSet::all(self.parts))
    }

    fn take(&mut self, taken: PartSet, ledger: &mut LedgerMove) {
        self.accepted = self.accepted.with(taken);
        ledger.charge += self.price_of(taken.len());
    }

    /// Counts an attempt that must be made again; once for all the parts that went out together,
    /// or a long text would use up its attempts in one go.
    fn count_attempt(&mut self, now: UnixMillis) {
        let counted = matches!(
            self.reason,
            Reason::DeferredByOperator | Reason::AnswerLostResend | Reason::AnswerLostHeld
        );
        if counted && self.not_before.is_some() {
            return;
        }
        let pause =
            RETRY_PAUSES_SECONDS[usize::from(self.attempts).min(RETRY_PAUSES_SECONDS.len() - 1)];
        self.attempts = self.attempts.saturating_add(1);
        self.wait_until(now.plus_seconds(pause));
    }

    fn wait_until(&mut self, at: UnixMillis) {
        self.not_before = Some(self.not_before.map_or(at, |before| before.max(at)));
    }

    /// Decides once no part is out any more.
    fn settle(&mut self, terms: &Terms, ledger: &mut LedgerMove) {
        if !self.outstanding.is_empty() {
            return;
        }
        let all = PartSet::all(self.parts);
        if !self.failed.is_empty() {
            self.finish(State::Failed, self.reason, terms, ledger);
        } else if self.delivered == all {
            self.finish(State::Delivered, Reason::Delivered, terms, ledger);
        } else if self.accepted == all {
            let held = self.reason == Reason::AnswerLostHeld;
            self.state = if held { State::Held } else { State::Submitted };
            self.not_before = None;
        } else if self.attempts >= ATTEMPTS_MAX {
            self.finish(State::Failed, Reason::AttemptsExhausted, terms, ledger);
        } else {
            self.state = State::Waiting;
        }
    }

    fn receipt(
        &mut self,
        part: u8,
        kind: ReceiptKind,
        error: Option<u32>,
        terms: &Terms,
        ledger: &mut LedgerMove,
    ) {
        let reason = match kind {
            ReceiptKind::Intermediate => return,
            ReceiptKind::Delivered => Reason::Delivered,
            ReceiptKind::Expired => Reason::ReceiptExpired,
            ReceiptKind::Deleted => Reason::ReceiptDeleted,
            ReceiptKind::Undeliverable => Reason::ReceiptUndeliverable,
            ReceiptKind::Rejected => Reason::ReceiptRejected,
        };
        // The first word on a part stands: a receipt that contradicts it is late or doubled.
        let news = self.named(part).without(self.delivered.with(self.failed));
        if news.is_empty() {
            return;
        }
        if kind == ReceiptKind::Delivered {
            self.delivered = self.delivered.with(news);
            if self.delivered == PartSet::all(self.parts) && self.outstanding.is_empty() {
                self.finish(State::Delivered, Reason::Delivered, terms, ledger);
            }
        } else {
            self.failed = self.failed.with(news);
            self.reason = reason;
            self.detail = error;
            // Parts that are still out must be answered first, or their charge would be lost.
            if self.outstanding.is_empty() {
                self.finish(State::Failed, reason, terms, ledger);
            }
        }
    }

    fn end_waiting(
        &mut self,
        state: State,
        reason: Reason,
        terms: &Terms,
        ledger: &mut LedgerMove,
    ) {
        if self.state == State::Waiting {
            self.finish(state, reason, terms, ledger);
        }
    }

    fn finish(&mut self, state: State, reason: Reason, terms: &Terms, ledger: &mut LedgerMove) {
        ledger.release += self.price_of(u32::from(self.parts) - self.accepted.len());
        if state != State::Delivered && terms.refund_basis == RefundBasis::Delivery {
            ledger.refund += self.price_of(self.accepted.len());
        }
        self.state = state;
        self.reason = reason;
        if reason == Reason::Delivered {
            self.detail = None;
        }
        self.not_before = None;
    }

    fn price_of(&self, parts: u32) -> Rials {
        Rials(self.unit_price.0 * i64::from(parts))
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
