//! The recipients on the page of a bulk.

use super::super::trouble::Trouble;
use super::super::ui::Ui;
use super::super::{why, words};
use super::one::Asked;
use super::query;
use app::{App, RecipientFilter, RecipientRow};
use domain::account::Account;
use domain::bulk::BulkReport;
use domain::ids::Seq;
use domain::msisdn::Msisdn;
use domain::recipient::{Address, RecipientReport};
use domain::state::State;

/// Recipients on one page.
const PAGE: u32 = 50;

/// A recipient as it is shown.
pub(super) struct RecipientView {
    pub(super) place: u32,
    pub(super) number: String,
    pub(super) operator: String,
    pub(super) state: State,
    pub(super) class: &'static str,
    pub(super) reason: &'static str,
    /// The operator's code behind the reason.
    pub(super) code: Option<u32>,
    pub(super) parts: u8,
    pub(super) text: Option<String>,
}

/// A page of recipients with its filter.
pub(super) struct Recipients {
    pub(super) rows: Vec<RecipientView>,
    pub(super) state: String,
    pub(super) number: String,
    /// What is wrong with the number.
    pub(super) error: Option<&'static str>,
    /// Whether one may be looked for by its number.
    pub(super) by_number: bool,
    /// Whether any has a text of its own.
    pub(super) texts: bool,
    pub(super) filtered: bool,
    pub(super) first: Option<String>,
    pub(super) more: Option<String>,
}

impl Recipients {
    /// The states by which they are filtered.
    pub(super) fn choices(&self) -> [State; 9] {
        State::ALL
    }
}

/// A recipient's number as people in Iran write it, `0912…`, which no program takes for a formula.
pub(super) fn number(address: &Address) -> String {
    match address {
        Address::Mobile(number) => app::sheet::domestic(*number),
        Address::Invalid(digits) => digits.to_string(),
        Address::Masked(number) => number.to_string().replacen("+98", "0", 1),
    }
}

/// Why it stands where it stands.
pub(super) fn reason(ui: &Ui, report: &RecipientReport) -> &'static str {
    ui.lang
        .pick(report.reason.persian(), report.reason.english())
}

/// The operator's code; 0 is how receipts say that there is none.
pub(super) fn code(report: &RecipientReport) -> Option<u32> {
    report.detail.filter(|code| *code != 0)
}

/// The page of recipients that is asked for.
pub(super) async fn read(
    ui: &Ui,
    app: &App,
    account: &Account,
    bulk: &BulkReport,
    asked: &Asked,
) -> Result<Recipients, Trouble> {
    let state = State::ALL.into_iter().find(|one| one.word() == asked.state);
    let wanted = asked.number.trim();
    let mobile = Msisdn::parse(wanted);
    let error = (!wanted.is_empty() && mobile.is_none()).then(|| {
        ui.lang.pick(
            "شمارهٔ همراه را کامل بنویسید، مانند ۰۹۱۲۱۲۳۴۵۶۷.",
            "Write the whole mobile number, such as 09121234567.",
        )
    });
    let filter = RecipientFilter {
        after: asked.after.parse().ok().map(Seq),
        states: state.into_iter().collect(),
        number: mobile,
        limit: PAGE,
    };
    let page = match error {
        Some(_) => app::RecipientPage::default(),
        None => app.bulk_recipients_page(account, bulk, filter).await?,
    };
    let rows: Vec<RecipientView> = page.rows.iter().map(|row| view(ui, app, row)).collect();
    let address = |after: &str| {
        let state = state.map_or("", State::word);
        let fields = [("state", state), ("number", wanted), ("after", after)];
        format!("/console/bulks/{}?{}#recipients", bulk.no, query(&fields))
    };
    Ok(Recipients {
        texts: rows.iter().any(|row| row.text.is_some()),
        rows,
        state: state.map_or("", State::word).to_owned(),
        number: wanted.to_owned(),
        error,
        by_number: !bulk.masked,
        filtered: state.is_some() || !wanted.is_empty(),
        first: (!asked.after.is_empty()).then(|| address("")),
        more: page.next.map(|next| address(&next.to_string())),
    })
}

fn view(ui: &Ui, app: &App, row: &RecipientRow) -> RecipientView {
    let report = &row.report;
    let mobile = !matches!(report.address, Address::Invalid(_));
    RecipientView {
        place: report.seq.0.saturating_add(1),
        number: number(&report.address),
        operator: match mobile {
            true => why::operator(ui, app, row.operator),
            false => "–".into(),
        },
        state: report.state,
        class: words::state_class(report.state),
        reason: reason(ui, report),
        code: code(report),
        parts: report.parts,
        text: row.text.clone(),
    }
}
