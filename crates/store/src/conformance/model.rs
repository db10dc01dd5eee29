//! The reference: what the port promises, in memory and in plain words, over the pure rules of
//! `domain`. `model_run` walks at random and compares.

use crate::{
    AcceptBulk, ClaimedMessage, Lane, NewReceipt, Outcome, PARKED_RECEIPT_DAYS, SubmitResult,
};
use domain::bulk::{BulkReport, BulkStage, StateCounts};
use domain::ids::{AccountId, BulkNo, LinkId, PartKey, RecipientKey, Seq};
use domain::ledger::{Balance, EntryKind};
use domain::money::Rials;
use domain::reason::Reason;
use domain::recipient::{NewRecipient, RecipientReport};
use domain::status::{Event, LedgerMove, PartSet, Progress, State};
use domain::time::UnixMillis;
use std::collections::BTreeMap;

/// A recipient and its way.
pub(super) struct ModelRecipient {
    pub(super) new: NewRecipient,
    pub(super) progress: Progress,
    /// Since when its present attempt is under way; the earliest moment of its last submit.
    pub(super) claimed_at: UnixMillis,
}

/// A bulk with all its recipients.
pub(super) struct ModelBulk {
    pub(super) command: AcceptBulk,
    pub(super) stage: BulkStage,
    pub(super) recipients: Vec<ModelRecipient>,
    pub(super) returned: Rials,
    /// The latest moment at which anything of it can have been submitted.
    pub(super) last_outcome_at: UnixMillis,
}

/// A receipt that waits for its message.
struct Parked {
    link: LinkId,
    receipt: NewReceipt,
    at: UnixMillis,
}

/// Everything that a store knows.
#[derive(Default)]
pub(super) struct Model {
    pub(super) balances: BTreeMap<AccountId, Balance>,
    pub(super) bulks: BTreeMap<(AccountId, BulkNo), ModelBulk>,
    ids: BTreeMap<(LinkId, Box<[u8]>), PartKey>,
    parked: Vec<Parked>,
}

impl ModelBulk {
    /// When a recipient of it may be claimed next; `None` when it never will.
    pub(super) fn claimable_at(&self, recipient: &ModelRecipient) -> Option<UnixMillis> {
        let waits = recipient.progress.state == State::Waiting;
        (waits && self.stage == BulkStage::Accepted).then(|| {
            recipient
                .progress
                .not_before
                .map_or(self.command.due_at, |at| at.max(self.command.due_at))
        })
    }

    /// True when its time to leave is over.
    pub(super) fn is_over(&self, now: UnixMillis) -> bool {
        let waits = self.stage == BulkStage::AwaitingApproval;
        !waits && self.command.expires_at.is_some_and(|end| end < now)
    }

    /// The lane of a recipient.
    pub(super) fn lane(&self, recipient: &ModelRecipient) -> Lane {
        Lane {
            line: self.command.line,
            operator: recipient.new.operator,
        }
    }

    /// The report that the store must give.
    pub(super) fn report(&self, no: BulkNo) -> BulkReport {
        let mut counts = StateCounts::default();
        for recipient in &self.recipients {
            counts.0[recipient.progress.state as usize] += 1;
        }
        let reached = |one: &&ModelRecipient| !one.progress.accepted.is_empty();
        let price = self.recipients.iter().map(|one| one.new.price().0).sum();
        BulkReport {
            no,
            line: self.command.line,
            stage: self.stage,
            accepted_at: self.command.accepted_at,
            due_at: self.command.due_at,
            masked: self.command.masked,
            counts,
            reached: self.recipients.iter().filter(reached).count() as u32,
            price: Rials(price),
            returned: self.returned,
        }
    }

    /// The recipients that the store must report.
    pub(super) fn reports(&self) -> Vec<RecipientReport> {
        let report = |(seq, one): (usize, &ModelRecipient)| RecipientReport {
            seq: Seq(seq as u32),
            address: one.new.address.clone(),
            state: one.progress.state,
            reason: one.progress.reason,
            detail: one.progress.detail,
            parts: one.progress.parts,
            unit_price: one.progress.unit_price,
            attempts: one.progress.attempts,
        };
        self.recipients.iter().enumerate().map(report).collect()
    }
}

impl Model {
    /// A bulk was taken, whole.
    pub(super) fn accept(&mut self, bulk: BulkNo, mut command: AcceptBulk) {
        let recipients = std::mem::take(&mut command.recipients);
        let price: i64 = recipients.iter().map(|one| one.price().0).sum();
        self.book(command.account, EntryKind::Reserve, Rials(price));
        let recipients = recipients.into_iter().map(|new| {
            let mut progress = Progress::accepted(new.parts, new.unit_price);
            if let Some((state, reason)) = new.ends_as {
                (progress.state, progress.reason) = (state, reason);
            }
            ModelRecipient {
                new,
                progress,
                claimed_at: UnixMillis(0),
            }
        });
        let recipients: Vec<ModelRecipient> = recipients.collect();
        let anyone = recipients
            .iter()
            .any(|one| one.progress.state == State::Waiting);
        let model = ModelBulk {
            stage: if anyone && command.approval.is_some() {
                BulkStage::AwaitingApproval
            } else {
                BulkStage::Accepted
            },
            recipients,
            returned: Rials::ZERO,
            last_outcome_at: UnixMillis(0),
            command,
        };
        let known = self.bulks.insert((model.command.account, bulk), model);
        assert!(known.is_none(), "bulk number {bulk} was given twice");
    }

    /// Writes an entry.
    pub(super) fn book(&mut self, account: AccountId, kind: EntryKind, amount: Rials) {
        let balance = self.balances.entry(account).or_default();
        *balance = balance.after(kind, amount).expect("in range");
    }

    /// Something happened to a recipient.
    pub(super) fn apply(&mut self, key: RecipientKey, event: Event, now: UnixMillis) {
        let bulk = self
            .bulks
            .get_mut(&(key.account, key.bulk))
            .expect("a bulk of the model");
        let recipient = &mut bulk.recipients[key.seq.0 as usize];
        let decision = recipient.progress.apply(event, &bulk.command.terms, now);
        recipient.progress = decision.progress;
        if event == Event::Claimed {
            recipient.claimed_at = now;
        }
        let LedgerMove {
            charge,
            release,
            refund,
        } = decision.ledger;
        bulk.returned += release;
        bulk.returned += refund;
        self.book(key.account, EntryKind::Charge, charge);
        self.book(key.account, EntryKind::Release, release);
        self.book(key.account, EntryKind::Refund, refund);
    }

    /// The recipients for which this is true.
    pub(super) fn which(
        &self,
        wanted: impl Fn(&ModelBulk, &ModelRecipient) -> bool,
    ) -> Vec<RecipientKey> {
        let mut found = Vec::new();
        for ((account, no), bulk) in &self.bulks {
            for (seq, recipient) in bulk.recipients.iter().enumerate() {
                if wanted(bulk, recipient) {
                    let seq = Seq(seq as u32);
                    found.push(RecipientKey {
                        account: *account,
                        bulk: *no,
                        seq,
                    });
                }
            }
        }
        found
    }

    /// Recipients that a claim of these lanes may hand out.
    pub(super) fn claimable(&self, now: UnixMillis, lanes: &[Lane]) -> Vec<RecipientKey> {
        self.which(|bulk, one| {
            let due = bulk.claimable_at(one).is_some_and(|at| at <= now);
            due && !bulk.is_over(now) && lanes.contains(&bulk.lane(one))
        })
    }

    /// The store handed this message out: it must have been claimable, and be as it was sent.
    pub(super) fn claimed(&mut self, message: &ClaimedMessage, now: UnixMillis) {
        let key = message.key;
        let bulk = self
            .bulks
            .get(&(key.account, key.bulk))
            .expect("a bulk of the model");
        let one = &bulk.recipients[key.seq.0 as usize];
        let due = bulk.claimable_at(one).is_some_and(|at| at <= now);
        assert!(
            due && !bulk.is_over(now),
            "{key:?} was not to be claimed: {:?}",
            one.progress
        );
        let domain::recipient::Address::Mobile(to) = one.new.address else {
            panic!("{key:?} has no number");
        };
        let own = one.new.text.as_deref().unwrap_or(&bulk.command.text);
        let expected = ClaimedMessage {
            link: message.link,
            lane: bulk.lane(one),
            key,
            to,
            outstanding: PartSet::all(one.new.parts).without(one.progress.accepted),
            parts: one.new.parts,
            text: own.into(),
            reference_bits: bulk.command.reference_bits,
            expires_at: bulk.command.expires_at,
        };
        assert_eq!(message, &expected);
        self.apply(key, Event::Claimed, now);
    }

    /// An outcome was recorded.
    pub(super) fn outcome(&mut self, link: LinkId, now: UnixMillis, outcome: Outcome) {
        let PartKey { recipient, part } = outcome.part;
        let event = match &outcome.result {
            SubmitResult::Accepted { .. } => Event::PartAccepted { part },
            SubmitResult::Refused { code } => Event::PartRefused { part, code: *code },
            SubmitResult::Deferred { code } => Event::PartDeferred { part, code: *code },
            SubmitResult::Throttled { code } => Event::PartThrottled { part, code: *code },
            SubmitResult::AnswerLost => Event::AnswerLost { part },
            SubmitResult::NotSent => Event::PartNotSent { part },
            SubmitResult::CannotBeSent => Event::Undeliverable(Reason::TextCannotBeSent),
        };
        self.apply(recipient, event, now);
        let bulk = self
            .bulks
            .get_mut(&(recipient.account, recipient.bulk))
            .expect("a bulk");
        bulk.last_outcome_at = bulk.last_outcome_at.max(now);
        let SubmitResult::Accepted {
            message_id: Some(id),
        } = outcome.result
        else {
            return;
        };
        self.ids.insert((link, id.clone()), outcome.part);
        let waiting = std::mem::take(&mut self.parked);
        for parked in waiting {
            if parked.link == link && parked.receipt.message_id == id {
                self.said(outcome.part, &parked.receipt, now);
            } else {
                self.parked.push(parked);
            }
        }
    }

    /// A receipt came; true when its message is known.
    pub(super) fn receipt(&mut self, link: LinkId, now: UnixMillis, receipt: NewReceipt) -> bool {
        let known = self.ids.get(&(link, receipt.message_id.clone())).copied();
        match known {
            Some(part) => self.said(part, &receipt, now),
            None => self.parked.push(Parked {
                link,
                receipt,
                at: now,
            }),
        }
        known.is_some()
    }

    fn said(&mut self, part: PartKey, receipt: &NewReceipt, now: UnixMillis) {
        let (kind, error) = (receipt.kind, receipt.error);
        self.apply(
            part.recipient,
            Event::Receipt {
                part: part.part,
                kind,
                error,
            },
            now,
        );
    }

    /// Receipts that wait.
    pub(super) fn parked(&self) -> u64 {
        self.parked.len() as u64
    }

    /// Message ids that the operator gave.
    pub(super) fn known_ids(&self) -> Vec<Box<[u8]>> {
        self.ids.keys().map(|(_, id)| id.clone()).collect()
    }

    /// Every part whose answer is awaited is in doubt; gives their recipients.
    pub(super) fn recover(&mut self, now: UnixMillis) -> Vec<RecipientKey> {
        let doubt = self.which(|_, one| !one.progress.outstanding.is_empty());
        for key in &doubt {
            let bulk = self
                .bulks
                .get_mut(&(key.account, key.bulk))
                .expect("a bulk");
            bulk.last_outcome_at = bulk.last_outcome_at.max(now);
            let out = bulk.recipients[key.seq.0 as usize].progress.outstanding;
            for part in out.iter() {
                self.apply(*key, Event::AnswerLost { part }, now);
            }
        }
        doubt
    }

    /// What waits in stopped bulks is cancelled.
    pub(super) fn cancel_stopped(&mut self, now: UnixMillis) -> usize {
        let waiting = self.which(|bulk, one| {
            bulk.stage.stopped_by().is_some() && one.progress.state == State::Waiting
        });
        for key in &waiting {
            let stage = self.bulks[&(key.account, key.bulk)].stage;
            self.apply(*key, stage.stopped_by().expect("stopped"), now);
        }
        waiting.len()
    }

    /// Somebody decided about the text of a bulk that waits for it.
    pub(super) fn decide(&mut self, key: (AccountId, BulkNo), approve: bool, now: UnixMillis) {
        let bulk = self.bulks.get_mut(&key).expect("a bulk of the model");
        assert_eq!(bulk.stage, BulkStage::AwaitingApproval);
        if approve {
            bulk.stage = BulkStage::Accepted;
            let due = bulk.command.due_at;
            let validity = bulk.command.expires_at.map(|at| at.millis_since(due));
            bulk.command.expires_at = validity.map(|span| now.max(due).plus_millis(span));
        } else {
            bulk.stage = BulkStage::Rejected;
            self.cancel_stopped(now);
        }
    }

    /// The bulks that wait for somebody to decide.
    pub(super) fn undecided(&self) -> Vec<(AccountId, BulkNo)> {
        let waits = |bulk: &ModelBulk| bulk.stage == BulkStage::AwaitingApproval;
        let bulks = self.bulks.iter().filter(|(_, bulk)| waits(bulk));
        bulks.map(|(key, _)| *key).collect()
    }

    /// The bulks that their sender has paused.
    pub(super) fn paused(&self) -> Vec<(AccountId, BulkNo)> {
        let paused = |bulk: &ModelBulk| bulk.stage == BulkStage::Paused;
        let bulks = self.bulks.iter().filter(|(_, bulk)| paused(bulk));
        bulks.map(|(key, _)| *key).collect()
    }

    /// True while somebody waits whose time to leave is over.
    pub(super) fn has_waiting_past_validity(&self, now: UnixMillis) -> bool {
        !self.waiting_past_validity(now).is_empty()
    }

    fn waiting_past_validity(&self, now: UnixMillis) -> Vec<RecipientKey> {
        self.which(|bulk, one| bulk.is_over(now) && one.progress.state == State::Waiting)
    }

    /// What a sweep ends, but for report times: those it can only bound.
    pub(super) fn sweep(&mut self, now: UnixMillis) {
        for bulk in self.bulks.values_mut() {
            let until = bulk.command.approval.as_ref().map(|wanted| wanted.until);
            let late = until.is_some_and(|until| until <= now);
            if bulk.stage == BulkStage::AwaitingApproval && late {
                bulk.stage = BulkStage::Rejected;
            }
        }
        self.cancel_stopped(now);
        for key in self.waiting_past_validity(now) {
            self.apply(key, Event::ValidityOver, now);
        }
        let day = 86_400;
        self.parked
            .retain(|parked| parked.at.plus_seconds(PARKED_RECEIPT_DAYS * day) >= now);
    }

    /// Recipients without a receipt whose report time may be over, and whether it must be.
    pub(super) fn report_times(&self, now: UnixMillis) -> Vec<(RecipientKey, bool)> {
        let awaits =
            |one: &ModelRecipient| matches!(one.progress.state, State::Submitted | State::Held);
        let over = |bulk: &ModelBulk, since: UnixMillis| {
            since.plus_seconds(i64::from(bulk.command.report_seconds)) < now
        };
        let may = self.which(|bulk, one| awaits(one) && over(bulk, one.claimed_at));
        may.into_iter()
            .map(|key| {
                let bulk = &self.bulks[&(key.account, key.bulk)];
                (key, over(bulk, bulk.last_outcome_at))
            })
            .collect()
    }
}
