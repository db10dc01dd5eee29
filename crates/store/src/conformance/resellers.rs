//! The tree of accounts: packages, sub-accounts, credit that moves between them, and what a day may
//! have.

use super::Harness;
use super::audit::{all_accounts, all_entries};
use super::fixture::*;
use crate::{
    AcceptBulk, AcceptError, AccountChange, AdminError, Catalog, DayLimit, LedgerEnd, LedgerSums,
    NewPackage, OpenAccount, TariffChange, Transfer, Transferred,
};
use domain::account::{ANCESTORS_MAX, Account, AccountSettings, Ancestor};
use domain::ids::{AccountId, BulkNo, LineId, PackageId};
use domain::ledger::{Balance, Entry, EntryKind};
use domain::money::Rials;
use domain::package::{Package, PackageSettings};
use domain::person::Person;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// More sub-accounts than any case opens but the one about that.
const SIBLINGS_MAX: u32 = 100;

fn settings() -> PackageSettings {
    PackageSettings {
        title: "بسته پایه".into(),
        operations: Some(vec!["send".into(), "newuser".into()]),
        lines: vec![LineId(1)],
        recipients_max: Some(10),
        messages_per_day_max: Some(1_000),
        sub_accounts_max: 7,
    }
}

fn new_package(name: &str) -> NewPackage {
    NewPackage {
        name: name.into(),
        settings: settings(),
    }
}

async fn package(w: &World<'_>, name: &str) -> PackageId {
    let made = w.create_package(new_package(name)).await;
    made.expect("create_package")
}

async fn catalog(w: &World<'_>) -> Arc<Catalog> {
    let catalog = w.catalog(None).await.expect("catalog");
    catalog.expect("a catalog for those who know none")
}

fn price(rials: Option<i64>) -> TariffChange {
    TariffChange {
        line: None,
        operator: Some(OPERATOR),
        alphabet: Alphabet::Ucs2,
        price: rials.map(Rials),
    }
}

fn opening(w: &World<'_>, parent: Option<AccountId>) -> OpenAccount {
    OpenAccount {
        account: w.new_account(),
        parent,
        siblings_max: SIBLINGS_MAX,
        package: None,
        person: None,
    }
}

async fn open(w: &World<'_>, parent: AccountId) -> AccountId {
    let opened = w.open_account(opening(w, Some(parent))).await;
    opened.expect("open_account")
}

async fn read(w: &World<'_>, name: &str) -> Account {
    let found = w.account_by_name(name).await.expect("account_by_name");
    found.expect("an account")
}

fn transfer(from: AccountId, to: AccountId, rials: i64) -> Transfer {
    Transfer {
        from,
        to,
        amount: Rials(rials),
        note_from: Some("به مشتری".into()),
        note_to: None,
        at: at(9),
    }
}

fn credit(rials: i64) -> Balance {
    Balance {
        credit: Rials(rials),
        reserved: Rials::ZERO,
    }
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(matches!(answer, Err(AdminError::Unknown(_))), "{answer:?}");
}

fn refused<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(matches!(answer, Err(AdminError::Refused(_))), "{answer:?}");
}

fn out_of_range<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(
        matches!(answer, Err(AdminError::AmountOutOfRange)),
        "{answer:?}"
    );
}

pub(super) async fn a_package_is_shown_as_it_was_written(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let id = package(&w, "basic").await;
    let again = w.create_package(new_package("basic")).await;
    assert!(matches!(again, Err(AdminError::Exists(_))), "{again:?}");
    for rials in [Some(90), Some(100), None, Some(120)] {
        let set = w.set_package_tariff(id, price(rials)).await;
        set.expect("set_package_tariff");
    }
    out_of_range(w.set_package_tariff(id, price(Some(-1))).await);
    let elsewhere = TariffChange {
        line: Some(LineId(999)),
        ..price(Some(1))
    };
    unknown(w.set_package_tariff(id, elsewhere).await);
    unknown(w.set_package_tariff(PackageId(999), price(None)).await);
    let tariff = TariffRow {
        line: None,
        operator: Some(OPERATOR),
        alphabet: Alphabet::Ucs2,
        price: Rials(120),
    };
    let mut expected = Package {
        id,
        name: "basic".into(),
        settings: settings(),
        tariffs: vec![tariff],
    };
    assert_eq!(catalog(&w).await.packages, [expected.clone()]);
    expected.settings = PackageSettings::default();
    let changed = w.update_package(id, PackageSettings::default()).await;
    changed.expect("update_package");
    unknown(w.update_package(PackageId(999), settings()).await);
    w.crash().await;
    assert_eq!(catalog(&w).await.packages, [expected]);
    assert_eq!(
        catalog(&w).await.tariffs,
        [],
        "the installation has no price"
    );
    w.finish().await;
}

pub(super) async fn a_package_changes_the_version_of_the_catalog(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let mut version = catalog(&w).await.version;
    let mut changed = async |what: &str| {
        let newer = catalog(&w).await.version;
        assert!(newer > version, "{what} went unnoticed");
        version = newer;
    };
    let id = package(&w, "basic").await;
    changed("a new package").await;
    w.update_package(id, settings()).await.expect("update");
    changed("a package's settings").await;
    let set = w.set_package_tariff(id, price(Some(1))).await;
    set.expect("set_package_tariff");
    changed("a package's price").await;
    for offered in [true, false] {
        let offer = w.offer_package(account, id, offered).await;
        offer.expect("offer_package");
        changed("an offer").await;
    }
    w.remove_package(id).await.expect("remove_package");
    changed("a package that is gone").await;
    w.finish().await;
}

pub(super) async fn a_package_that_accounts_have_stays(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let id = package(&w, "basic").await;
    let account = w.account(0).await;
    w.set_package(account, Some(id)).await.expect("set_package");
    refused(w.remove_package(id).await);
    assert_eq!(catalog(&w).await.packages.len(), 1);
    w.set_package(account, None).await.expect("set_package");
    w.remove_package(id).await.expect("remove_package");
    assert_eq!(catalog(&w).await.packages, []);
    unknown(w.remove_package(id).await);
    unknown(w.set_package(account, Some(id)).await);
    w.finish().await;
}

pub(super) async fn an_id_of_a_package_is_never_used_again(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let first = package(&w, "basic").await;
    w.set_package_tariff(first, price(Some(5)))
        .await
        .expect("set_package_tariff");
    w.remove_package(first).await.expect("remove_package");
    w.crash().await;
    let second = package(&w, "basic").await;
    assert!(second > first, "{second} after {first}");
    assert_eq!(catalog(&w).await.packages[0].tariffs, []);
    w.finish().await;
}

pub(super) async fn a_package_is_offered_and_no_longer(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (basic, pro) = (package(&w, "basic").await, package(&w, "pro").await);
    let (one, other) = (w.account(0).await, w.account(0).await);
    for (account, package) in [(one, basic), (one, basic), (one, pro), (other, pro)] {
        let offer = w.offer_package(account, package, true).await;
        offer.expect("offer_package");
    }
    let offers = async || {
        let mut offers = catalog(&w).await.offers.clone();
        offers.sort_unstable();
        offers
    };
    assert_eq!(offers().await, [(one, basic), (one, pro), (other, pro)]);
    w.offer_package(one, pro, false).await.expect("taken back");
    assert_eq!(offers().await, [(one, basic), (other, pro)]);
    unknown(w.offer_package(AccountId(999), pro, true).await);
    unknown(w.offer_package(one, PackageId(999), true).await);
    w.remove_package(pro).await.expect("remove_package");
    assert_eq!(offers().await, [(one, basic)]);
    w.finish().await;
}

pub(super) async fn an_account_knows_those_above_it(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let id = package(&w, "gold").await;
    let new = OpenAccount {
        package: Some(id),
        ..opening(&w, None)
    };
    let root = w.open_account(new.clone()).await.expect("open_account");
    let middle = w.open_account(opening(&w, Some(root))).await.expect("open");
    let leaf = opening(&w, Some(middle));
    w.open_account(leaf.clone()).await.expect("open_account");
    let rules = AccountSettings {
        restricted: true,
        operations: Some(vec!["send".into()]),
        ..AccountSettings::default()
    };
    let change = AccountChange {
        expires_at: Some(at(5)),
        settings: Some(rules),
        password_hash: None,
    };
    w.update_account(root, change)
        .await
        .expect("update_account");
    let account = read(&w, &leaf.account.name).await;
    let above = |id: AccountId| account.ancestors.iter().position(|one| one.id == id);
    assert_eq!((above(middle), above(root)), (Some(0), Some(1)));
    let expected = Ancestor {
        id: root,
        name: new.account.name.clone(),
        expires_at: at(5),
        restricted: true,
        operations: Some(vec!["send".into()]),
        package: Some(id),
    };
    assert_eq!(account.ancestors[1], expected);
    assert_eq!(account.ancestors.len(), 2);
    assert_eq!(account.package, None);
    let account = read(&w, &new.account.name).await;
    assert_eq!((account.package, account.ancestors), (Some(id), vec![]));
    w.finish().await;
}

pub(super) async fn an_account_opened_in_the_tree_survives_a_crash(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let id = package(&w, "basic").await;
    let root = w.account(0).await;
    let person = Person {
        name: "مینا رضایی".into(),
        national_id: "0499370899".into(),
        ..Person::default()
    };
    let new = OpenAccount {
        package: Some(id),
        person: Some(person.clone()),
        ..opening(&w, Some(root))
    };
    let opened = w.open_account(new.clone()).await.expect("open_account");
    w.crash().await;
    let account = read(&w, &new.account.name).await;
    assert_eq!((account.id, account.package), (opened, Some(id)));
    assert_eq!(account.parent().map(|parent| parent.id), Some(root));
    assert!(account.password_hash == new.account.password_hash);
    let kept = w.person(opened).await.expect("person");
    assert!(kept == Some(person), "the person is kept as given");
    assert!(w.person(root).await.expect("person").is_none());
    let listed = all_accounts(w.store()).await;
    assert_eq!(
        (listed[1].parent, listed[1].package),
        (Some(root), Some(id))
    );
    w.finish().await;
}

pub(super) async fn a_refused_opening_leaves_nothing_behind(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let root = w.account(0).await;
    let taken = all_accounts(w.store()).await[0].name.clone();
    let mut again = opening(&w, Some(root));
    again.account.name = taken;
    again.person = Some(Person::default());
    let exists = w.open_account(again).await;
    assert!(matches!(exists, Err(AdminError::Exists(_))), "{exists:?}");
    unknown(w.open_account(opening(&w, Some(AccountId(999)))).await);
    let without = OpenAccount {
        package: Some(PackageId(999)),
        ..opening(&w, Some(root))
    };
    unknown(w.open_account(without).await);
    assert_eq!(all_accounts(w.store()).await.len(), 1);
    assert!(w.person(root).await.expect("person").is_none());
    w.finish().await;
}

pub(super) async fn a_reseller_opens_no_more_accounts_than_it_may(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (root, other) = (w.account(0).await, w.account(0).await);
    open(&w, other).await;
    let mut tasks = JoinSet::new();
    for _ in 0..12 {
        let new = OpenAccount {
            siblings_max: 5,
            ..opening(&w, Some(root))
        };
        let store = w.shared();
        tasks.spawn(async move { store.open_account(new).await.is_ok() });
    }
    let mut opened = 0;
    while let Some(done) = tasks.join_next().await {
        opened += u32::from(done.expect("a task panicked"));
    }
    assert_eq!(opened, 5, "also when all ask at the same time");
    refused(
        w.open_account(OpenAccount {
            siblings_max: 0,
            ..opening(&w, Some(other))
        })
        .await,
    );
    w.finish().await;
}

pub(super) async fn the_tree_is_no_deeper_than_it_may(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let mut deepest = w.account(0).await;
    for _ in 0..ANCESTORS_MAX {
        deepest = open(&w, deepest).await;
    }
    refused(w.open_account(opening(&w, Some(deepest))).await);
    let last = all_accounts(w.store()).await.pop().expect("accounts");
    let account = read(&w, &last.name).await;
    assert_eq!(account.ancestors.len(), ANCESTORS_MAX);
    assert!(!account.may_have_children());
    w.finish().await;
}

pub(super) async fn an_account_is_given_another_package(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (basic, pro) = (package(&w, "basic").await, package(&w, "pro").await);
    let account = w.account(0).await;
    let name = all_accounts(w.store()).await[0].name.clone();
    for given in [Some(basic), Some(pro), None] {
        w.set_package(account, given).await.expect("set_package");
        assert_eq!(read(&w, &name).await.package, given);
    }
    unknown(w.set_package(AccountId(999), Some(basic)).await);
    unknown(w.set_package(account, Some(PackageId(999))).await);
    w.finish().await;
}

pub(super) async fn sub_accounts_are_listed_in_pages_and_without_grandchildren(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let (root, other) = (w.account(0).await, w.account(0).await);
    let mut children = Vec::new();
    for _ in 0..5 {
        children.push(open(&w, root).await);
        open(&w, other).await;
    }
    open(&w, children[0]).await;
    let page = async |after, limit| -> Vec<AccountId> {
        let page = w.sub_accounts(root, after, limit).await;
        let page = page.expect("sub_accounts");
        assert!(page.iter().all(|one| one.parent == Some(root)));
        page.iter().map(|one| one.id).collect()
    };
    assert_eq!(page(None, 100).await, children);
    assert_eq!(page(None, 2).await, children[..2]);
    assert_eq!(page(Some(children[1]), 2).await, children[2..4]);
    assert_eq!(page(Some(children[4]), 2).await, []);
    w.finish().await;
}

pub(super) async fn a_transfer_moves_credit_both_ways(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let root = w.account(1_000).await;
    let child = open(&w, root).await;
    let gave = w.transfer(transfer(root, child, 700)).await;
    let expected = Transferred {
        from: credit(300),
        to: credit(700),
    };
    assert_eq!(gave.expect("transfer"), expected);
    let took = w.transfer(transfer(child, root, 200)).await;
    let expected = Transferred {
        from: credit(500),
        to: credit(500),
    };
    assert_eq!(took.expect("transfer"), expected);
    w.crash().await;
    let entry = |no, rials, note: Option<&str>| Entry {
        no,
        kind: EntryKind::Transfer,
        amount: Rials(rials),
        bulk: None,
        at: at(9),
        note: note.map(Into::into),
    };
    let note = Some("به مشتری");
    let of_root = all_entries(w.store(), root).await;
    assert_eq!(of_root[1..], [entry(2, -700, note), entry(3, 200, None)]);
    let of_child = all_entries(w.store(), child).await;
    assert_eq!(of_child, [entry(1, 700, None), entry(2, -200, note)]);
    w.send(child, 5).await;
    assert_eq!(w.money(child).await, (0, 500), "it can be spent");
    w.finish().await;
}

pub(super) async fn credit_moves_only_between_parent_and_child(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let root = w.account(1_000).await;
    let (child, sibling) = (open(&w, root).await, open(&w, root).await);
    let grandchild = open(&w, child).await;
    let stranger = w.account(1_000).await;
    for (from, to) in [
        (root, grandchild),
        (root, stranger),
        (stranger, child),
        (child, sibling),
        (root, root),
    ] {
        refused(w.transfer(transfer(from, to, 10)).await);
    }
    unknown(w.transfer(transfer(root, AccountId(999), 10)).await);
    unknown(w.transfer(transfer(AccountId(999), child, 10)).await);
    assert_eq!(w.money(root).await, (1_000, 0));
    w.finish().await;
}

pub(super) async fn no_transfer_takes_credit_below_zero(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let root = w.account(1_000).await;
    let child = open(&w, root).await;
    w.send(root, 4).await;
    for rials in [601, i64::MAX, 0, -1, i64::MIN] {
        out_of_range(w.transfer(transfer(root, child, rials)).await);
    }
    out_of_range(w.transfer(transfer(child, root, 1)).await);
    assert_eq!(w.money(root).await, (600, 400));
    assert_eq!(all_entries(w.store(), child).await, []);
    w.transfer(transfer(root, child, 600)).await.expect("all");
    assert_eq!(w.money(root).await, (0, 400));
    let rich = w.account(i64::MAX - 10).await;
    let full = open(&w, rich).await;
    w.transfer(transfer(rich, full, i64::MAX - 10))
        .await
        .expect("all of it");
    w.finish().await;
}

pub(super) async fn transfers_at_the_same_time_end_with_exact_money(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let root = w.account(10_000).await;
    let children = [open(&w, root).await, open(&w, root).await];
    let mut tasks = JoinSet::new();
    for n in 0..60 {
        let (store, child) = (w.shared(), children[n % 2]);
        let (from, to) = match n % 3 {
            0 => (child, root),
            _ => (root, child),
        };
        let bulk = w.bulk_of(child, recipients(1));
        tasks.spawn(async move {
            // Some are refused, as the order has it; the audit counts what was done.
            let _ = store.transfer(transfer(from, to, 333)).await;
            let _ = store.accept_bulk(bulk).await;
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task panicked");
    }
    let mut all = w.money(root).await;
    for child in children {
        let (credit, reserved) = w.money(child).await;
        all = (all.0 + credit, all.1 + reserved);
    }
    assert_eq!(all.0 + all.1, 10_000);
    w.finish().await;
}

pub(super) async fn the_ledger_is_added_up_in_slices(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let root = w.account(1_000).await;
    let child = open(&w, root).await;
    w.transfer(transfer(root, child, 700)).await.expect("given");
    w.send(child, 2).await;
    let (_, reserved) = w.money(child).await;
    w.transfer(transfer(child, root, 100)).await.expect("back");
    let sums = async |after, max| {
        let sums = w.ledger_sums(child, at(0), after, max).await;
        sums.expect("ledger_sums")
    };
    let whole = LedgerSums {
        last: Some(3),
        transferred: Rials(600),
        reserved: Rials(reserved),
        ..LedgerSums::default()
    };
    assert_eq!(sums(0, 100).await, whole);
    let first = LedgerSums {
        last: Some(2),
        transferred: Rials(700),
        reserved: Rials(reserved),
        ..LedgerSums::default()
    };
    assert_eq!(sums(0, 2).await, first);
    let rest = LedgerSums {
        last: Some(3),
        transferred: Rials(-100),
        ..LedgerSums::default()
    };
    assert_eq!(sums(2, 2).await, rest);
    assert_eq!(sums(3, 2).await, LedgerSums::default());
    let later = w.ledger_sums(child, at(10), 0, 100).await;
    let none = LedgerSums {
        last: Some(3),
        ..LedgerSums::default()
    };
    assert_eq!(later.expect("ledger_sums"), none, "all is from before");
    let of_root = w.ledger_sums(root, at(0), 0, 100).await;
    let expected = LedgerSums {
        last: Some(3),
        topped_up: Rials(1_000),
        transferred: Rials(-600),
        ..LedgerSums::default()
    };
    assert_eq!(of_root.expect("ledger_sums"), expected);
    let end = w.ledger_end(child).await.expect("ledger_end");
    let credit = Rials(600 - reserved);
    let reserved = Rials(reserved);
    assert_eq!((end.balance, end.last), (Balance { credit, reserved }, 3));
    let nobody = w.ledger_end(AccountId(999_999)).await;
    assert_eq!(nobody.expect("ledger_end"), LedgerEnd::default());
    w.finish().await;
}

fn limited(w: &World<'_>, account: AccountId, count: u32, day: i64) -> AcceptBulk {
    AcceptBulk {
        day_limit: Some(DayLimit {
            day,
            messages_max: 10,
        }),
        ..w.bulk_of(account, recipients(count))
    }
}

fn over<T: std::fmt::Debug>(answer: Result<T, AcceptError>) {
    assert!(matches!(answer, Err(AcceptError::DayLimit)), "{answer:?}");
}

pub(super) async fn a_day_has_no_more_messages_than_it_may(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (account, other) = (w.account(100_000).await, w.account(100_000).await);
    over(w.accept_bulk(limited(&w, account, 11, 1)).await);
    assert_eq!(w.money(account).await, (100_000, 0), "nothing was taken");
    w.accept(limited(&w, account, 6, 1)).await;
    w.crash().await;
    over(w.accept_bulk(limited(&w, account, 5, 1)).await);
    let mut rest = limited(&w, account, 4, 1);
    rest.recipients.extend([invalid("12"), discarded(90)]);
    w.accept(rest).await;
    over(w.accept_bulk(limited(&w, account, 1, 1)).await);
    let mut nobody = limited(&w, account, 0, 1);
    nobody.recipients.push(invalid("12"));
    w.accept(nobody).await;
    w.accept(limited(&w, other, 10, 1)).await;
    w.send(account, 20).await;
    w.accept(limited(&w, account, 10, 2)).await;
    over(w.accept_bulk(limited(&w, account, 1, 2)).await);
    w.finish().await;
}

pub(super) async fn a_built_bulk_counts_for_the_day_when_it_is_sealed(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(100_000).await;
    let build = async |count| -> BulkNo {
        let part = AcceptBulk {
            whole: false,
            ..limited(&w, account, count, 1)
        };
        let bulk = w.accept(part).await;
        w.add(account, bulk, recipients(3)).await.expect("added");
        bulk
    };
    let limit = limited(&w, account, 0, 1).day_limit;
    let (first, second) = (build(4).await, build(4).await);
    w.seal_bulk(account, first, limit).await.expect("sealed");
    over(w.seal_bulk(account, second, limit).await);
    assert!(w.bulk(account, second).await.expect("bulk").is_none());
    w.accept(limited(&w, account, 3, 1)).await;
    over(w.accept_bulk(limited(&w, account, 1, 1)).await);
    w.seal_bulk(account, second, None).await.expect("no limit");
    w.finish().await;
}
