//! Walks at random through the commands and compares the store with the [`Model`] on the way.
//!
//! The walk is decided by its seed alone, so that a failure comes again.

use super::Harness;
use super::dice::Dice;
use super::fixture::*;
use super::model::Model;
use crate::{
    AcceptBulk, AcceptError, AcceptedBulk, ApprovalWanted, ClaimDue, DecideApproval, Decided,
    NewReceipt, Outcome, PauseBulk, StopBulk, StopReason, Stopped, SubmitResult, TopUp,
};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, PartKey};
use domain::ledger::EntryKind;
use domain::line::{InDoubt, RefundBasis, Terms};
use domain::money::Rials;
use domain::recipient::NewRecipient;
use domain::status::{Event, ReceiptKind, State};
use domain::time::UnixMillis;
use std::collections::BTreeSet;

/// Commands of one walk.
const STEPS: u32 = 400;
/// Commands after which everything is compared.
const COMPARED_EVERY: u32 = 8;
const ACCOUNTS: u64 = 3;
/// Seconds within which a text must be decided about.
const APPROVAL_SECONDS: i64 = 5_000;
/// Claims that may stop short one after the other.
const SHORT_CLAIMS_MAX: u32 = 40;

/// A walk on its way: the store, what it must be like, and the time.
pub(super) struct Walk<'h> {
    pub(super) w: World<'h>,
    pub(super) model: Model,
    pub(super) now: UnixMillis,
    dice: Dice,
    accounts: Vec<AccountId>,
    ids: u64,
}

pub(super) async fn a_random_walk_agrees_with_the_model(harness: &dyn Harness) {
    for seed in [1, 2, 3] {
        walk(harness, seed).await;
    }
}

pub(super) async fn another_random_walk_agrees_with_the_model(harness: &dyn Harness) {
    for seed in [20_250_101, 42, u64::MAX] {
        walk(harness, seed).await;
    }
}

async fn walk(harness: &dyn Harness, seed: u64) {
    let w = World::fresh(harness).await;
    let mut accounts = Vec::new();
    for _ in 0..ACCOUNTS {
        accounts.push(w.account(0).await);
    }
    let (model, dice) = (Model::default(), Dice(seed));
    let mut walk = Walk {
        w,
        model,
        dice,
        accounts,
        now: T0,
        ids: 0,
    };
    for step in 0..STEPS {
        let what = walk.step().await;
        if step % COMPARED_EVERY == 0 || what == "crash" {
            walk.compare(&format!("seed {seed}, step {step}, after {what}"))
                .await;
        }
    }
    walk.drain().await;
    walk.compare(&format!("seed {seed}, at the end")).await;
    for balance in walk.model.balances.values() {
        assert_eq!(
            balance.reserved,
            Rials::ZERO,
            "seed {seed}: nothing is under way any more"
        );
    }
    walk.w.finish().await;
}

impl Walk<'_> {
    async fn step(&mut self) -> &'static str {
        let pause = [0, 1, 400, 3_000, 61_000, 2_000_000][self.dice.below(6) as usize];
        self.now = self.now.plus_millis(pause);
        match self.dice.below(35) {
            0..=1 => self.top_up().await,
            2..=6 => self.accept().await,
            7..=8 => self.build().await,
            9..=16 => self.claim().await,
            17..=23 => self.answer().await,
            24..=27 => self.receive().await,
            28 => self.stop().await,
            29 => self.decide().await,
            30..=31 => self.pause().await,
            32..=33 => self.sweep().await,
            _ => self.crash().await,
        }
    }

    fn account(&mut self) -> AccountId {
        self.accounts[self.dice.below(ACCOUNTS) as usize]
    }

    async fn top_up(&mut self) -> &'static str {
        let (account, amount) = (self.account(), self.dice.below(40_000) as i64 - 4_000);
        let amount = Rials(amount);
        let answer = self
            .w
            .top_up(TopUp {
                account,
                amount,
                note: None,
                at: self.now,
            })
            .await;
        let credit = self
            .model
            .balances
            .get(&account)
            .copied()
            .unwrap_or_default()
            .credit;
        assert_eq!(answer.is_ok(), (credit + amount).0 >= 0, "{answer:?}");
        if let Ok(balance) = answer {
            self.model.book(account, EntryKind::TopUp, amount);
            assert_eq!(balance, self.model.balances[&account]);
        }
        "top_up"
    }

    fn recipient(&mut self, n: u32) -> NewRecipient {
        match self.dice.below(12) {
            0 => invalid("123"),
            1 => discarded(n),
            2 => NewRecipient {
                operator: OTHER_OPERATOR,
                ..recipient(n)
            },
            3 => NewRecipient {
                text: Some("خود".into()),
                ..recipient(n)
            },
            4 => NewRecipient {
                unit_price: Rials(0),
                ..recipient(n)
            },
            roll => NewRecipient {
                parts: 1 + (roll % 4) as u8,
                ..recipient(n)
            },
        }
    }

    fn command(&mut self) -> AcceptBulk {
        let count = [1, 2, 5, 12, 40][self.dice.below(5) as usize];
        // Once in a while across the border of a slice.
        let count = if self.dice.once_in(25) { 1_010 } else { count };
        let recipients = (0..count).map(|n| self.recipient(n)).collect();
        let account = self.account();
        let coin = |dice: &mut Dice| dice.once_in(2);
        let refund = [RefundBasis::Send, RefundBasis::Delivery];
        let doubt = [InDoubt::Resend, InDoubt::Hold];
        let terms = Terms {
            refund_basis: refund[usize::from(coin(&mut self.dice))],
            in_doubt: doubt[usize::from(coin(&mut self.dice))],
        };
        let later = self.now.plus_seconds(600);
        let expires_at = self.dice.once_in(3).then(|| later.plus_seconds(700));
        AcceptBulk {
            terms,
            accepted_at: self.now,
            due_at: if self.dice.once_in(4) {
                later
            } else {
                self.now
            },
            expires_at,
            approval: self.dice.once_in(6).then(|| ApprovalWanted {
                rule: None,
                why: "its line wants it".into(),
                text: None,
                until: self.now.plus_seconds(APPROVAL_SECONDS),
            }),
            urgent: coin(&mut self.dice),
            ..self.w.bulk_of(account, recipients)
        }
    }

    fn affords(&self, command: &AcceptBulk) -> bool {
        let price: i64 = command.recipients.iter().map(|one| one.price().0).sum();
        let balance = self
            .model
            .balances
            .get(&command.account)
            .copied()
            .unwrap_or_default();
        balance.credit.0 >= price
    }

    async fn accept(&mut self) -> &'static str {
        let key = self.dice.once_in(2).then(|| {
            self.ids += 1;
            let mut key = [0; 32];
            key[..8].copy_from_slice(&self.ids.to_le_bytes());
            key
        });
        let command = AcceptBulk {
            idempotency_key: key,
            ..self.command()
        };
        let answer = self.w.accept_bulk(command.clone()).await;
        if !self.affords(&command) {
            assert_no_credit(answer);
            return "a refused accept";
        }
        let AcceptedBulk { bulk, .. } = answer.expect("taken");
        self.model.accept(bulk, command.clone());
        if key.is_some() && self.dice.once_in(2) {
            let again = self.w.accept_bulk(command).await.expect("repeated");
            assert_eq!(
                again,
                AcceptedBulk {
                    bulk,
                    repeated: true
                }
            );
        }
        "accept"
    }

    /// Builds a bulk in several commands, and gives it up where the credit does not last.
    async fn build(&mut self) -> &'static str {
        let whole = self.command();
        let (account, mut rest) = (whole.account, whole.recipients.clone());
        let first = rest.drain(..rest.len() / 2).collect();
        let begin = AcceptBulk {
            whole: false,
            recipients: first,
            ..whole.clone()
        };
        let bulk = match self.w.accept_bulk(begin.clone()).await {
            Ok(accepted) => accepted.bulk,
            Err(AcceptError::InsufficientCredit) => {
                assert!(!self.affords(&begin), "there was enough credit");
                return "a refused building";
            }
            Err(other) => panic!("{other:?}"),
        };
        let added = self.w.add(account, bulk, rest).await;
        assert_eq!(added.is_ok(), self.affords(&whole), "{added:?}");
        if added.is_err() || self.dice.once_in(4) {
            let reason = StopReason::Abandoned;
            let stop = StopBulk {
                account,
                bulk,
                reason,
                now: self.now,
            };
            self.w.stop_all(stop).await;
            return "an abandoned building";
        }
        self.w.seal_bulk(account, bulk, None).await.expect("sealed");
        self.model.accept(bulk, whole);
        "building"
    }

    async fn claim(&mut self) -> &'static str {
        let lanes = [self.w.lane(OPERATOR), self.w.lane(OTHER_OPERATOR)];
        let lanes = &lanes[..1 + self.dice.below(2) as usize];
        let parts_max = [1, 7, 30, 400][self.dice.below(4) as usize];
        self.claim_of(lanes, parts_max).await;
        "claim"
    }

    async fn claim_of(&mut self, lanes: &[crate::Lane], parts_max: u32) -> usize {
        let mut count = 0;
        // A claim may stop short at a bulk whose validity is over; `claiming` holds that it does
        // not. Here it is enough that the next ones find the rest.
        for _ in 0..SHORT_CLAIMS_MAX {
            let (messages, parts) = self.claim_once(lanes, parts_max).await;
            count += messages;
            let left = self.model.claimable(self.now, lanes);
            if parts >= parts_max || left.is_empty() {
                return count;
            }
        }
        let left = self.model.claimable(self.now, lanes);
        panic!("of {parts_max} parts only {count} messages came, and these were left: {left:?}");
    }

    async fn claim_once(&mut self, lanes: &[crate::Lane], parts_max: u32) -> (usize, u32) {
        let links = vec![self.w.share(parts_max, lanes)];
        let claim = ClaimDue {
            now: self.now,
            links,
        };
        let claimed = self.w.claim_due(claim).await.expect("claim_due");
        let mut parts = 0;
        for message in &claimed {
            assert!(
                lanes.contains(&message.lane),
                "{message:?} was not asked for"
            );
            assert!(parts < parts_max, "{parts} parts and then {message:?}");
            parts += message.outstanding.len();
            self.model.claimed(message, self.now);
        }
        (claimed.len(), parts)
    }

    /// Parts whose answer is awaited.
    fn outstanding(&self) -> Vec<PartKey> {
        let mut parts = Vec::new();
        for recipient in self
            .model
            .which(|_, one| !one.progress.outstanding.is_empty())
        {
            let bulk = &self.model.bulks[&(recipient.account, recipient.bulk)];
            let out = bulk.recipients[recipient.seq.0 as usize]
                .progress
                .outstanding;
            parts.extend(out.iter().map(|part| PartKey { recipient, part }));
        }
        parts
    }

    async fn answer(&mut self) -> &'static str {
        let parts = self.outstanding();
        let mut outcomes = Vec::new();
        for part in parts {
            if self.dice.once_in(3) {
                continue;
            }
            let taken = taken(part).result;
            let result = match self.dice.below(16) {
                0 => SubmitResult::Refused { code: 11 },
                1 => SubmitResult::Deferred { code: 8 },
                2 => SubmitResult::Throttled { code: 0x58 },
                3 => SubmitResult::AnswerLost,
                4 => SubmitResult::NotSent,
                5 if self.dice.once_in(3) => SubmitResult::CannotBeSent,
                6 => SubmitResult::Accepted { message_id: None },
                _ => taken,
            };
            outcomes.push(Outcome { part, result });
        }
        self.record(outcomes).await;
        "outcomes"
    }

    async fn record(&mut self, mut outcomes: Vec<Outcome>) {
        // Some come twice, in the same command.
        let doubled: Vec<_> = outcomes
            .iter()
            .filter(|_| self.dice.once_in(20))
            .cloned()
            .collect();
        outcomes.extend(doubled);
        self.w.outcomes(self.now, outcomes.clone()).await;
        for outcome in outcomes {
            self.model.outcome(self.w.link, self.now, outcome);
        }
        self.settle_stopped().await;
    }

    /// What came back into a bulk that is stopped, or past its validity, may end at once or with
    /// the next sweep: after a sweep it has ended either way.
    async fn settle_stopped(&mut self) {
        let cancelled = self.model.cancel_stopped(self.now);
        if cancelled > 0 || self.model.has_waiting_past_validity(self.now) {
            self.sweep().await;
        }
    }

    async fn receive(&mut self) -> &'static str {
        let known = self.model.known_ids();
        let early: Vec<_> = self.outstanding().into_iter().map(message_id).collect();
        let kinds = [
            ReceiptKind::Delivered,
            ReceiptKind::Delivered,
            ReceiptKind::Delivered,
            ReceiptKind::Undeliverable,
            ReceiptKind::Expired,
        ];
        let mut receipts = Vec::new();
        for _ in 0..self.dice.below(40) {
            let from = if self.dice.once_in(8) { &early } else { &known };
            let picked = self.dice.pick(from);
            let message_id = match picked {
                Some(id) if !self.dice.once_in(30) => id,
                _ => {
                    self.ids += 1;
                    format!("nobody-{}", self.ids).into_bytes().into()
                }
            };
            let kind = self.dice.pick(&kinds).unwrap_or(ReceiptKind::Delivered);
            let error = self.dice.once_in(3).then_some(7);
            receipts.push(NewReceipt {
                message_id,
                kind,
                error,
            });
        }
        let recorded = self.w.receive(self.now, receipts.clone()).await;
        let (mut matched, all) = (0, receipts.len() as u32);
        for receipt in receipts {
            matched += u32::from(self.model.receipt(self.w.link, self.now, receipt));
        }
        assert_eq!(
            (recorded.matched, recorded.parked),
            (matched, all - matched)
        );
        "receipts"
    }

    async fn stop(&mut self) -> &'static str {
        let keys: Vec<_> = self.model.bulks.keys().copied().collect();
        let Some((account, bulk)) = self.dice.pick(&keys) else {
            return "nothing to stop";
        };
        let model = self.model.bulks.get_mut(&(account, bulk)).expect("a bulk");
        let open = model.report(bulk).counts.open();
        let waiting = model.report(bulk).counts.of(State::Waiting);
        let reason = StopReason::Cancelled;
        let stop = StopBulk {
            account,
            bulk,
            reason,
            now: self.now,
        };
        let answer = self.w.stop_all(stop).await;
        if open == 0 || model.stage.stopped_by().is_some() {
            assert_eq!(answer, Stopped::NothingLeft);
        } else if waiting > 0 {
            assert_eq!(answer, Stopped::Done);
        }
        // With nothing waiting, a bulk under way may count as stopped or as beyond stopping.
        model.stage = self.w.report(account, bulk).await.stage;
        assert!(
            waiting == 0 || model.stage == BulkStage::Cancelled,
            "{:?}",
            model.stage
        );
        self.model.cancel_stopped(self.now);
        "stop"
    }

    /// Pauses a bulk, or goes on with it.
    async fn pause(&mut self) -> &'static str {
        let keys: Vec<_> = self.model.bulks.keys().copied().collect();
        // Mostly one that goes on, or pauses would pile up.
        let paused = self.model.paused();
        let wanted = if self.dice.once_in(3) { keys } else { paused };
        let Some(key) = self.dice.pick(&wanted) else {
            return "nothing to pause";
        };
        let pause = self.dice.once_in(2);
        self.set_paused(key, pause).await;
        "a pause"
    }

    async fn set_paused(&mut self, (account, bulk): (AccountId, BulkNo), pause: bool) {
        let command = PauseBulk {
            account,
            bulk,
            pause,
            now: self.now,
        };
        let answer = self.w.pause_bulk(command).await.expect("pause_bulk");
        let model = self.model.bulks.get_mut(&(account, bulk)).expect("a bulk");
        let counts = model.report(bulk).counts;
        let unsent = counts.of(State::Waiting) + counts.of(State::Attempted);
        let expected = match (model.stage, pause) {
            (BulkStage::Accepted, true) | (BulkStage::Paused, _) if unsent > 0 => Stopped::Done,
            _ => Stopped::NothingLeft,
        };
        assert_eq!(answer, expected, "{:?}, {pause}", model.stage);
        if answer == Stopped::Done {
            model.stage = match pause {
                true => BulkStage::Paused,
                false => BulkStage::Accepted,
            };
        }
    }

    /// Decides about one of the texts that wait for it, or asks for one that does not.
    async fn decide(&mut self) -> &'static str {
        let undecided = self.model.undecided();
        let waiting = self.w.approvals_waiting(None, 1_000).await;
        let waiting = waiting.expect("approvals_waiting");
        let mut asked: Vec<_> = waiting.iter().map(|one| (one.account, one.bulk)).collect();
        asked.sort_unstable();
        assert_eq!(asked, undecided, "who waits for a decision");
        let Some((account, bulk)) = self.dice.pick(&undecided) else {
            return "nothing to decide";
        };
        let approve = self.dice.once_in(2);
        let command = DecideApproval {
            account,
            bulk,
            approve,
            by: "moderator".into(),
            reason: None,
            now: self.now,
        };
        assert_eq!(self.w.decide_all(command).await, Decided::Done);
        self.model.decide((account, bulk), approve, self.now);
        "a decision"
    }

    async fn sweep(&mut self) -> &'static str {
        self.w.sweep_all(self.now).await;
        self.model.sweep(self.now);
        let mut touched = BTreeSet::new();
        let times = self.model.report_times(self.now);
        for (key, _) in &times {
            touched.insert((key.account, key.bulk));
        }
        for (account, bulk) in touched {
            let all = self.w.all(account, bulk).await;
            let of_bulk = times
                .iter()
                .filter(|(key, _)| (key.account, key.bulk) == (account, bulk));
            for (key, must) in of_bulk {
                let ended = all[key.seq.0 as usize].state == State::Unreported;
                assert!(ended || !must, "{key:?} awaits its receipt for ever");
                if ended {
                    self.model.apply(*key, Event::ReportTimeOut, self.now);
                }
            }
        }
        "sweep"
    }

    async fn crash(&mut self) -> &'static str {
        if self.dice.once_in(3) {
            self.w.reopen().await;
        } else {
            self.w.crash().await;
        }
        let recovered = self.w.recover_all(self.now).await;
        assert_eq!(recovered, self.model.recover(self.now), "who is in doubt");
        self.settle_stopped().await;
        "crash"
    }

    /// Brings everything to its end.
    async fn drain(&mut self) {
        for key in self.model.paused() {
            self.set_paused(key, false).await;
        }
        let lanes = [self.w.lane(OPERATOR), self.w.lane(OTHER_OPERATOR)];
        for _ in 0..100 {
            self.now = self.now.plus_seconds(1_000);
            while self.claim_of(&lanes, 1_000).await > 0 {}
            let outcomes: Vec<_> = self.outstanding().into_iter().map(taken).collect();
            if outcomes.is_empty() {
                break;
            }
            self.record(outcomes).await;
        }
        self.now = self.now.plus_seconds(i64::from(REPORT_SECONDS) + 10);
        self.sweep().await;
        assert_eq!(self.model.undecided(), [], "nobody waits for ever");
    }
}
