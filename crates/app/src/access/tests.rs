use super::*;
use crate::fake_store::{account, line};
use domain::account::Ancestor;
use domain::package::{Package, PackageSettings};
use domain::tariff::TariffRow;
use std::sync::Arc;
use store::Catalog;

const OPERATOR: OperatorId = OperatorId(1);
const UCS2: Alphabet = Alphabet::Ucs2;
const GSM7: Alphabet = Alphabet::Gsm7;

fn row(line: Option<i64>, alphabet: Alphabet, price: i64) -> TariffRow {
    TariffRow {
        line: line.map(LineId),
        operator: None,
        alphabet,
        price: Rials(price),
    }
}

fn package(id: i64, settings: PackageSettings, tariffs: Vec<TariffRow>) -> Package {
    Package {
        id: PackageId(id),
        name: format!("package-{id}"),
        settings,
        tariffs,
    }
}

/// An account with these packages, its own first. Its id is 1, that of its parent 2, and so on.
fn below(packages: &[Option<i64>]) -> Account {
    let ids = packages.iter().map(|id| id.map(PackageId));
    let mut levels = ids.zip(1..).map(|(package, id)| Ancestor {
        id: AccountId(id),
        name: format!("account-{id}"),
        expires_at: UnixMillis(i64::MAX),
        restricted: false,
        operations: None,
        package,
    });
    Account {
        package: levels.next().and_then(|own| own.package),
        ancestors: levels.collect(),
        ..account("shop")
    }
}

fn view(packages: Vec<Package>, grants: &[(i64, i64)]) -> CatalogView {
    let grants = grants.iter().map(|(a, l)| (AccountId(*a), LineId(*l)));
    let catalog = Catalog {
        lines: vec![line(1, "3000505"), line(2, "50004")],
        grants: grants.collect(),
        tariffs: vec![row(None, UCS2, 100), row(Some(1), GSM7, 250)],
        packages,
        ..Catalog::default()
    };
    CatalogView::new(Arc::new(catalog)).unwrap()
}

fn prices(view: &CatalogView, packages: &[Option<i64>]) -> [Option<i64>; 3] {
    let account = below(packages);
    let access = Access::of(view, &account);
    [(1, UCS2), (1, GSM7), (2, GSM7)]
        .map(|(line, alphabet)| access.price(LineId(line), OPERATOR, alphabet))
        .map(|price| price.map(|rials| rials.0))
}

#[test]
fn the_topmost_package_goes_before_the_installations_prices() {
    let cheap = package(1, PackageSettings::default(), vec![row(None, UCS2, 60)]);
    let dear = package(2, PackageSettings::default(), vec![row(None, GSM7, 300)]);
    let view = view(vec![cheap, dear], &[]);
    assert_eq!(prices(&view, &[None]), [Some(100), Some(250), None]);
    assert_eq!(prices(&view, &[Some(1)]), [Some(60), Some(250), None]);
    assert_eq!(prices(&view, &[Some(2)]), [Some(100), Some(300), Some(300)]);
}

#[test]
fn nobody_below_pays_less_than_who_stands_above() {
    let cost = package(1, PackageSettings::default(), vec![row(None, UCS2, 80)]);
    let sold = [row(None, UCS2, 90), row(None, GSM7, 200)];
    let sold = package(2, PackageSettings::default(), sold.to_vec());
    let given_away = package(3, PackageSettings::default(), vec![row(None, UCS2, 1)]);
    let view = view(vec![cost, sold, given_away], &[]);
    // A price of its own, where the account above pays less; the one of the account above, where
    // that pays more; and none where the account above has none.
    assert_eq!(
        prices(&view, &[Some(2), Some(1)]),
        [Some(90), Some(250), None]
    );
    assert_eq!(prices(&view, &[Some(3), Some(1)])[0], Some(80));
    assert_eq!(prices(&view, &[Some(3), Some(2), Some(1)])[0], Some(90));
    assert_eq!(prices(&view, &[None, Some(2), Some(1)])[0], Some(90));
    assert_eq!(prices(&view, &[Some(3), None])[0], Some(100));
}

#[test]
fn a_package_that_is_gone_allows_nothing() {
    let view = view(vec![], &[]);
    for packages in [&[Some(9)][..], &[None, Some(9)]] {
        let account = below(packages);
        let access = Access::of(&view, &account);
        assert!(!access.may_call("send") && !access.may_use(LineId(1)));
        assert_eq!(access.recipients_max(&Limits::default()), 0);
        assert_eq!(access.sub_accounts_max(), 0);
        assert_eq!(prices(&view, packages), [None; 3]);
    }
}

#[test]
fn an_operation_must_be_in_every_package_on_the_way_up() {
    let with = |id, names: &[&str]| {
        let operations = Some(names.iter().map(|name| (*name).into()).collect());
        let settings = PackageSettings {
            operations,
            ..PackageSettings::default()
        };
        package(id, settings, vec![])
    };
    let all = package(3, PackageSettings::default(), vec![]);
    let view = view(
        vec![with(1, &["Send", "credit"]), with(2, &["send"]), all],
        &[],
    );
    let may = |packages: &[Option<i64>], operation| {
        Access::of(&view, &below(packages)).may_call(operation)
    };
    assert!(may(&[None], "credit") && may(&[Some(3)], "credit"));
    assert!(may(&[Some(1)], "send") && may(&[Some(1)], "credit"));
    assert!(!may(&[Some(1)], "delivery"));
    assert!(may(&[Some(1), Some(2)], "send") && !may(&[Some(1), Some(2)], "credit"));
    assert!(may(&[Some(3), Some(2)], "send") && !may(&[Some(3), Some(2)], "credit"));
    assert!(!may(&[None, None, Some(2)], "credit"));
}

#[test]
fn a_line_of_a_package_counts_where_the_account_above_may_use_it() {
    let with = |id, lines: &[i64]| {
        let lines = lines.iter().copied().map(LineId).collect();
        let settings = PackageSettings {
            lines,
            ..PackageSettings::default()
        };
        package(id, settings, vec![])
    };
    let packages = vec![with(1, &[1]), with(2, &[1, 2]), with(3, &[])];
    let may = |levels: &[Option<i64>], grants: &[(i64, i64)], line| {
        let view = view(packages.clone(), grants);
        Access::of(&view, &below(levels)).may_use(LineId(line))
    };
    assert!(!may(&[None], &[], 1));
    assert!(may(&[None], &[(1, 1)], 1));
    assert!(may(&[Some(1)], &[], 1) && !may(&[Some(1)], &[], 2));
    assert!(may(&[Some(2), Some(1)], &[], 1));
    assert!(
        !may(&[Some(2), Some(1)], &[], 2),
        "the parent has not got it"
    );
    assert!(
        may(&[Some(2), Some(1)], &[(2, 2)], 2),
        "granted to the parent"
    );
    assert!(
        may(&[Some(3), Some(3)], &[(1, 2)], 2),
        "granted by the installation"
    );
    assert!(!may(&[Some(3), Some(2)], &[], 2), "not handed down");
    assert!(
        !may(&[Some(2), None, Some(2)], &[], 2),
        "a level without it"
    );
}

#[test]
fn limits_are_the_lowest_on_the_way_up() {
    let with = |id, recipients, messages| {
        let settings = PackageSettings {
            recipients_max: recipients,
            messages_per_day_max: messages,
            sub_accounts_max: 5,
            ..PackageSettings::default()
        };
        package(id, settings, vec![])
    };
    let packages = vec![
        with(1, Some(10), None),
        with(2, None, Some(7)),
        with(3, Some(3), Some(9)),
    ];
    let view = view(packages, &[]);
    let limits = |levels: &[Option<i64>]| {
        let account = below(levels);
        let access = Access::of(&view, &account);
        let day = access
            .day_limit(UnixMillis(0))
            .map(|limit| limit.messages_max);
        (access.recipients_max(&Limits::default()), day)
    };
    let installation = Limits::default().recipients_max;
    assert_eq!(limits(&[None]), (installation, None));
    assert_eq!(limits(&[Some(1)]), (10, None));
    assert_eq!(limits(&[Some(1), Some(2)]), (10, Some(7)));
    assert_eq!(limits(&[Some(1), Some(2), Some(3)]), (3, Some(7)));
    assert_eq!(limits(&[None, Some(3)]), (3, Some(9)));
    let resells = |levels: &[Option<i64>]| Access::of(&view, &below(levels)).sub_accounts_max();
    assert_eq!((resells(&[None]), resells(&[Some(1)])), (0, 5));
    assert_eq!(resells(&[Some(1), None, None, None]), 5);
    assert_eq!(resells(&[Some(1), None, None, None, None]), 0, "too deep");
}
