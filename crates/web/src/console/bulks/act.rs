//! Cancelling a bulk, pausing it, and going on with it.

use super::super::door::Visitor;
use super::super::trouble::Trouble;
use app::Cancelled;
use app::console::{Change, NotAudited};
use axum::extract::Path;
use axum::response::Redirect;
use domain::account::Account;
use domain::ids::BulkNo;

/// Cancels what has not left.
pub(super) async fn cancel(visitor: Visitor, Path(no): Path<String>) -> Result<Redirect, Trouble> {
    let (account, no) = whose(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "bulk.cancel", no);
    let made = visitor.app.cancel(account, no);
    answer(visitor.app.audited(change, made).await, no, "cancelled")
}

/// Pauses what has not left.
pub(super) async fn pause(visitor: Visitor, Path(no): Path<String>) -> Result<Redirect, Trouble> {
    let (account, no) = whose(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "bulk.pause", no);
    let made = visitor.app.pause(account, no, true);
    answer(visitor.app.audited(change, made).await, no, "paused")
}

/// Goes on with what was paused.
pub(super) async fn go_on(visitor: Visitor, Path(no): Path<String>) -> Result<Redirect, Trouble> {
    let (account, no) = whose(&visitor, &no).await?;
    let change = Change::by(&visitor.person, "bulk.go_on", no);
    let made = visitor.app.pause(account, no, false);
    answer(visitor.app.audited(change, made).await, no, "going")
}

async fn whose<'a>(visitor: &'a Visitor, no: &str) -> Result<(&'a Account, BulkNo), Trouble> {
    let account = visitor.account()?;
    let bulk = super::found(&visitor.app, account, no).await?;
    Ok((account, bulk.report.no))
}

fn answer(
    made: Result<Result<Cancelled, app::StoreError>, NotAudited>,
    no: BulkNo,
    done: &str,
) -> Result<Redirect, Trouble> {
    let made = made.map_err(|NotAudited(error)| Trouble::from(error))?;
    let done = match made? {
        Cancelled::Stopped => done,
        Cancelled::NothingLeft => "nothing",
    };
    Ok(Redirect::to(&format!("/console/bulks/{no}?done={done}")))
}
