//! What a reseller sees and does of the accounts below it, and of the packages that it hands out.
//!
//! It may look at everything below it, and change what stands directly below. An account elsewhere
//! in the tree is unknown to it.

use crate::access::{Access, PackageChain};
use crate::manage::ManageError;
use crate::{App, lines, statistics};
use domain::account::{Account, AccountSettings};
use domain::ids::{AccountId, OperatorId, PackageId};
use domain::money::Rials;
use domain::package::Package;
use domain::schedule::tehran_hour;
use domain::text::Alphabet;
use domain::time::UnixMillis;
use std::sync::Arc;
use store::{StatisticQuery, StoreError};

/// Characters of an account's title.
const TITLE_CHARS_MAX: usize = 100;

/// What a reseller changes of an account directly below it.
#[derive(Clone, Copy, Debug)]
pub struct ChangeBelow<'a> {
    /// The name of the person or company; a longer one is cut off.
    pub title: &'a str,
    /// Until when it may be used; `None` leaves that as it is.
    pub expires_at: Option<UnixMillis>,
    /// True where it may do nothing.
    pub restricted: bool,
    /// Another package; `None` leaves that as it is.
    pub package: Option<PackageId>,
}

/// A package that is offered to a reseller, with what accounts that have it pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedPackage {
    /// The package.
    pub package: Package,
    /// The lines that such accounts may use.
    pub lines: Vec<String>,
    /// What a part costs, by line and operator.
    pub prices: Vec<OfferedPrice>,
    /// Why it cannot be handed out, though it is offered; `None` where it can.
    pub problem: Option<String>,
}

/// What a part costs an account below, and the reseller itself. Where there is no price, none is
/// sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedPrice {
    /// The line.
    pub line: String,
    /// The operators; all of them cost the same.
    pub operators: Vec<OperatorId>,
    /// With the package, for Persian and for English texts.
    pub below: [Option<Rials>; 2],
    /// For the reseller itself.
    pub own: [Option<Rials>; 2],
}

/// What an account sent and spent since some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Messages that it sent.
    pub messages: i64,
    /// Those of them that were delivered.
    pub delivered: i64,
    /// Charged, less what was refunded.
    pub spent: Rials,
    /// Got from the account above, less what was given back.
    pub received: Rials,
}

impl App {
    /// What an account sent and spent since a time.
    ///
    /// # Errors
    /// The store failed.
    pub async fn usage(&self, account: AccountId, since: UnixMillis) -> Result<Usage, StoreError> {
        let sums = self.sums_since(account, since).await?;
        let query = StatisticQuery {
            account: Some(account),
            from_hour: tehran_hour(since),
            to_hour: tehran_hour(self.now()) + 1,
        };
        let mut usage = Usage {
            spent: sums.charged - sums.refunded,
            received: sums.transferred,
            ..Usage::default()
        };
        for statistic in self.store().statistics(query).await? {
            usage.messages += statistics::messages(&statistic.counts);
            usage.delivered += statistic.counts.delivered;
        }
        Ok(usage)
    }

    /// Whether the account may open others.
    ///
    /// # Errors
    /// The store failed.
    pub async fn is_reseller(&self, account: &Account) -> Result<bool, StoreError> {
        Ok(self.sub_accounts_max(account).await? > 0)
    }

    /// Accounts that it may have directly below it; 0 where it is no reseller.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sub_accounts_max(&self, account: &Account) -> Result<u32, StoreError> {
        let view = self.view().await?;
        Ok(Access::of(&view, account).sub_accounts_max())
    }

    /// An account somewhere below a reseller.
    ///
    /// # Errors
    /// There is none with this id below it, or the store failed.
    pub async fn account_below(
        &self,
        reseller: &Account,
        id: AccountId,
    ) -> Result<Arc<Account>, ManageError> {
        let found = self.store().account_by_id(id).await?;
        found
            .filter(|account| account.ancestors.iter().any(|one| one.id == reseller.id))
            .map(Arc::new)
            .ok_or_else(|| ManageError::Unknown(format!("account {id}")))
    }

    /// Changes an account directly below a reseller.
    ///
    /// # Errors
    /// It is none of these, the package may not be handed out, the end lies in the past, or the
    /// store failed.
    pub async fn change_below(
        &self,
        reseller: &Account,
        id: AccountId,
        change: ChangeBelow<'_>,
    ) -> Result<(), ManageError> {
        let account = self.account_directly_below(reseller, id).await?;
        if change.expires_at.is_some_and(|at| at <= self.now()) {
            let sentence = "the account would have ended already; restrict it instead";
            return Err(ManageError::Invalid(sentence.into()));
        }
        let package = change.package.filter(|id| account.package != Some(*id));
        if let Some(package) = package {
            let view = self.view().await?;
            if !self.may_hand_out(&Access::of(&view, reseller), package) {
                return Err(ManageError::Unknown(format!("package {package}")));
            }
        }
        let settings = AccountSettings {
            title: change.title.trim().chars().take(TITLE_CHARS_MAX).collect(),
            restricted: change.restricted,
            ..account.settings.clone()
        };
        self.update_account(&account.name, change.expires_at, Some(settings))
            .await?;
        if let Some(package) = package {
            self.store().set_package(account.id, Some(package)).await?;
            self.forget_accounts();
        }
        Ok(())
    }

    /// Gives an account directly below a reseller a made-up password, which is answered.
    ///
    /// # Errors
    /// It is none of these, or the store failed.
    pub async fn renew_password_below(
        &self,
        reseller: &Account,
        id: AccountId,
    ) -> Result<String, ManageError> {
        let account = self.account_directly_below(reseller, id).await?;
        let made = self.set_password(&account.name, None).await?;
        self.store()
            .end_sessions(Some(id), domain::ids::UserNo(0), store::EndSessions::All)
            .await?;
        Ok(made.unwrap_or_default())
    }

    /// An account directly below a reseller.
    ///
    /// # Errors
    /// It is none of these, or the store failed.
    pub async fn account_directly_below(
        &self,
        reseller: &Account,
        id: AccountId,
    ) -> Result<Arc<Account>, ManageError> {
        let account = self.account_below(reseller, id).await?;
        match account.parent() {
            Some(parent) if parent.id == reseller.id => Ok(account),
            _ => Err(ManageError::Unknown(format!("account {id}"))),
        }
    }

    /// The packages that are offered to a reseller, in the order of their ids.
    ///
    /// # Errors
    /// The store failed.
    pub async fn offered_packages(
        &self,
        reseller: &Account,
    ) -> Result<Vec<OfferedPackage>, StoreError> {
        let view = self.view().await?;
        let access = Access::of(&view, reseller);
        let offered = view.catalog.packages.iter();
        let offered = offered.filter(|package| access.is_offered(package.id));
        Ok(offered
            .map(|package| self.offered(&access, package))
            .collect())
    }

    fn offered(&self, access: &Access<'_>, package: &Package) -> OfferedPackage {
        let usable = access
            .lines()
            .filter(|line| package.settings.lines.contains(&line.id));
        let below = PackageChain::below(access.account(), package.id);
        let mut prices: Vec<OfferedPrice> = Vec::new();
        let mut shown = Vec::new();
        for line in usable {
            let number = lines::shown(line);
            for operator in self.operators().iter() {
                let price = OfferedPrice {
                    line: number.clone(),
                    operators: vec![operator.id],
                    below: [Alphabet::Ucs2, Alphabet::Gsm7]
                        .map(|alphabet| access.price_of(&below, line.id, operator.id, alphabet)),
                    own: [Alphabet::Ucs2, Alphabet::Gsm7]
                        .map(|alphabet| access.price(line.id, operator.id, alphabet)),
                };
                let same = prices.iter_mut().find(|known| {
                    (&known.line, known.below, known.own) == (&price.line, price.below, price.own)
                });
                match same {
                    Some(known) => known.operators.push(operator.id),
                    None => prices.push(price),
                }
            }
            shown.push(number);
        }
        OfferedPackage {
            package: package.clone(),
            lines: shown,
            prices,
            problem: self.overstep(access, package.id),
        }
    }
}
