//! A store with a line and a link, and short words for what the cases do with it.

use super::Harness;
use super::audit;
use super::fixture::*;
use crate::*;
use domain::account::AccountSettings;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, OperatorId, RecipientKey};
use domain::ledger::{Balance, EntryKind};
use domain::line::LineSettings;
use domain::line_number::LineNumber;
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::reason::Reason;
use domain::recipient::{NewRecipient, RecipientReport};
use domain::status::{PartSet, ReceiptKind, State};
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;

/// Rounds after which a loop that ought to end has not.
const ROUNDS_MAX: u32 = 10_000;

/// A store with a line and a link.
pub(super) struct World<'h> {
    harness: &'h dyn Harness,
    store: Option<Arc<dyn Store>>,
    accounts: Cell<u32>,
    builds: Cell<bool>,
    /// The line, where a case does not care.
    pub(super) line: LineId,
    /// The link.
    pub(super) link: LinkId,
    /// Another link.
    pub(super) other_link: LinkId,
}

impl Deref for World<'_> {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        self.store()
    }
}

impl<'h> World<'h> {
    /// A new store with a line and two links.
    pub(super) async fn fresh(harness: &'h dyn Harness) -> Self {
        let store = harness.fresh().await;
        let number = LineNumber::parse("3000100").expect("a line");
        let settings = LineSettings::default();
        let line = NewLine {
            number,
            display: "3000100".into(),
            settings,
        };
        let line = store.create_line(line).await.expect("create_line");
        let settings = LinkSettings {
            host: "smsc".into(),
            ..LinkSettings::default()
        };
        let link = store
            .create_link("mci-1".into(), settings.clone())
            .await
            .expect("create_link");
        let other_link = store
            .create_link("mtn-1".into(), settings)
            .await
            .expect("create_link");
        let (accounts, builds) = (Cell::new(0), Cell::new(false));
        Self {
            harness,
            store: Some(store),
            accounts,
            builds,
            line,
            link,
            other_link,
        }
    }

    /// The store.
    pub(super) fn store(&self) -> &dyn Store {
        &**self.store.as_ref().expect("the store is open")
    }

    /// The store, for a task. Must be dropped before the next crash or reopening.
    pub(super) fn shared(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().expect("the store is open"))
    }

    /// The harness.
    pub(super) fn harness(&self) -> &'h dyn Harness {
        self.harness
    }

    /// Says that a bulk stays half-built, whose money no report shows.
    pub(super) fn leaves_a_bulk_half_built(&self, builds: bool) {
        self.builds.set(builds);
    }

    /// True while a bulk is half-built.
    pub(super) fn builds(&self) -> bool {
        self.builds.get()
    }

    /// Abandons the store and opens its data again.
    pub(super) async fn crash(&mut self) {
        let store = self.store.take().expect("the store is open");
        self.store = Some(self.harness.crash(store).await);
    }

    /// Closes the store and opens it again.
    pub(super) async fn reopen(&mut self) {
        let store = self.store.take().expect("the store is open");
        self.store = Some(self.harness.reopen(store).await);
    }

    /// Ends a case: what must always hold does, now and after opening the store again.
    pub(super) async fn finish(mut self) {
        audit::audit(&self).await;
        self.reopen().await;
        audit::audit(&self).await;
        self.store().close().await;
    }

    /// What must always hold does.
    pub(super) async fn audit(&self) {
        audit::audit(self).await;
    }

    /// An account that nobody has topped up.
    pub(super) fn new_account(&self) -> NewAccount {
        self.accounts.set(self.accounts.get() + 1);
        NewAccount {
            name: format!("customer-{}", self.accounts.get()),
            password_hash: "$argon2id$".into(),
            created_at: T0,
            expires_at: at(86_400 * 365),
            settings: AccountSettings::default(),
        }
    }

    /// An account with so many rials.
    pub(super) async fn account(&self, credit: i64) -> AccountId {
        let account = self
            .create_account(self.new_account())
            .await
            .expect("create_account");
        if credit != 0 {
            let top_up = TopUp {
                account,
                amount: Rials(credit),
                note: None,
                at: T0,
            };
            self.top_up(top_up).await.expect("top_up");
        }
        account
    }

    /// A whole bulk that is due at once.
    pub(super) fn bulk_of(&self, account: AccountId, recipients: Vec<NewRecipient>) -> AcceptBulk {
        AcceptBulk {
            account,
            line: self.line,
            terms: BY_SEND,
            report_seconds: REPORT_SECONDS,
            reference_bits: ReferenceBits::Eight,
            text: TEXT.into(),
            accepted_at: T0,
            due_at: T0,
            expires_at: None,
            urgent: false,
            masked: false,
            idempotency_key: None,
            day_limit: None,
            recipients,
            whole: true,
            approval: None,
        }
    }

    /// Sends a bulk that must be taken.
    pub(super) async fn accept(&self, command: AcceptBulk) -> BulkNo {
        let accepted = self.accept_bulk(command).await.expect("the bulk is taken");
        assert!(!accepted.repeated, "{accepted:?} is a new bulk");
        accepted.bulk
    }

    /// Sends a bulk of one-part recipients.
    pub(super) async fn send(&self, account: AccountId, count: u32) -> BulkNo {
        self.accept(self.bulk_of(account, recipients(count))).await
    }

    /// Sends a bulk of any size: in one command where it fits, else in several.
    pub(super) async fn send_many(&self, command: AcceptBulk) -> BulkNo {
        let AcceptBulk {
            account,
            mut recipients,
            ..
        } = command.clone();
        if recipients.len() <= RECIPIENTS_PER_COMMAND_MAX {
            return self.accept(command).await;
        }
        let mut rest = recipients.split_off(RECIPIENTS_PER_COMMAND_MAX);
        let bulk = self
            .accept(AcceptBulk {
                recipients,
                whole: false,
                ..command
            })
            .await;
        while !rest.is_empty() {
            let after = rest.split_off(rest.len().min(RECIPIENTS_PER_COMMAND_MAX));
            self.add(account, bulk, rest)
                .await
                .expect("the recipients are taken");
            rest = after;
        }
        self.seal_bulk(account, bulk, None)
            .await
            .expect("the bulk is sealed");
        bulk
    }

    /// Adds recipients to a bulk that is being built.
    pub(super) async fn add(
        &self,
        account: AccountId,
        bulk: BulkNo,
        recipients: Vec<NewRecipient>,
    ) -> Result<(), AcceptError> {
        self.add_recipients(AddRecipients {
            account,
            bulk,
            recipients,
            approval: None,
            now: T0,
        })
        .await
    }

    /// The way of the line to an operator.
    pub(super) fn lane(&self, operator: OperatorId) -> Lane {
        Lane {
            line: self.line,
            operator,
        }
    }

    /// Asks for so many parts of these lanes, each and together.
    pub(super) fn share(&self, parts_max: u32, lanes: &[Lane]) -> LinkShare {
        let lanes = lanes
            .iter()
            .map(|lane| LaneShare {
                lane: *lane,
                parts_max,
            })
            .collect();
        LinkShare {
            link: self.link,
            epoch: 0,
            parts_max,
            lanes,
        }
    }

    /// Claims for the link, of the lane to the usual operator.
    pub(super) async fn claim(&self, now: UnixMillis, parts_max: u32) -> Vec<ClaimedMessage> {
        let links = vec![self.share(parts_max, &[self.lane(OPERATOR)])];
        self.claim_due(ClaimDue { now, links })
            .await
            .expect("claim_due")
    }

    /// Claims everything that is due in both lanes.
    pub(super) async fn claim_all(&self, now: UnixMillis) -> Vec<ClaimedMessage> {
        let mut all = Vec::new();
        let lanes = [self.lane(OPERATOR), self.lane(OTHER_OPERATOR)];
        for _ in 0..ROUNDS_MAX {
            let links = vec![self.share(2_000, &lanes)];
            let claimed = self
                .claim_due(ClaimDue { now, links })
                .await
                .expect("claim_due");
            if claimed.is_empty() {
                return all;
            }
            all.extend(claimed);
        }
        panic!("the claims do not end");
    }

    /// Records outcomes of the link.
    pub(super) async fn outcomes(&self, now: UnixMillis, outcomes: Vec<Outcome>) {
        let command = RecordOutcomes {
            link: self.link,
            epoch: 0,
            now,
            outcomes,
        };
        self.record_outcomes(command)
            .await
            .expect("record_outcomes");
    }

    /// Records the same outcome for every part of these messages.
    pub(super) async fn answer(
        &self,
        now: UnixMillis,
        claimed: &[ClaimedMessage],
        result: SubmitResult,
    ) {
        let parts = parts_of(claimed).into_iter();
        let outcomes = parts
            .map(|part| Outcome {
                part,
                result: result.clone(),
            })
            .collect();
        self.outcomes(now, outcomes).await;
    }

    /// The operator takes every part of these messages.
    pub(super) async fn take(&self, now: UnixMillis, claimed: &[ClaimedMessage]) {
        self.outcomes(now, parts_of(claimed).into_iter().map(taken).collect())
            .await;
    }

    /// Records receipts of the link.
    pub(super) async fn receive(
        &self,
        now: UnixMillis,
        receipts: Vec<NewReceipt>,
    ) -> ReceiptsRecorded {
        let command = RecordReceipts {
            link: self.link,
            now,
            receipts,
        };
        self.record_receipts(command)
            .await
            .expect("record_receipts")
    }

    /// Every part of these messages reaches the handset.
    pub(super) async fn deliver(&self, now: UnixMillis, claimed: &[ClaimedMessage]) {
        let receipts = parts_of(claimed)
            .into_iter()
            .map(|part| receipt(part, ReceiptKind::Delivered))
            .collect();
        self.receive(now, receipts).await;
    }

    /// A bulk that must be there.
    pub(super) async fn report(&self, account: AccountId, bulk: BulkNo) -> BulkReport {
        let report = self.bulk(account, bulk).await.expect("bulk");
        report.unwrap_or_else(|| panic!("bulk {bulk} of account {account} is not there"))
    }

    /// All recipients of a bulk.
    pub(super) async fn all(&self, account: AccountId, bulk: BulkNo) -> Vec<RecipientReport> {
        audit::all_recipients(self.store(), account, bulk, 1_000).await
    }

    /// Where each recipient of a bulk stands, and why.
    pub(super) async fn standing(&self, account: AccountId, bulk: BulkNo) -> Vec<(State, Reason)> {
        let all = self.all(account, bulk).await;
        all.into_iter()
            .map(|recipient| (recipient.state, recipient.reason))
            .collect()
    }

    /// Credit and reserved, in rials.
    pub(super) async fn money(&self, account: AccountId) -> (i64, i64) {
        let Balance { credit, reserved } = self.balance(account).await.expect("balance");
        (credit.0, reserved.0)
    }

    /// What moved in an account, top-ups apart.
    pub(super) async fn moved(&self, account: AccountId) -> Moved {
        let mut moved = Moved::default();
        for entry in audit::all_entries(self.store(), account).await {
            match entry.kind {
                EntryKind::Reserve => moved.reserve += entry.amount.0,
                EntryKind::Charge => moved.charge += entry.amount.0,
                EntryKind::Release => moved.release += entry.amount.0,
                EntryKind::Refund => moved.refund += entry.amount.0,
                EntryKind::TopUp | EntryKind::Transfer => {}
            }
        }
        moved
    }

    /// Sweeps until there is nothing more to do at this time, and says how many ended.
    pub(super) async fn sweep_all(&self, now: UnixMillis) -> u32 {
        let mut settled = 0;
        for _ in 0..ROUNDS_MAX {
            let swept = self.sweep(now).await.expect("sweep");
            settled += swept.settled;
            if !swept.more {
                return settled;
            }
        }
        panic!("the sweep does not end");
    }

    /// Recovers a slice of what both links left unanswered.
    pub(super) async fn recover(&self, now: UnixMillis) -> Recovered {
        let links = [self.link, self.other_link]
            .map(|link| HeldLink { link, epoch: 0 })
            .to_vec();
        self.recover_in_doubt(RecoverInDoubt { links, now })
            .await
            .expect("recover_in_doubt")
    }

    /// Recovers until nothing is in doubt, and says who was, in the order of their keys.
    pub(super) async fn recover_all(&self, now: UnixMillis) -> Vec<RecipientKey> {
        let mut all = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let recovered = self.recover(now).await;
            all.extend(recovered.recipients);
            if !recovered.more {
                all.sort_unstable();
                return all;
            }
        }
        panic!("the recovery does not end");
    }

    /// Stops a bulk to the end, and gives the last answer.
    pub(super) async fn stop_all(&self, command: StopBulk) -> Stopped {
        for _ in 0..ROUNDS_MAX {
            let stopped = self.stop_bulk(command).await.expect("stop_bulk");
            if stopped != Stopped::More {
                return stopped;
            }
        }
        panic!("the stop does not end");
    }

    /// Decides about a text to the end, and gives the last answer.
    pub(super) async fn decide_all(&self, command: DecideApproval) -> Decided {
        for _ in 0..ROUNDS_MAX {
            let decided = self.decide_approval(command.clone()).await;
            let decided = decided.expect("decide_approval");
            if decided != Decided::More {
                return decided;
            }
        }
        panic!("the decision does not end");
    }

    /// Cancels a bulk to the end.
    pub(super) async fn cancel(&self, account: AccountId, bulk: BulkNo) -> Stopped {
        let reason = StopReason::Cancelled;
        self.stop_all(StopBulk {
            account,
            bulk,
            reason,
            now: at(60),
        })
        .await
    }

    /// A message of the usual bulk as it must be claimed.
    pub(super) fn message(&self, key: RecipientKey, parts: u8) -> ClaimedMessage {
        ClaimedMessage {
            link: self.link,
            lane: self.lane(OPERATOR),
            key,
            to: mobile(key.seq.0),
            outstanding: PartSet::all(parts),
            parts,
            text: TEXT.into(),
            reference_bits: ReferenceBits::Eight,
            expires_at: None,
        }
    }
}
