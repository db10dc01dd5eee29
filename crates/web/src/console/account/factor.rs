//! Setting up and taking away one's own second factor.

use super::{audited, me};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::{Change, Enrolment, FactorError};
use askama::Template;
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::{Color, QrCode};
use serde::Deserialize;
use std::fmt::Write;

/// Modules of white around a QR code, by its standard.
const QUIET: usize = 4;

#[derive(Template)]
#[template(path = "console/account/factor.html")]
struct Page<'a> {
    ui: &'a Ui,
    secret: &'a str,
    /// The secret in groups of four, to be typed.
    shown: String,
    picture: Picture,
    error: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "console/account/recovery.html")]
struct CodesPage<'a> {
    ui: &'a Ui,
    codes: &'a [String],
}

/// A QR code as the shape of its dark modules.
struct Picture {
    /// Modules of a side, the white around it included.
    side: usize,
    path: String,
}

#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    code: String,
}

pub(super) async fn show(visitor: Visitor) -> Result<Response, Trouble> {
    if visitor.person.user.second_factor.is_some() {
        return Ok(Redirect::to("/console/me").into_response());
    }
    let begun = visitor.app.begin_second_factor(&visitor.person)?;
    page(&visitor.ui, &begun, None)
}

fn page(ui: &Ui, begun: &Enrolment, error: Option<&'static str>) -> Result<Response, Trouble> {
    let groups: Vec<&str> = begun
        .secret
        .as_bytes()
        .chunks(4)
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    html(&Page {
        ui,
        secret: &begun.secret,
        shown: groups.join(" "),
        picture: picture(&begun.address)?,
        error,
    })
}

pub(super) async fn confirm(
    visitor: Visitor,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    // Replacing one takes a code of the present one: whoever finds an open browser has none.
    if visitor.person.user.second_factor.is_some() {
        return Ok(Redirect::to("/console/me").into_response());
    }
    let (app, person) = (&visitor.app, &visitor.person);
    let change = Change::by(person, "me.second-factor", person.login());
    let made = app.set_second_factor(person, &given.secret, &given.code);
    match audited(&visitor, change, made).await? {
        Ok(codes) => html(&CodesPage {
            ui: &visitor.ui,
            codes: &codes,
        }),
        Err(FactorError::Unavailable(error)) => Err(error.into()),
        Err(FactorError::NoSecret) => Ok(Redirect::to("/console/me/second-factor").into_response()),
        Err(FactorError::WrongCode) => match app.show_second_factor(person, &given.secret) {
            Ok(begun) => {
                let error = Some(me::wrong_code(&visitor.ui));
                Ok(again(page(&visitor.ui, &begun, error)?))
            }
            Err(_) => Ok(Redirect::to("/console/me/second-factor").into_response()),
        },
    }
}

pub(super) async fn remove(
    visitor: Visitor,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let person = &visitor.person;
    let change = Change::by(person, "me.no-second-factor", person.login());
    let from = visitor.origin.address;
    let made = visitor.app.remove_second_factor(person, &given.code, from);
    match audited(&visitor, change, made).await? {
        Ok(()) => Ok(Redirect::to("/console/me?done=factor-removed").into_response()),
        Err(FactorError::Unavailable(error)) => Err(error.into()),
        Err(_) => me::with_wrong_code(&visitor).await,
    }
}

fn picture(address: &str) -> Result<Picture, Trouble> {
    let code = QrCode::new(address).map_err(|error| {
        tracing::error!(%error, "a QR code could not be drawn");
        Trouble::Ours
    })?;
    let width = code.width();
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (place % width + QUIET, place / width + QUIET);
            // Writing to a string cannot fail.
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    Ok(Picture {
        side: width + 2 * QUIET,
        path,
    })
}
