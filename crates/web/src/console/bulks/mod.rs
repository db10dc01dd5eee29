//! Reports: the bulks of an account, and one of them with its recipients.

mod act;
mod export;
mod list;
mod live;
mod one;
mod recipients;
pub(super) mod view;

use super::routes::Routes;
use super::trouble::Trouble;
use app::BulkItem;
use domain::account::Account;
use domain::ids::BulkNo;
use domain::user::Permission as P;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/bulks", P::SeeReports, list::show)
        .page("/bulks/{no}", P::SeeReports, one::show)
        .page("/bulks/{no}/state", P::SeeReports, live::state)
        .page("/bulks/{no}/live", P::SeeReports, live::stream)
        .page("/bulks/{no}/export.csv", P::SeeReports, export::csv)
        .page("/bulks/{no}/export.xlsx", P::SeeReports, export::xlsx)
        .action("/bulks/{no}/cancel", P::Send, act::cancel)
        .action("/bulks/{no}/pause", P::Send, act::pause)
        .action("/bulks/{no}/go-on", P::Send, act::go_on)
}

/// The bulk of this number as it stands in an address.
async fn found(app: &app::App, account: &Account, no: &str) -> Result<BulkItem, Trouble> {
    let no: BulkNo = app::report::read_bulk_no(no).ok_or(Trouble::NotFound)?;
    app.bulk(account, no).await?.ok_or(Trouble::NotFound)
}

/// Fields as they stand in an address behind `?`; empty ones are left out.
fn query(fields: &[(&str, &str)]) -> String {
    let encoded =
        |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    fields.join("&")
}
