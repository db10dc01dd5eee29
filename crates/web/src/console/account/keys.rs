//! `/console/keys`: API keys of the account.

use super::{Done, audited, end_of_day, number, one_line};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use crate::ws::operation_names;
use app::console::Change;
use app::keys::KEYS_PER_ACCOUNT_MAX;
use app::{CreateKey, ManageError};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use domain::api_key::{ApiKey, ApiKeySettings};
use domain::ids::KeyNo;
use serde::Deserialize;

const HERE: &str = "/console/keys";

#[derive(Template)]
#[template(path = "console/account/keys.html")]
struct ListPage<'a> {
    ui: &'a Ui,
    /// Those that may be used first, and of these the newest.
    keys: Vec<ApiKey>,
    notice: Option<&'static str>,
}

impl ListPage<'_> {
    fn has_ended(&self, key: &ApiKey) -> bool {
        key.has_ended(self.ui.now)
    }
}

#[derive(Template)]
#[template(path = "console/account/key_new.html")]
struct NewPage<'a> {
    ui: &'a Ui,
    given: &'a NewForm,
    /// What the account may call.
    operations: Vec<&'static str>,
    errors: Errors,
}

impl NewPage<'_> {
    fn is_chosen(&self, operation: &str) -> bool {
        self.given.operation.iter().any(|one| one == operation)
    }
}

#[derive(Template)]
#[template(path = "console/account/key_made.html")]
struct MadePage<'a> {
    ui: &'a Ui,
    key: &'a str,
}

#[derive(Default)]
struct Errors {
    operations: Option<&'static str>,
    addresses: Option<&'static str>,
    end: Option<&'static str>,
    whole: Option<&'static str>,
}

impl Errors {
    fn any(&self) -> bool {
        self.operations.is_some() || self.end.is_some()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NewForm {
    title: String,
    /// `all` or `some`.
    scope: String,
    operation: Vec<String>,
    addresses: String,
    end: String,
}

pub(super) async fn list(visitor: Visitor, Query(asked): Query<Done>) -> Result<Response, Trouble> {
    let (ui, account) = (&visitor.ui, visitor.account()?);
    let keys = visitor.app.keys(account, None, KEYS_PER_ACCOUNT_MAX);
    let mut keys = keys.await?;
    keys.reverse();
    keys.sort_by_key(|key| key.has_ended(ui.now));
    let notice = (asked.done == "revoked").then(|| {
        ui.t(
            "کلید باطل شد و دیگر کار نمی‌کند.",
            "The key was revoked and works no longer.",
        )
    });
    html(&ListPage { ui, keys, notice })
}

pub(super) async fn form(visitor: Visitor) -> Result<Response, Trouble> {
    new_page(&visitor, &NewForm::default(), Errors::default()).await
}

async fn new_page(visitor: &Visitor, given: &NewForm, errors: Errors) -> Result<Response, Trouble> {
    let account = visitor.account()?;
    let mut operations = Vec::new();
    for name in operation_names() {
        if visitor.app.may_call(account, name).await? {
            operations.push(name);
        }
    }
    operations.sort_unstable();
    html(&NewPage {
        ui: &visitor.ui,
        given,
        operations,
        errors,
    })
}

/// What a form asks for; what is wrong in it is said in `errors`.
fn wanted(ui: &Ui, given: &NewForm, errors: &mut Errors) -> CreateKey {
    let some = given.scope == "some";
    let known = operation_names().filter(|name| given.operation.iter().any(|one| one == name));
    let operations: Vec<String> = known.map(str::to_owned).collect();
    if some && operations.is_empty() {
        errors.operations = Some(ui.t("دست‌کم یکی را برگزینید.", "Choose one at least."));
    }
    let expires_at = match given.end.trim() {
        "" => None,
        text => {
            let end = end_of_day(text).filter(|at| *at > ui.now);
            if end.is_none() {
                errors.end = Some(ui.t(
                    "روزی در آینده بنویسید، مانند ۱۴۰۶/۰۱/۳۱.",
                    "Write a day to come, such as 2027-04-20.",
                ));
            }
            end
        }
    };
    let networks = given
        .addresses
        .split([',', '،', ';', '\n', '\r', ' ', '\t'])
        .filter(|one| !one.is_empty());
    CreateKey {
        title: one_line(&given.title),
        key: None,
        settings: ApiKeySettings {
            operations: some.then_some(operations),
            allow_from: networks.map(str::to_owned).collect(),
        },
        expires_at,
    }
}

pub(super) async fn create(
    visitor: Visitor,
    Form(given): Form<NewForm>,
) -> Result<Response, Trouble> {
    let (ui, account) = (&visitor.ui, visitor.account()?);
    let mut errors = Errors::default();
    let new = wanted(ui, &given, &mut errors);
    if errors.any() {
        return Ok(again(new_page(&visitor, &given, errors).await?));
    }
    let operations = new.settings.operations.as_ref();
    let details = format!(
        "operations {}; from {}",
        operations.map_or_else(|| "all".to_owned(), |list| list.join(",")),
        new.settings.allow_from.join(",")
    );
    let change = Change::by(&visitor.person, "key.create", &new.title).with(details);
    let made = visitor.app.create_key(&account.name, new);
    match audited(&visitor, change, made).await? {
        Ok(made) => html(&MadePage {
            ui,
            key: &made.generated.unwrap_or_default(),
        }),
        Err(ManageError::Store(error)) => Err(error.into()),
        Err(_) => {
            // Everything else was judged above: what is left are networks, the title's length,
            // and too many keys.
            if given.addresses.trim().is_empty() {
                errors.whole = Some(ui.t(
                    "ساخته نشد: عنوان دراز است یا شمار کلیدها به سقف رسیده است.",
                    "Not made: the title is too long, or there are as many keys as there may be.",
                ));
            } else {
                errors.addresses = Some(ui.t(
                    "هر نشانی مانند 192.0.2.7 یا 192.0.2.0/24 است.",
                    "An address is like 192.0.2.7 or 192.0.2.0/24.",
                ));
            }
            Ok(again(new_page(&visitor, &given, errors).await?))
        }
    }
}

pub(super) async fn revoke(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let account = visitor.account()?;
    let no = KeyNo(number(&no)?);
    let change = Change::by(&visitor.person, "key.revoke", no);
    audited(&visitor, change, visitor.app.revoke_key(&account.name, no)).await??;
    Ok(Redirect::to(&format!("{HERE}?done=revoked")).into_response())
}
