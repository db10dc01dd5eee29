//! `/console/alerts`: when the account is told that its credit is low.

use super::{Done, audited, read_rials};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::ManageError;
use app::console::Change;
use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::LowCredit;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "console/account/alerts.html")]
struct Page<'a> {
    ui: &'a Ui,
    given: &'a AlertForm,
    credit: Rials,
    below_error: Option<&'static str>,
    mobile_error: Option<&'static str>,
    notice: Option<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AlertForm {
    below: String,
    mobile: String,
}

pub(super) async fn show(visitor: Visitor, Query(asked): Query<Done>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let notice = match asked.done.as_str() {
        "saved" => Some(ui.t("هشدار ذخیره شد.", "The alert is saved.")),
        "off" => Some(ui.t("هشدار خاموش شد.", "The alert is off.")),
        _ => None,
    };
    let alert = visitor.account()?.settings.low_credit.clone();
    let given = alert.map(|alert| AlertForm {
        below: alert.below.to_string(),
        mobile: alert.mobile.unwrap_or_default(),
    });
    page(&visitor, &given.unwrap_or_default(), [None; 2], notice).await
}

async fn page(
    visitor: &Visitor,
    given: &AlertForm,
    [below_error, mobile_error]: [Option<&'static str>; 2],
    notice: Option<&'static str>,
) -> Result<Response, Trouble> {
    let balance = visitor.app.balance(visitor.account()?).await?;
    html(&Page {
        ui: &visitor.ui,
        given,
        credit: balance.credit,
        below_error,
        mobile_error,
        notice,
    })
}

pub(super) async fn save(
    visitor: Visitor,
    Form(given): Form<AlertForm>,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let mobile = given.mobile.trim();
    let mobile_error = (!mobile.is_empty() && Msisdn::parse(mobile).is_none()).then(|| {
        ui.t(
            "این شمارهٔ موبایل نیست؛ مانند ۰۹۱۲۱۲۳۴۵۶۷ بنویسید.",
            "This is no mobile number; write it like 09121234567.",
        )
    });
    let below = read_rials(&given.below).filter(|below| *below > Rials::ZERO);
    let off = given.below.trim().is_empty();
    let below_error = (below.is_none() && !off).then(|| {
        ui.t(
            "مبلغی به ریال بنویسید، مانند ۵۰۰٬۰۰۰.",
            "Write an amount in rials, such as 500,000.",
        )
    });
    if below_error.is_some() || mobile_error.is_some() {
        let errors = [below_error, mobile_error];
        return Ok(again(page(&visitor, &given, errors, None).await?));
    }
    let alert = below.map(|below| LowCredit {
        below,
        mobile: (!mobile.is_empty()).then(|| mobile.to_owned()),
    });
    let details = match &alert {
        Some(alert) => format!("below {}", alert.below),
        None => "off".into(),
    };
    let change = Change::by(&visitor.person, "alert.low-credit", "account").with(details);
    let made = visitor.app.set_low_credit(&visitor.person, alert);
    match audited(&visitor, change, made).await? {
        Ok(()) => {
            let done = if off { "off" } else { "saved" };
            Ok(Redirect::to(&format!("/console/alerts?done={done}")).into_response())
        }
        Err(ManageError::Store(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}
