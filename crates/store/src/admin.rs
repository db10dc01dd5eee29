//! Commands of administrators, and the catalog that they fill.

use domain::account::AccountSettings;
use domain::ids::{AccountId, LineId, OperatorId, PackageId};
use domain::ledger::Balance;
use domain::line::{Line, LineSettings};
use domain::line_number::LineNumber;
use domain::link::Link;
use domain::money::Rials;
use domain::package::Package;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::UnixMillis;

/// Opens an account.
#[derive(Clone)]
pub struct NewAccount {
    /// The user name in canonical form.
    pub name: String,
    /// Argon2id hash in PHC form.
    pub password_hash: String,
    /// The time now.
    pub created_at: UnixMillis,
    /// Until when it may be used.
    pub expires_at: UnixMillis,
    /// What it may do.
    pub settings: AccountSettings,
}

/// Changes an account; `None` leaves as it is.
#[derive(Clone, Default)]
pub struct AccountChange {
    /// A new password's hash.
    pub password_hash: Option<String>,
    /// A new end.
    pub expires_at: Option<UnixMillis>,
    /// New settings.
    pub settings: Option<AccountSettings>,
}

/// Pays money in.
#[derive(Clone, Debug)]
pub struct TopUp {
    /// Whose.
    pub account: AccountId,
    /// How much; negative for a correction.
    pub amount: Rials,
    /// What a person writes beside it.
    pub note: Option<String>,
    /// The time now.
    pub at: UnixMillis,
}

/// Adds a line.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// Its number.
    pub number: LineNumber,
    /// How it is shown and sent.
    pub display: String,
    /// What it may do.
    pub settings: LineSettings,
}

/// Sets or removes one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TariffChange {
    /// For this line, or for all.
    pub line: Option<LineId>,
    /// For this operator, or for all.
    pub operator: Option<OperatorId>,
    /// For texts in this alphabet.
    pub alphabet: Alphabet,
    /// Rials a part; `None` removes the price.
    pub price: Option<Rials>,
}

/// Everything that changes seldom and is needed at each message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// Counts up with each change.
    pub version: u64,
    /// The lines.
    pub lines: Vec<Line>,
    /// Who may use which line.
    pub grants: Vec<(AccountId, LineId)>,
    /// The links.
    pub links: Vec<Link>,
    /// The prices.
    pub tariffs: Vec<TariffRow>,
    /// The packages, in the order of their ids.
    pub packages: Vec<Package>,
    /// Which reseller may hand out which package.
    pub offers: Vec<(AccountId, PackageId)>,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its id.
    pub id: AccountId,
    /// The user name.
    pub name: String,
    /// When it was opened.
    pub created_at: UnixMillis,
    /// Until when it may be used.
    pub expires_at: UnixMillis,
    /// What it may do.
    pub settings: AccountSettings,
    /// Its money.
    pub balance: Balance,
    /// The account that opened it; `None` where the installation did.
    pub parent: Option<AccountId>,
    /// Its package.
    pub package: Option<PackageId>,
}
