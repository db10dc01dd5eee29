//! Taking, building and stopping bulks.

use super::screening::Asked;
use super::{Acc, Bulk, Data, Memory, Rec, SLICE};
use crate::*;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use domain::ledger::EntryKind;
use domain::money::Rials;
use domain::recipient::{Address, NewRecipient};
use domain::status::{Progress, State};
use std::collections::HashMap;

fn price(recipients: &[NewRecipient]) -> Option<Rials> {
    recipients
        .iter()
        .try_fold(Rials::ZERO, |sum, one| sum.checked_add(one.price()))
}

fn rows(recipients: Vec<NewRecipient>) -> impl Iterator<Item = Rec> {
    recipients.into_iter().map(|new| {
        let mut progress = Progress::accepted(new.parts, new.unit_price);
        if let Some((state, reason)) = new.ends_as {
            (progress.state, progress.reason) = (state, reason);
        }
        Rec {
            new,
            progress,
            submitted_at: domain::time::UnixMillis(0),
            link: None,
        }
    })
}

impl Acc {
    fn afford(&self, recipients: &[NewRecipient]) -> Result<Rials, AcceptError> {
        let price = price(recipients).filter(|price| *price <= self.balance.credit);
        price.ok_or(AcceptError::InsufficientCredit)
    }

    fn day_holds(&self, limit: Option<DayLimit>, messages: i64) -> Result<(), AcceptError> {
        let Some(limit) = limit else { return Ok(()) };
        let sent = if self.day.0 == limit.day {
            self.day.1
        } else {
            0
        };
        match messages == 0 || sent + messages <= i64::from(limit.messages_max) {
            true => Ok(()),
            false => Err(AcceptError::DayLimit),
        }
    }

    fn count_day(&mut self, limit: Option<DayLimit>, messages: i64) {
        let Some(limit) = limit else { return };
        let sent = if self.day.0 == limit.day {
            self.day.1
        } else {
            0
        };
        self.day = (limit.day, sent + messages);
    }
}

impl Memory {
    pub(super) fn accept(&self, mut command: AcceptBulk) -> Result<AcceptedBulk, AcceptError> {
        let mut data = self.data();
        let account = data.accounts.get_mut(&command.account);
        let account = account.ok_or(AcceptError::Refused("no such account"))?;
        if let Some((bulk, at)) = command
            .idempotency_key
            .and_then(|key| account.keys.get(&key))
        {
            let hours = command.accepted_at.millis_since(*at) / 3_600_000;
            let gone = account.bulks[bulk].stage == BulkStage::Abandoned;
            if hours < IDEMPOTENCY_HOURS && !gone {
                return Ok(AcceptedBulk {
                    bulk: *bulk,
                    repeated: true,
                });
            }
        }
        let waits = |one: &&NewRecipient| one.ends_as.is_none();
        let messages = command.recipients.iter().filter(waits).count() as i64;
        let day_limit = command.day_limit.filter(|_| command.whole);
        account.day_holds(day_limit, messages)?;
        let masked = |one: &NewRecipient| matches!(one.address, Address::Masked(_));
        if command.recipients.iter().any(masked) {
            return Err(AcceptError::Refused("a masked number"));
        }
        let price = account.afford(&command.recipients)?;
        account.count_day(day_limit, messages);
        let bulk = BulkNo(account.next);
        account.next += 1;
        account.book(EntryKind::Reserve, price, Some(bulk), command.accepted_at);
        if let Some(key) = command.idempotency_key {
            account.keys.insert(key, (bulk, command.accepted_at));
        }
        let recipients = rows(std::mem::take(&mut command.recipients)).collect();
        let stage = if command.whole {
            BulkStage::Accepted
        } else {
            BulkStage::Building
        };
        let returned = Rials::ZERO;
        let key = (command.account, bulk);
        let wanted = command.approval.take();
        account.bulks.insert(
            bulk,
            Bulk {
                command,
                stage,
                recipients,
                price,
                returned,
            },
        );
        if let Some(wanted) = wanted {
            let asked = Asked::new(wanted, ApprovalState::Building);
            data.screens.ask(key, asked);
        }
        if stage == BulkStage::Accepted {
            data.accepted(key);
        }
        self.due.notify_waiters();
        Ok(AcceptedBulk {
            bulk,
            repeated: false,
        })
    }

    pub(super) fn add(&self, command: AddRecipients) -> Result<(), AcceptError> {
        let mut data = self.data();
        let account = data.accounts.get_mut(&command.account);
        let account = account.ok_or(AcceptError::Refused("no such account"))?;
        let building = account.bulks.get(&command.bulk).map(|bulk| bulk.stage);
        if building != Some(BulkStage::Building) {
            return Err(AcceptError::Refused("not being built"));
        }
        let price = account.afford(&command.recipients)?;
        account.book(EntryKind::Reserve, price, Some(command.bulk), command.now);
        let bulk = account
            .bulks
            .get_mut(&command.bulk)
            .expect("looked up above");
        bulk.price += price;
        bulk.recipients.extend(rows(command.recipients));
        if let Some(wanted) = command.approval {
            let asked = Asked::new(wanted, ApprovalState::Building);
            data.screens.ask((command.account, command.bulk), asked);
        }
        Ok(())
    }

    pub(super) fn seal(
        &self,
        account: AccountId,
        no: BulkNo,
        day_limit: Option<DayLimit>,
    ) -> Result<(), AcceptError> {
        let mut data = self.data();
        let messages = match data.bulk(account, no) {
            Some(bulk) if bulk.stage == BulkStage::Building => {
                i64::from(bulk.counts().of(State::Waiting))
            }
            _ => return Err(AcceptError::Refused("not being built")),
        };
        if let Some(row) = data.accounts.get_mut(&account) {
            row.day_holds(day_limit, messages)?;
            row.count_day(day_limit, messages);
        }
        if let Some(bulk) = data.bulk(account, no) {
            bulk.stage = BulkStage::Accepted;
        }
        data.accepted((account, no));
        drop(data);
        self.due.notify_waiters();
        Ok(())
    }

    pub(super) fn stop(&self, command: StopBulk) -> Stopped {
        let mut data = self.data();
        let Some(bulk) = data.bulk(command.account, command.bulk) else {
            return Stopped::Unknown;
        };
        let waits = bulk.counts().of(State::Waiting) > 0;
        match (command.reason, bulk.stage) {
            (StopReason::Abandoned, BulkStage::Building) => bulk.stage = BulkStage::Abandoned,
            (StopReason::Abandoned, stage) if stage.is_acknowledged() => {
                return Stopped::NothingLeft;
            }
            (StopReason::Cancelled, BulkStage::Building) => return Stopped::Unknown,
            (StopReason::Cancelled, BulkStage::Rejected) => return Stopped::NothingLeft,
            (
                StopReason::Cancelled,
                BulkStage::Accepted | BulkStage::AwaitingApproval | BulkStage::Paused,
            ) if bulk.counts().open() > 0 => {
                bulk.stage = BulkStage::Cancelled;
            }
            _ if !waits => return Stopped::NothingLeft,
            _ => {}
        }
        data.screens
            .withdraw((command.account, command.bulk), command.now);
        data.cancel_stopped(SLICE, command.now);
        let left = data
            .bulk(command.account, command.bulk)
            .map(|bulk| bulk.counts());
        match left.map(|counts| counts.of(State::Waiting)) {
            Some(0) => Stopped::Done,
            _ => Stopped::More,
        }
    }
}

impl Data {
    /// Settles what waits in bulks that were stopped, and says how many it were.
    pub(super) fn cancel_stopped(&mut self, limit: usize, now: domain::time::UnixMillis) -> usize {
        let stopped = |bulk: &Bulk| bulk.stage.stopped_by();
        let keys = self.which(
            |bulk, one| stopped(bulk).is_some() && one.progress.state == State::Waiting,
            limit,
        );
        for key in &keys {
            let event = self
                .bulk(key.account, key.bulk)
                .and_then(|bulk| stopped(bulk));
            self.apply(*key, event.expect("stopped"), now);
        }
        keys.len()
    }

    /// A bulk is complete: it waits, where its text needs approval and there is anyone to send to.
    fn accepted(&mut self, key: (AccountId, BulkNo)) {
        let bulk = self.bulk(key.0, key.1).expect("just accepted");
        let open = bulk.counts().open() > 0;
        let Some(asked) = self.screens.asked(key) else {
            return;
        };
        asked.state = match open {
            true => ApprovalState::Waiting,
            false => ApprovalState::Withdrawn,
        };
        if open {
            let bulk = self.bulk(key.0, key.1).expect("just accepted");
            bulk.stage = BulkStage::AwaitingApproval;
        }
    }
}

/// A new account's row.
pub(super) fn new_row(id: AccountId, new: NewAccount) -> Acc {
    let account = domain::account::Account {
        id,
        name: new.name,
        password_hash: new.password_hash,
        created_at: new.created_at,
        expires_at: new.expires_at,
        settings: new.settings,
        package: None,
        ancestors: Vec::new(),
    };
    Acc {
        account,
        balance: Default::default(),
        entries: Vec::new(),
        next: BulkNo::FIRST.0,
        keys: HashMap::new(),
        bulks: Default::default(),
        parent: None,
        person: None,
        day: (0, 0),
    }
}
