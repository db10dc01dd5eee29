//! What the port's own suite cannot ask: one file under several stores, group commit, a full disk.

mod approvals;
mod counted;
mod damage;
mod files;
mod groups;
mod sizes;

use domain::account::AccountSettings;
use domain::ids::{AccountId, LineId, OperatorId};
use domain::line::Terms;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::{Address, NewRecipient};
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use std::path::Path;
use std::sync::Arc;
use store::{AcceptBulk, NewAccount, Store, TopUp};
use store_sqlite::{Options, SqliteStore};

const NOW: UnixMillis = UnixMillis(1_750_000_000_000);
const OPERATOR: OperatorId = OperatorId(1);
const LINE: LineId = LineId(1);

fn open(path: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, Options::default()).expect("the store opens"))
}

async fn account(store: &SqliteStore, name: &str, credit: i64) -> AccountId {
    let new = NewAccount {
        name: name.into(),
        password_hash: String::new(),
        created_at: NOW,
        expires_at: UnixMillis(i64::MAX),
        settings: AccountSettings::default(),
    };
    let account = store.create_account(new).await.unwrap();
    let amount = Rials(credit);
    let top_up = TopUp {
        account,
        amount,
        note: None,
        at: NOW,
    };
    store.top_up(top_up).await.unwrap();
    account
}

fn recipients(count: u64, unit_price: i64) -> Vec<NewRecipient> {
    let recipient = |index| NewRecipient {
        address: Address::Mobile(Msisdn::from_national(9_120_000_000 + index).unwrap()),
        operator: OPERATOR,
        parts: 1,
        unit_price: Rials(unit_price),
        text: None,
        ends_as: None,
    };
    (0..count).map(recipient).collect()
}

fn bulk(account: AccountId, recipients: Vec<NewRecipient>) -> AcceptBulk {
    AcceptBulk {
        account,
        line: LINE,
        terms: Terms::default(),
        report_seconds: 3_600,
        reference_bits: ReferenceBits::Eight,
        text: "salam".into(),
        accepted_at: NOW,
        due_at: NOW,
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
