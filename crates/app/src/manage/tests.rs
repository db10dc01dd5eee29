use super::*;
use crate::fake_store::FakeStore;
use crate::{CreateAccount, Limits, SetTariff};
use domain::account::AccountSettings;
use domain::ids::LinkId;
use domain::line::{LineSettings, Route};
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::operator::Operators;
use domain::schedule::format_tehran;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};
use std::sync::Arc;

fn app() -> App {
    let clock = Arc::new(ManualClock::at(UnixMillis(0)));
    let operators = Arc::new(Operators::embedded());
    App::new(
        Arc::new(FakeStore::default()),
        clock,
        operators,
        Limits::default(),
        [7; 32],
    )
}

fn new_account(name: &str) -> CreateAccount {
    CreateAccount {
        name: name.into(),
        ..CreateAccount::default()
    }
}

fn said<T>(result: Result<T, ManageError>) -> String {
    match result {
        Ok(_) => "done".into(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn an_account_is_opened_with_a_made_up_password_that_logs_in() {
    let app = app();
    let created = app.create_account(new_account(" Shop ")).await.unwrap();
    assert_eq!(created.name, "shop");
    let password = created.generated_password.unwrap();
    let home = "192.0.2.1".parse().unwrap();
    let account = app
        .authenticate("shop", &password, home, "send")
        .await
        .unwrap();
    assert_eq!(format_tehran(account.expires_at), "2099-12-31 23:59:59");
    assert_eq!(app.credit(&account).await.unwrap(), "0");
    app.top_up("shop", Rials(933_222), None).await.unwrap();
    assert_eq!(app.credit(&account).await.unwrap(), "933222");
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_a_sentence() {
    let app = app();
    assert_eq!(said(app.create_account(new_account("shop")).await), "done");
    assert_eq!(
        said(app.create_account(new_account("SHOP")).await),
        "account shop exists already"
    );
    assert!(said(app.create_account(new_account("a b")).await).starts_with("not a user name"));
    let settings = AccountSettings {
        allow_from: vec!["home".into()],
        ..AccountSettings::default()
    };
    let fenced = CreateAccount {
        settings,
        ..new_account("fenced")
    };
    assert!(said(app.create_account(fenced).await).starts_with("`home` is no network"));
    assert_eq!(
        said(app.account("ghost").await),
        "there is no account ghost"
    );
    assert_eq!(
        said(app.set_password("shop", Some("")).await),
        "the password is empty"
    );
    assert_eq!(
        said(app.top_up("shop", Rials(0), None).await),
        "the amount is zero"
    );
    let minus = app.top_up("shop", Rials(-1), None).await;
    assert_eq!(said(minus), "the amount does not fit the balance");
    assert!(said(app.add_line("12", LineSettings::default()).await).starts_with("not a line"));
    assert_eq!(
        said(app.grant_line("shop", "3000505", true).await),
        "there is no line +983000505"
    );
    assert_eq!(
        said(app.add_link("a", LinkSettings::default()).await),
        "host must not be empty"
    );
    let tariff = SetTariff {
        line: None,
        operator: None,
        alphabet: Alphabet::Ucs2,
        price: None,
    };
    let costly = SetTariff {
        price: Some(Rials(-1)),
        ..tariff
    };
    assert_eq!(
        said(app.set_tariff(costly).await),
        "a price is 0 to 1000000000 rials"
    );
    let nobody = SetTariff {
        operator: Some("vodafone"),
        ..tariff
    };
    assert_eq!(
        said(app.set_tariff(nobody).await),
        "there is no operator `vodafone`"
    );
}

#[tokio::test]
async fn routes_name_links_and_operators_that_exist_and_each_operator_once() {
    let app = app();
    let host = LinkSettings {
        host: "smsc".into(),
        ..LinkSettings::default()
    };
    let link = app.add_link("mci-1", host).await.unwrap();
    let with = |routes| LineSettings {
        routes,
        ..LineSettings::default()
    };
    let to = |id| Route {
        operator: None,
        link: LinkId(id),
        fallback: None,
    };
    let unknown = app.add_line("3000505", with(vec![to(9)])).await;
    assert_eq!(said(unknown), "there is no link 9, which a route names");
    let twice = app
        .add_line("3000505", with(vec![to(link.0), to(link.0)]))
        .await;
    assert_eq!(said(twice), "two routes are for the same operator");
    let own = Route {
        fallback: Some(link),
        ..to(link.0)
    };
    assert_eq!(
        said(app.add_line("3000505", with(vec![own])).await),
        "link 1 is its own fallback"
    );
    assert_eq!(
        said(app.add_line("3000505", with(vec![to(link.0)])).await),
        "done"
    );
}

#[tokio::test]
async fn a_change_shows_at_once_and_a_line_as_it_was_registered() {
    let app = app();
    app.create_account(new_account("shop")).await.unwrap();
    let account = app.account("shop").await.unwrap();
    assert!(app.lines(&account).await.unwrap().is_empty());
    let mute = LineSettings {
        can_receive: false,
        ..LineSettings::default()
    };
    for number in ["+98 3000-505", "+98MyShop", "simCard"] {
        app.add_line(number, mute.clone()).await.unwrap();
        app.grant_line("Shop", number, true).await.unwrap();
    }
    let lines = app.lines(&account).await.unwrap();
    let numbers: Vec<_> = lines.iter().map(|line| line.number.as_str()).collect();
    assert_eq!(numbers, ["+983000505", "MyShop", "simCard"]);
    assert!(lines.iter().all(|line| line.send && !line.gets));
    app.grant_line("shop", "myshop", false).await.unwrap();
    assert_eq!(app.lines(&account).await.unwrap().len(), 2);
}
