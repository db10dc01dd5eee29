//! What the demo's store begins with: an operator's link, two lines, prices, one customer and what it finds.

use crate::demo::folder::Credentials;
use crate::demo::furnish::{self, furnish};
use crate::runtime::Peyk;
use anyhow::{Context, Result, anyhow};
use app::console::{NewPerson, PeopleError};
use app::{CreateAccount, LoginError, ManageError, SetTariff};
use domain::account::AccountSettings;
use domain::line::{LineClass, LineSettings, RefundBasis, Route};
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::text::Alphabet;
use domain::user::Role;
use smpp::MessageState;
use smsc_sim::{Action, Behaviour, Match, Outcome, ReceiptPlan, Rule};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The customer's user name.
pub const ACCOUNT: &str = "demo";
/// Who runs the demo's installation, at the staff's door of the console.
pub const ADMINISTRATOR: &str = "admin";
/// The line for codes and orders.
pub const SERVICE_LINE: &str = "3000505";
/// The line for advertising, where what was not delivered is given back.
pub const ADVERTISING_LINE: &str = "20001000";
/// Recipients whose numbers end like this are unreachable at the simulated operator.
pub const UNREACHABLE_SUFFIX: &str = "00";
/// Rials for a part of a Persian and of an English text.
pub const PRICES: [(Alphabet, Rials); 2] =
    [(Alphabet::Ucs2, Rials(120)), (Alphabet::Gsm7, Rials(300))];

const LINK: &str = "simulated-operator";
/// Enough to send to any trend of the made-up people a few times.
const CREDIT: Rials = Rials(100_000_000);
/// Slow enough that a person sees the states go by.
const ANSWER_DELAY: Duration = Duration::from_millis(60);
const RECEIPT_DELAY: Duration = Duration::from_millis(400);

/// How the demo's operator behaves.
pub fn behaviour() -> Behaviour {
    let plan = |state| ReceiptPlan {
        outcomes: vec![Outcome::always(state)],
        delay: RECEIPT_DELAY,
        ..ReceiptPlan::default()
    };
    Behaviour {
        answer_delay: ANSWER_DELAY,
        receipts: plan(MessageState::Delivered),
        rules: vec![Rule {
            when: Match {
                dest_suffix: UNREACHABLE_SUFFIX.as_bytes().to_vec(),
                ..Match::default()
            },
            action: Action::Accept,
            receipts: Some(plan(MessageState::Undeliverable)),
        }],
        ..Behaviour::default()
    }
}

/// Makes what is missing, and points the link to where the operator listens this time. Gives the
/// credentials, those of `earlier` when there are any.
///
/// # Errors
/// The store failed.
pub async fn seed(
    peyk: &Peyk,
    operator: SocketAddr,
    url: String,
    earlier: Option<Credentials>,
) -> Result<Credentials> {
    let link = link_to(peyk, operator).await?;
    let pass = match &earlier {
        Some(earlier) => earlier.pass.clone(),
        None => app::password::generate()?,
    };
    account(peyk, &pass).await?;
    let route = Route {
        operator: None,
        link,
        fallback: None,
    };
    let service = LineSettings {
        routes: vec![route],
        ..LineSettings::default()
    };
    let advertising = LineSettings {
        class: LineClass::Advertising,
        refund_basis: RefundBasis::Delivery,
        ..service.clone()
    };
    for (number, settings) in [(SERVICE_LINE, service), (ADVERTISING_LINE, advertising)] {
        if unknown(peyk.app.line(number).await)?.is_none() {
            peyk.app.add_line(number, settings).await?;
        }
        peyk.app.grant_line(ACCOUNT, number, true).await?;
    }
    if peyk.app.catalog().await?.tariffs.is_empty() {
        for (alphabet, price) in PRICES {
            let price = Some(price);
            peyk.app
                .set_tariff(SetTariff {
                    line: None,
                    operator: None,
                    alphabet,
                    price,
                })
                .await?;
        }
    }
    let (from, key, staff) = match earlier {
        Some(earlier) => (earlier.from, earlier.apikey, earlier.staff_pass),
        None => (SERVICE_LINE.to_owned(), None, None),
    };
    let staff_pass = match staff {
        Some(known) => known,
        None => administrator(peyk).await.context("the administrator")?,
    };
    let apikey = furnish(peyk, link, &pass, key).await?;
    Ok(Credentials {
        url,
        uname: ACCOUNT.into(),
        pass,
        from,
        apikey: Some(apikey),
        pattern: Some(furnish::PATTERN.into()),
        staff_pass: Some(staff_pass),
    })
}

async fn link_to(peyk: &Peyk, operator: SocketAddr) -> Result<domain::ids::LinkId> {
    let settings = LinkSettings {
        host: operator.ip().to_string(),
        port: operator.port(),
        system_id: "peyk".into(),
        password: "demo".into(),
        ..LinkSettings::default()
    };
    if let Some(link) = unknown(peyk.app.link(LINK).await)? {
        peyk.app.update_link(LINK, settings).await?;
        return Ok(link.id);
    }
    Ok(peyk.app.add_link(LINK, settings).await?)
}

/// Adds the administrator, or gives the one that is there a new password: demo.json was removed.
async fn administrator(peyk: &Peyk) -> Result<String> {
    let new = NewPerson {
        name: ADMINISTRATOR,
        title: "Demo administrator",
        role: Role::Administrator,
    };
    match peyk.app.add_person(None, new).await {
        Ok((_, password)) => Ok(password),
        Err(PeopleError::Exists) => {
            let login = format!("staff:{ADMINISTRATOR}");
            let user = peyk.app.person_by_login(&login).await?;
            let renewed = peyk.app.renew_person_password(None, user.no).await?;
            Ok(renewed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the account, or makes sure that it takes the password that is shown.
async fn account(peyk: &Peyk, pass: &str) -> Result<()> {
    if unknown(peyk.app.account(ACCOUNT).await)?.is_none() {
        let settings = AccountSettings {
            title: "The demo".into(),
            ..AccountSettings::default()
        };
        let password = Some(pass.to_owned());
        let new = CreateAccount {
            name: ACCOUNT.into(),
            password,
            expires_at: None,
            settings,
        };
        peyk.app.create_account(new).await?;
        peyk.app
            .top_up(ACCOUNT, CREDIT, Some("credit to begin with".into()))
            .await?;
        return Ok(());
    }
    keep_password(peyk, ACCOUNT, pass).await
}

/// Makes sure that an account takes the password that is shown.
pub(super) async fn keep_password(peyk: &Peyk, name: &str, pass: &str) -> Result<()> {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    match peyk.app.authenticate(name, pass, here, "send").await {
        Ok(_) => Ok(()),
        // demo.json was removed, or another password was set by hand.
        Err(LoginError::Refused(_)) => {
            peyk.app.set_password(name, Some(pass)).await?;
            Ok(())
        }
        Err(other) => Err(anyhow!("the account {name} cannot log in: {other}")),
    }
}

/// `None` for what is not there yet.
pub(super) fn unknown<T>(found: Result<T, ManageError>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ManageError::Unknown(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
