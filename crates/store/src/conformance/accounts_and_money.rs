//! Accounts, top-ups and the ledger.

use super::Harness;
use super::audit::all_accounts;
use super::fixture::*;
use crate::{AccountChange, AccountSummary, AdminError, NewAccount, TopUp};
use domain::account::{Account, AccountSettings, LowCredit};
use domain::ids::AccountId;
use domain::ledger::{Balance, Entry, EntryKind};
use domain::money::Rials;

fn settings() -> AccountSettings {
    AccountSettings {
        title: "فروشگاه".into(),
        restricted: true,
        allow_from: vec!["192.0.2.0/24".into(), "2001:db8::1".into()],
        operations: Some(vec!["send".into()]),
        inbound_url: Some("https://shop.example/in".into()),
        texts_trusted: true,
        low_credit: Some(LowCredit {
            below: Rials(5_000),
            mobile: Some("09121234567".into()),
        }),
    }
}

fn top_up(account: AccountId, rials: i64) -> TopUp {
    TopUp {
        account,
        amount: Rials(rials),
        note: None,
        at: T0,
    }
}

fn out_of_range<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(
        matches!(answer, Err(AdminError::AmountOutOfRange)),
        "{answer:?}"
    );
}

pub(super) async fn an_account_is_found_by_its_name_as_it_was_opened(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let new = NewAccount {
        name: "shop.1".into(),
        settings: settings(),
        ..w.new_account()
    };
    let id = w.create_account(new.clone()).await.expect("create_account");
    let expected = Account {
        id,
        name: "shop.1".into(),
        password_hash: new.password_hash,
        created_at: new.created_at,
        expires_at: new.expires_at,
        settings: settings(),
        package: None,
        ancestors: vec![],
    };
    for _ in 0..2 {
        let found = w.account_by_name("shop.1").await.expect("account_by_name");
        assert!(
            found.as_ref() == Some(&expected),
            "the account is not as it was opened"
        );
        assert_eq!(
            w.account_by_name("shop.2").await.expect("account_by_name"),
            None
        );
        assert_eq!(w.money(id).await, (0, 0));
        w.crash().await;
    }
    w.finish().await;
}

pub(super) async fn an_account_name_is_given_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let new = w.new_account();
    let id = w.create_account(new.clone()).await.expect("create_account");
    let again = w
        .create_account(NewAccount {
            password_hash: "x".into(),
            ..new.clone()
        })
        .await;
    assert!(matches!(again, Err(AdminError::Exists(_))), "{again:?}");
    let found = w
        .account_by_name(&new.name)
        .await
        .expect("account_by_name")
        .expect("an account");
    assert!(
        found.id == id && found.password_hash == new.password_hash,
        "it was not touched"
    );
    assert_eq!(all_accounts(w.store()).await.len(), 1);
    w.finish().await;
}

pub(super) async fn a_change_of_an_account_leaves_the_rest(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let new = w.new_account();
    let id = w.create_account(new.clone()).await.expect("create_account");
    let mut expected = w
        .account_by_name(&new.name)
        .await
        .expect("found")
        .expect("an account");
    let none = AccountChange::default();
    let password = AccountChange {
        password_hash: Some("$new$".into()),
        ..none.clone()
    };
    let end = AccountChange {
        expires_at: Some(at(5)),
        ..none.clone()
    };
    let rules = AccountChange {
        settings: Some(settings()),
        ..none.clone()
    };
    for (n, change) in [none, password, end, rules].into_iter().enumerate() {
        w.update_account(id, change).await.expect("update_account");
        match n {
            1 => expected.password_hash = "$new$".into(),
            2 => expected.expires_at = at(5),
            3 => expected.settings = settings(),
            _ => {}
        }
        let found = w
            .account_by_name(&new.name)
            .await
            .expect("found")
            .expect("an account");
        assert!(found == expected, "change {n} changed something else");
    }
    w.crash().await;
    let found = w
        .account_by_name(&new.name)
        .await
        .expect("found")
        .expect("an account");
    assert!(found == expected, "the changes are on disk");
    let unknown = w
        .update_account(AccountId(999), AccountChange::default())
        .await;
    assert!(
        matches!(unknown, Err(AdminError::Unknown(_))),
        "{unknown:?}"
    );
    w.finish().await;
}

pub(super) async fn accounts_are_listed_in_the_order_of_their_ids(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut expected = Vec::new();
    for n in 1..=7_i64 {
        let new = NewAccount {
            settings: settings(),
            ..w.new_account()
        };
        let id = w.create_account(new.clone()).await.expect("create_account");
        w.top_up(top_up(id, n * 1_000)).await.expect("top_up");
        w.send(id, n as u32).await;
        expected.push(AccountSummary {
            id,
            name: new.name,
            created_at: new.created_at,
            expires_at: new.expires_at,
            settings: new.settings,
            balance: Balance {
                credit: Rials(n * 900),
                reserved: Rials(n * 100),
            },
            parent: None,
            package: None,
        });
    }
    expected.sort_by_key(|account| account.id);
    assert_eq!(w.accounts(None, 100).await.expect("accounts"), expected);
    assert_eq!(w.accounts(None, 3).await.expect("accounts"), expected[..3]);
    assert_eq!(
        w.accounts(Some(expected[2].id), 3).await.expect("accounts"),
        expected[3..6]
    );
    assert_eq!(
        w.accounts(Some(expected[6].id), 3).await.expect("accounts"),
        vec![]
    );
    w.finish().await;
}

pub(super) async fn a_top_up_is_an_entry_with_its_note(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let note = Some("فیش ۱۲۳".to_owned());
    let paid = TopUp {
        note: note.clone(),
        at: at(7),
        ..top_up(account, 5_000)
    };
    let balance = Balance {
        credit: Rials(5_000),
        reserved: Rials::ZERO,
    };
    assert_eq!(w.top_up(paid).await.expect("top_up"), balance);
    let kind = EntryKind::TopUp;
    let entry = Entry {
        no: 1,
        kind,
        amount: Rials(5_000),
        bulk: None,
        at: at(7),
        note,
    };
    assert_eq!(
        w.ledger(account, None, 10).await.expect("ledger"),
        vec![entry]
    );
    assert_eq!(w.balance(account).await.expect("balance"), balance);
    w.finish().await;
}

pub(super) async fn a_correction_may_take_the_credit_to_zero_and_not_below(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000).await;
    w.send(account, 4).await;
    out_of_range(w.top_up(top_up(account, -601)).await);
    assert_eq!(
        w.money(account).await,
        (600, 400),
        "what is reserved cannot be taken back"
    );
    let balance = w.top_up(top_up(account, -600)).await.expect("top_up");
    assert_eq!(
        balance,
        Balance {
            credit: Rials(0),
            reserved: Rials(400)
        }
    );
    out_of_range(w.top_up(top_up(account, -1)).await);
    out_of_range(w.top_up(top_up(account, i64::MIN)).await);
    assert_eq!(w.ledger(account, None, 10).await.expect("ledger").len(), 3);
    w.finish().await;
}

pub(super) async fn credit_does_not_leave_its_range(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1).await;
    out_of_range(w.top_up(top_up(account, i64::MAX)).await);
    assert_eq!(w.money(account).await, (1, 0));
    w.finish().await;
}

pub(super) async fn nobody_cannot_be_topped_up(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let answer = w.top_up(top_up(AccountId(999), 10)).await;
    assert!(matches!(answer, Err(AdminError::Unknown(_))), "{answer:?}");
    assert_eq!(
        w.ledger(AccountId(999), None, 10).await.expect("ledger"),
        vec![]
    );
    w.finish().await;
}

pub(super) async fn the_ledger_is_read_in_pages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (account, other) = (w.account(0).await, w.account(50).await);
    for n in 1..=25 {
        w.top_up(TopUp {
            at: at(n),
            ..top_up(account, n * 100)
        })
        .await
        .expect("top_up");
    }
    let entry = |n: i64| Entry {
        no: n,
        kind: EntryKind::TopUp,
        amount: Rials(n * 100),
        bulk: None,
        at: at(n),
        note: None,
    };
    let page = |from: i64, to: i64| (from..=to).map(entry).collect::<Vec<_>>();
    assert_eq!(
        w.ledger(account, None, 10).await.expect("ledger"),
        page(1, 10)
    );
    assert_eq!(
        w.ledger(account, Some(10), 10).await.expect("ledger"),
        page(11, 20)
    );
    assert_eq!(
        w.ledger(account, Some(20), 10).await.expect("ledger"),
        page(21, 25)
    );
    assert_eq!(
        w.ledger(account, Some(25), 10).await.expect("ledger"),
        vec![]
    );
    assert_eq!(w.ledger(other, None, 10).await.expect("ledger").len(), 1);
    w.finish().await;
}

pub(super) async fn entries_are_numbered_by_each_account_without_gaps(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (first, second) = (w.account(1_000).await, w.account(1_000).await);
    for account in [first, second, first] {
        assert_no_credit(w.accept_bulk(w.bulk_of(account, recipients(900))).await);
        w.send(account, 1).await;
        out_of_range(w.top_up(top_up(account, -100_000)).await);
    }
    let numbers = async |account| {
        let entries = w.ledger(account, None, 100).await.expect("ledger");
        entries.iter().map(|entry| entry.no).collect::<Vec<_>>()
    };
    assert_eq!(
        (numbers(first).await, numbers(second).await),
        (vec![1, 2, 3], vec![1, 2])
    );
    w.finish().await;
}
