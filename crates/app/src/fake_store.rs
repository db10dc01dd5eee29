//! A store in memory for tests of the use cases: it records what it is told, and fails on demand.
//! No part of the program, and no model of a store: that is the conformance suite's work.

mod bulks;
mod console;
mod fleet;
mod inbox;
mod patterns;
mod phonebooks;
mod resellers;
mod screening;
mod tickets;

use async_trait::async_trait;
use domain::account::{Account, AccountSettings};
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, Seq};
use domain::ledger::{Balance, Entry};
use domain::line::{Line, LineSettings};
use domain::line_number::LineNumber;
use domain::link::{Link, LinkSettings, LinkStatus};
use domain::money::Rials;
use domain::recipient::{NewRecipient, RecipientReport};
use domain::tariff::TariffRow;
use domain::time::UnixMillis;
use std::path::Path;
use std::sync::{Arc, Mutex};
use store::*;
use tokio::sync::{Notify, watch};

/// What the fake knows, was told, and is to fail at.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) accounts: Vec<Account>,
    pub(crate) catalog: Catalog,
    pub(crate) catalog_looks: u32,
    pub(crate) catalog_fails: bool,
    pub(crate) statuses: Vec<LinkStatus>,
    pub(crate) credit: i64,
    /// Bulks that were opened or accepted, with all their recipients.
    pub(crate) bulks: Vec<AcceptBulk>,
    /// Recipients of each command, in order.
    pub(crate) commands: Vec<usize>,
    pub(crate) sealed: Vec<BulkNo>,
    pub(crate) sealed_limits: Vec<Option<DayLimit>>,
    pub(crate) stops: Vec<StopReason>,
    /// Answers to the next stops; `Done` when there is none.
    pub(crate) stop_answers: Vec<Stopped>,
    pub(crate) add_fails_at: Option<usize>,
    pub(crate) seal_fails: bool,
    pub(crate) hold_adds: Option<Arc<Notify>>,
    pub(crate) reports: Vec<BulkReport>,
    pub(crate) recipients: Vec<RecipientReport>,
    pub(crate) repeated: Option<BulkNo>,
    pub(crate) patterns: patterns::PatternState,
    pub(crate) shelf: phonebooks::Shelf,
    pub(crate) screens: screening::Screens,
    pub(crate) console: store::console_memory::ConsoleMemory,
    pub(crate) listed: bulks::Listed,
}

#[derive(Default)]
pub(crate) struct FakeStore(pub(crate) Mutex<State>);

impl FakeStore {
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    pub(crate) fn change_catalog(&self, change: impl FnOnce(&mut Catalog)) {
        self.with(|state| {
            change(&mut state.catalog);
            state.catalog.version += 1;
        });
    }

    pub(crate) fn fail_catalog(&self, fails: bool) {
        self.with(|state| state.catalog_fails = fails);
    }

    pub(crate) fn catalog_looks(&self) -> u32 {
        self.with(|state| state.catalog_looks)
    }
}

pub(crate) fn line(id: i64, number: &str) -> Line {
    Line {
        id: LineId(id),
        number: LineNumber::parse(number).unwrap(),
        display: number.to_owned(),
        settings: LineSettings::default(),
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        id: AccountId(1),
        name: name.to_owned(),
        password_hash: String::new(),
        created_at: UnixMillis(0),
        expires_at: UnixMillis(i64::MAX),
        settings: AccountSettings::default(),
        package: None,
        ancestors: Vec::new(),
    }
}

fn reserve(state: &mut State, recipients: &[NewRecipient]) -> Result<(), AcceptError> {
    let price: i64 = recipients.iter().map(|recipient| recipient.price().0).sum();
    if price > state.credit {
        return Err(AcceptError::InsufficientCredit);
    }
    state.credit -= price;
    Ok(())
}

fn absent() -> StoreError {
    StoreError::Other("no part of the fake".into())
}

#[async_trait]
impl Store for FakeStore {
    async fn accept_bulk(&self, command: AcceptBulk) -> Result<AcceptedBulk, AcceptError> {
        tokio::task::yield_now().await;
        self.with(|state| {
            if let Some(bulk) = state.repeated {
                return Ok(AcceptedBulk {
                    bulk,
                    repeated: true,
                });
            }
            reserve(state, &command.recipients)?;
            state.commands.push(command.recipients.len());
            let bulk = BulkNo(10_001 + state.bulks.len() as u32);
            state.bulks.push(command);
            Ok(AcceptedBulk {
                bulk,
                repeated: false,
            })
        })
    }

    async fn add_recipients(&self, command: AddRecipients) -> Result<(), AcceptError> {
        let hold = self.with(|state| state.hold_adds.clone());
        if let Some(hold) = hold {
            hold.notified().await;
        }
        self.with(|state| {
            if state.add_fails_at == Some(state.commands.len()) {
                return Err(StoreError::Other("told to fail".into()).into());
            }
            reserve(state, &command.recipients)?;
            state.commands.push(command.recipients.len());
            let place = (command.bulk.0 - 10_001) as usize;
            let bulk = &mut state.bulks[place];
            bulk.approval = bulk.approval.take().or(command.approval);
            bulk.recipients.extend(command.recipients);
            Ok(())
        })
    }

    async fn seal_bulk(
        &self,
        _: AccountId,
        bulk: BulkNo,
        day_limit: Option<DayLimit>,
    ) -> Result<(), AcceptError> {
        tokio::task::yield_now().await;
        self.with(|state| {
            if state.seal_fails {
                return Err(StoreError::Other("told to fail".into()).into());
            }
            state.sealed.push(bulk);
            state.sealed_limits.push(day_limit);
            Ok(())
        })
    }

    async fn stop_bulk(&self, command: StopBulk) -> Result<Stopped, StoreError> {
        Ok(self.with(|state| {
            state.stops.push(command.reason);
            if state.stop_answers.is_empty() {
                return Stopped::Done;
            }
            state.stop_answers.remove(0)
        }))
    }

    async fn waiting_lanes(&self, _: UnixMillis) -> Result<WaitingLanes, StoreError> {
        Err(absent())
    }
    async fn claim_due(&self, _: ClaimDue) -> Result<Vec<ClaimedMessage>, StoreError> {
        Err(absent())
    }
    async fn record_outcomes(&self, _: RecordOutcomes) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn record_receipts(&self, _: RecordReceipts) -> Result<ReceiptsRecorded, StoreError> {
        Err(absent())
    }
    async fn record_inbound(&self, _: Vec<InboundPart>) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn recover_in_doubt(&self, _: RecoverInDoubt) -> Result<Recovered, StoreError> {
        Err(absent())
    }
    async fn sweep(&self, _: UnixMillis) -> Result<Swept, StoreError> {
        Err(absent())
    }
    async fn save_link_status(&self, _: LinkStatus) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn create_account(&self, new: NewAccount) -> Result<AccountId, AdminError> {
        self.with(|state| {
            if state
                .accounts
                .iter()
                .any(|account| account.name == new.name)
            {
                return Err(AdminError::Exists(format!("account {}", new.name)));
            }
            let id = AccountId(1 + state.accounts.len() as i64);
            state.accounts.push(Account {
                id,
                name: new.name,
                password_hash: new.password_hash,
                created_at: new.created_at,
                expires_at: new.expires_at,
                settings: new.settings,
                package: None,
                ancestors: Vec::new(),
            });
            Ok(id)
        })
    }

    async fn update_account(&self, id: AccountId, change: AccountChange) -> Result<(), AdminError> {
        self.with(|state| {
            let account = state.accounts.iter_mut().find(|account| account.id == id);
            let account = account.ok_or(AdminError::Unknown("account"))?;
            if let Some(hash) = change.password_hash {
                account.password_hash = hash;
            }
            Ok(())
        })
    }

    async fn top_up(&self, command: TopUp) -> Result<Balance, AdminError> {
        self.with(|state| {
            let credit = state.credit + command.amount.0;
            if credit < 0 {
                return Err(AdminError::AmountOutOfRange);
            }
            state.credit = credit;
            Ok(Balance {
                credit: Rials(credit),
                reserved: Rials::ZERO,
            })
        })
    }
    async fn create_line(&self, new: NewLine) -> Result<LineId, AdminError> {
        let mut id = LineId(0);
        self.change_catalog(|catalog| {
            id = LineId(1 + catalog.lines.len() as i64);
            let NewLine {
                number,
                display,
                settings,
            } = new;
            catalog.lines.push(Line {
                id,
                number,
                display,
                settings,
            });
        });
        Ok(id)
    }
    async fn update_line(&self, id: LineId, settings: LineSettings) -> Result<(), AdminError> {
        self.change_catalog(|catalog| {
            let line = catalog.lines.iter_mut().find(|line| line.id == id);
            line.unwrap().settings = settings;
        });
        Ok(())
    }
    async fn grant_line(
        &self,
        account: AccountId,
        line: LineId,
        granted: bool,
    ) -> Result<(), AdminError> {
        self.change_catalog(|catalog| {
            catalog.grants.retain(|grant| *grant != (account, line));
            if granted {
                catalog.grants.push((account, line));
            }
        });
        Ok(())
    }
    async fn create_link(
        &self,
        name: String,
        settings: LinkSettings,
    ) -> Result<LinkId, AdminError> {
        let mut id = LinkId(0);
        self.change_catalog(|catalog| {
            id = LinkId(1 + catalog.links.len() as i64);
            catalog.links.push(Link { id, name, settings });
        });
        Ok(id)
    }
    async fn update_link(&self, _: LinkId, _: LinkSettings) -> Result<(), AdminError> {
        Err(absent().into())
    }
    async fn set_tariff(&self, change: TariffChange) -> Result<(), AdminError> {
        self.change_catalog(|catalog| {
            let TariffChange {
                line,
                operator,
                alphabet,
                price,
            } = change;
            if let Some(price) = price {
                catalog.tariffs.push(TariffRow {
                    line,
                    operator,
                    alphabet,
                    price,
                });
            }
        });
        Ok(())
    }

    async fn catalog(&self, known: Option<u64>) -> Result<Option<Arc<Catalog>>, StoreError> {
        self.with(|state| state.catalog_looks += 1);
        // A real look takes a while, in which others come.
        tokio::task::yield_now().await;
        self.with(|state| {
            if state.catalog_fails {
                return Err(StoreError::Other("told to fail".into()));
            }
            let newer = known != Some(state.catalog.version);
            Ok(newer.then(|| Arc::new(state.catalog.clone())))
        })
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.with(|state| state.accounts.iter().find(|a| a.name == name).cloned()))
    }

    async fn accounts(
        &self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, StoreError> {
        let summary = |account: &Account| AccountSummary {
            id: account.id,
            name: account.name.clone(),
            created_at: account.created_at,
            expires_at: account.expires_at,
            settings: account.settings.clone(),
            balance: Balance::default(),
            parent: account.ancestors.first().map(|above| above.id),
            package: account.package,
        };
        Ok(self.with(|state| {
            let rest = state.accounts.iter().filter(|one| Some(one.id) > after);
            rest.take(limit as usize).map(summary).collect()
        }))
    }

    async fn balance(&self, _: AccountId) -> Result<Balance, StoreError> {
        let credit = Rials(self.with(|state| state.credit));
        Ok(Balance {
            credit,
            reserved: Rials::ZERO,
        })
    }

    async fn ledger(&self, _: AccountId, _: Option<i64>, _: u32) -> Result<Vec<Entry>, StoreError> {
        Err(absent())
    }

    async fn bulk(&self, _: AccountId, bulk: BulkNo) -> Result<Option<BulkReport>, StoreError> {
        Ok(self.with(|state| {
            state
                .reports
                .iter()
                .find(|report| report.no == bulk)
                .cloned()
        }))
    }

    async fn bulk_by_key(
        &self,
        _: AccountId,
        _: [u8; 32],
        _: UnixMillis,
    ) -> Result<Option<BulkNo>, StoreError> {
        Ok(None)
    }

    async fn recipients(
        &self,
        _: AccountId,
        _: BulkNo,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<RecipientReport>, StoreError> {
        Ok(self.with(|state| {
            let rest = state
                .recipients
                .iter()
                .filter(|r| after.is_none_or(|seq| r.seq > seq));
            rest.take(limit as usize).cloned().collect()
        }))
    }

    async fn link_statuses(&self) -> Result<Vec<LinkStatus>, StoreError> {
        Ok(self.with(|state| state.statuses.clone()))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Ok(Totals::default())
    }
    async fn check(&self) -> Result<Vec<Finding>, StoreError> {
        Err(absent())
    }
    async fn backup(&self, _: &Path) -> Result<(), StoreError> {
        Err(absent())
    }
    fn due(&self) -> Arc<Notify> {
        Arc::default()
    }
    fn failure(&self) -> watch::Receiver<Option<String>> {
        watch::channel(None).1
    }
    async fn close(&self) {}
}
