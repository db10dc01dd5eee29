//! Where somebody comes in: the dashboard of an account, or that of the operation.

mod account;
mod staff;

use super::door::Visitor;
use super::routes::Routes;
use super::sign_in;
use axum::response::{IntoResponse, Redirect, Response};
use domain::user::Permission;
use serde::Deserialize;

/// Where an account's people begin, and where the staff does.
const HOME: &str = "/console/home";
const STAFF_HOME: &str = "/console/staff/home";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/home", Permission::SeeReports, account::show)
        .page("/home/bulks", Permission::SeeReports, account::bulks)
        .page("/staff/home", Permission::SeeOperation, staff::show)
}

/// `/console` itself: to where one begins.
pub(super) async fn enter(visitor: Option<Visitor>) -> Response {
    let to = match visitor {
        None => sign_in::DOOR,
        Some(visitor) if visitor.person.account.is_some() => HOME,
        Some(_) => STAFF_HOME,
    };
    Redirect::to(to).into_response()
}

/// Which chart somebody wants.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    period: String,
    by: String,
}
