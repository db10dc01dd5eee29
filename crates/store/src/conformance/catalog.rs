//! Lines, links, grants and prices: what they are, and that a change is noticed.

use super::Harness;
use super::fixture::*;
use crate::{AdminError, Catalog, NewLine, TariffChange};
use domain::ids::{AccountId, LineId, LinkId};
use domain::line::{LineClass, LineSettings, Route};
use domain::line_number::LineNumber;
use domain::link::{LinkSettings, LinkState, LinkStatus};
use domain::money::Rials;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use std::sync::Arc;

async fn catalog(w: &World<'_>) -> Arc<Catalog> {
    w.catalog(None)
        .await
        .expect("catalog")
        .expect("a catalog for those who know none")
}

fn line(number: &str) -> NewLine {
    NewLine {
        number: LineNumber::parse(number).expect("a line"),
        display: number.into(),
        settings: LineSettings::default(),
    }
}

fn price(line: Option<LineId>, rials: Option<i64>) -> TariffChange {
    let price = rials.map(Rials);
    TariffChange {
        line,
        operator: Some(OPERATOR),
        alphabet: Alphabet::Ucs2,
        price,
    }
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(matches!(answer, Err(AdminError::Unknown(_))), "{answer:?}");
}

fn exists<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(matches!(answer, Err(AdminError::Exists(_))), "{answer:?}");
}

/// The catalog changed since `known`, and says so; gives the new version.
async fn changed(w: &World<'_>, known: u64, what: &str) -> u64 {
    let newer = w.catalog(Some(known)).await.expect("catalog");
    let newer = newer.unwrap_or_else(|| panic!("{what} went unnoticed"));
    assert!(
        newer.version > known,
        "{what}: version {} after {known}",
        newer.version
    );
    assert_eq!(
        w.catalog(Some(newer.version)).await.expect("catalog"),
        None,
        "{what}"
    );
    newer.version
}

pub(super) async fn each_change_gives_the_catalog_a_new_version(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let mut version = catalog(&w).await.version;
    assert_eq!(
        w.catalog(Some(version)).await.expect("catalog"),
        None,
        "nothing changed"
    );
    let added = w.create_line(line("3000200")).await.expect("create_line");
    version = changed(&w, version, "a new line").await;
    w.update_line(added, LineSettings::default())
        .await
        .expect("update_line");
    version = changed(&w, version, "a line's settings").await;
    w.grant_line(account, added, true)
        .await
        .expect("grant_line");
    version = changed(&w, version, "a grant").await;
    w.grant_line(account, added, false)
        .await
        .expect("grant_line");
    version = changed(&w, version, "a grant taken back").await;
    let link = w
        .create_link("rtl-1".into(), LinkSettings::default())
        .await
        .expect("create_link");
    version = changed(&w, version, "a new link").await;
    let settings = LinkSettings {
        window: 7,
        ..LinkSettings::default()
    };
    w.update_link(link, settings).await.expect("update_link");
    version = changed(&w, version, "a link's settings").await;
    w.set_tariff(price(None, Some(100)))
        .await
        .expect("set_tariff");
    version = changed(&w, version, "a price").await;
    w.set_tariff(price(None, None)).await.expect("set_tariff");
    version = changed(&w, version, "a price removed").await;
    exists(w.create_line(line("3000200")).await);
    unknown(w.update_line(LineId(999), LineSettings::default()).await);
    let after = w.catalog(Some(version)).await.expect("catalog");
    assert_eq!(after, None, "what was refused changed nothing");
    w.finish().await;
}

pub(super) async fn the_version_outlives_a_restart(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let before = catalog(&w).await;
    w.crash().await;
    assert_eq!(catalog(&w).await, before);
    assert_eq!(
        w.catalog(Some(before.version)).await.expect("catalog"),
        None
    );
    w.finish().await;
}

pub(super) async fn a_line_is_shown_as_it_was_written(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let settings = LineSettings {
        class: LineClass::Advertising,
        report_hours: 7,
        rate_per_second: Some(3),
        validity_seconds: Some(600),
        routes: vec![Route {
            operator: Some(OPERATOR),
            link: w.link,
            fallback: Some(w.other_link),
        }],
        ..LineSettings::default()
    };
    let new = NewLine {
        display: "Club".into(),
        settings: settings.clone(),
        ..line("club")
    };
    let id = w.create_line(new).await.expect("create_line");
    w.crash().await;
    let found = catalog(&w)
        .await
        .lines
        .iter()
        .find(|line| line.id == id)
        .cloned();
    let found = found.expect("the line is in the catalog");
    assert_eq!(
        (found.number.as_str(), found.display.as_str()),
        ("club", "Club")
    );
    assert_eq!(found.settings, settings);
    let settings = LineSettings {
        can_send: false,
        ..settings
    };
    w.update_line(id, settings.clone())
        .await
        .expect("update_line");
    let lines = &catalog(&w).await.lines;
    let of = |id| {
        lines
            .iter()
            .find(|line| line.id == id)
            .map(|line| line.settings.clone())
    };
    assert_eq!(
        (lines.len(), of(id), of(w.line)),
        (2, Some(settings), Some(LineSettings::default()))
    );
    unknown(w.update_line(LineId(999), LineSettings::default()).await);
    w.finish().await;
}

pub(super) async fn numbers_and_names_are_given_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    exists(w.create_line(line("3000100")).await);
    exists(
        w.create_line(NewLine {
            display: "+98 3000100".into(),
            ..line("3000100")
        })
        .await,
    );
    exists(w.create_link("mci-1".into(), LinkSettings::default()).await);
    let catalog = catalog(&w).await;
    assert_eq!((catalog.lines.len(), catalog.links.len()), (1, 2));
    w.finish().await;
}

pub(super) async fn a_link_is_shown_as_it_was_written(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let settings = LinkSettings {
        host: "smsc.example".into(),
        password: "s3cret".into(),
        rate_per_second: Some(100),
        ..LinkSettings::default()
    };
    w.update_link(w.other_link, settings.clone())
        .await
        .expect("update_link");
    w.crash().await;
    let catalog = catalog(&w).await;
    let of = |id: LinkId| {
        let link = catalog
            .links
            .iter()
            .find(|link| link.id == id)
            .expect("a link");
        (link.name.as_str(), link.settings.clone())
    };
    assert!(
        of(w.other_link) == ("mtn-1", settings),
        "the settings differ"
    );
    assert_eq!(of(w.link).1.host, "smsc");
    unknown(w.update_link(LinkId(999), LinkSettings::default()).await);
    w.finish().await;
}

pub(super) async fn a_grant_is_given_and_taken_back(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (first, second) = (w.account(0).await, w.account(0).await);
    let grants = async || {
        let mut grants = catalog(&w).await.grants.clone();
        grants.sort_unstable();
        grants
    };
    for account in [first, second, first] {
        w.grant_line(account, w.line, true)
            .await
            .expect("grant_line");
    }
    assert_eq!(
        grants().await,
        vec![(first, w.line), (second, w.line)],
        "twice is once"
    );
    w.grant_line(first, w.line, false)
        .await
        .expect("grant_line");
    assert_eq!(grants().await, vec![(second, w.line)]);
    unknown(w.grant_line(AccountId(999), w.line, true).await);
    unknown(w.grant_line(first, LineId(999), true).await);
    assert_eq!(grants().await, vec![(second, w.line)]);
    w.finish().await;
}

pub(super) async fn a_price_is_set_replaced_and_removed(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let general = TariffChange {
        operator: None,
        ..price(None, Some(50))
    };
    let latin = TariffChange {
        alphabet: Alphabet::Gsm7,
        ..price(Some(w.line), Some(80))
    };
    let changes = [
        price(Some(w.line), Some(90)),
        general,
        latin,
        price(None, Some(70)),
        general,
    ];
    for change in changes {
        w.set_tariff(change).await.expect("set_tariff");
    }
    w.set_tariff(price(Some(w.line), Some(95)))
        .await
        .expect("set_tariff");
    w.set_tariff(price(None, None)).await.expect("set_tariff");
    w.crash().await;
    let row = |change: TariffChange, rials| TariffRow {
        line: change.line,
        operator: change.operator,
        alphabet: change.alphabet,
        price: Rials(rials),
    };
    let mut found = catalog(&w).await.tariffs.clone();
    found.sort_unstable_by_key(|row| row.price);
    let line = price(Some(w.line), None);
    assert_eq!(found, vec![row(general, 50), row(latin, 80), row(line, 95)]);
    w.finish().await;
}

pub(super) async fn what_a_link_does_is_written_down(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    assert_eq!(w.link_statuses().await.expect("link_statuses"), vec![]);
    let up = LinkStatus {
        link: w.link,
        state: LinkState::Up,
        since: at(1),
        at: at(2),
        binds_up: 2,
        in_flight: 17,
        last_error: None,
        rate_learnt: Some(40),
        per_second: Some(35),
    };
    let down = LinkStatus {
        link: w.other_link,
        state: LinkState::Down,
        binds_up: 0,
        in_flight: 0,
        last_error: Some("connection refused".into()),
        rate_learnt: None,
        per_second: None,
        ..up.clone()
    };
    let later = LinkStatus {
        at: at(9),
        in_flight: 3,
        ..up.clone()
    };
    for status in [up, down.clone(), later.clone()] {
        w.save_link_status(status).await.expect("save_link_status");
    }
    w.crash().await;
    let mut found = w.link_statuses().await.expect("link_statuses");
    found.sort_by_key(|status| status.link);
    let mut expected = vec![later, down];
    expected.sort_by_key(|status| status.link);
    assert_eq!(found, expected);
    w.finish().await;
}
