//! Why a bulk stands where it stands, in the language of the page.
//!
//! Customers are told about lines and operators: how the links behind them are called is for the
//! staff alone.

use super::format;
use super::ui::Ui;
use app::{App, LinkTrouble, Obstacle, Why};
use domain::bulk::StateCounts;
use domain::ids::OperatorId;
use domain::state::State;
use domain::time::UnixMillis;

/// An operator's name in the language of the page.
pub(super) fn operator(ui: &Ui, app: &App, id: OperatorId) -> String {
    match app.operators().by_id(id) {
        Some(operator) => ui.t(&operator.name_fa, &operator.name_en).to_owned(),
        None => ui.t("نامعلوم", "unknown").to_owned(),
    }
}

/// What stands in Latin letters or digits, kept together in a Persian sentence.
fn isolated(text: &str) -> String {
    format!("\u{2066}{}\u{2069}", format::shown(text))
}

/// What somebody wrote, whose direction is its own.
fn quoted(text: &str) -> String {
    format!("\u{2068}{}\u{2069}", format::shown(text))
}

/// Why a bulk stands where it stands.
pub(super) fn why(ui: &Ui, app: &App, why: &Why) -> String {
    match why {
        Why::Building => ui
            .t(
                "هنوز پذیرفته نشده؛ گیرنده‌ها ثبت می‌شوند.",
                "Not accepted yet: its recipients are being written.",
            )
            .into(),
        Why::Abandoned => ui
            .t("پیش از پذیرش رها شد.", "Given up before it was accepted.")
            .into(),
        Why::Cancelled => ui.t("لغو شد.", "It was cancelled.").into(),
        Why::Paused => ui
            .t(
                "متوقف است؛ با «ادامهٔ ارسال» از همان‌جا پی گرفته می‌شود.",
                "Paused; “Go on” takes it up where it stopped.",
            )
            .into(),
        Why::AwaitingApproval { since, .. } => {
            let since = ui.lately(since);
            match ui.is_fa() {
                true => format!("در انتظار: متن پیامک از {since} منتظر تأیید است."),
                false => format!("Waiting: its text has awaited approval since {since}."),
            }
        }
        Why::Rejected(rejection) => {
            let reason = rejection.as_ref().and_then(|one| one.reason.as_deref());
            rejected(ui, reason)
        }
        Why::Ended(counts) => ended(ui, counts),
        Why::WithLink(count) => {
            let count = ui.num(*count);
            match ui.is_fa() {
                true => format!("در حال ارسال: {count} پیامک در راه اپراتور است."),
                false => format!("Being sent: {count} are on their way to the operator."),
            }
        }
        Why::AwaitingReceipts { submitted, held } => receipts(ui, *submitted, *held),
        Why::Scheduled(at) => {
            let at = ui.when(at);
            match ui.is_fa() {
                true => format!("زمان‌بندی شده: {at} فرستاده می‌شود."),
                false => format!("Scheduled: it leaves on {at}."),
            }
        }
        Why::Obstacle(why) => obstacle(ui, app, why),
        Why::Leaving { waiting, total } => {
            let (waiting, total) = (ui.num(*waiting), ui.num(*total));
            match ui.is_fa() {
                true => format!("در حال ارسال: {waiting} از {total} گیرنده هنوز در انتظارند."),
                false => format!("Being sent: {waiting} of {total} still wait."),
            }
        }
        Why::Turn => ui.t("در نوبت ارسال است.", "Waiting for its turn.").into(),
    }
}

fn rejected(ui: &Ui, reason: Option<&str>) -> String {
    let start = ui.t("متن پیامک تأیید نشد", "Its text was not approved");
    match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{start}: {}", quoted(reason)),
        None => format!("{start}."),
    }
}

fn ended(ui: &Ui, counts: &StateCounts) -> String {
    let parts: Vec<String> = State::ALL
        .iter()
        .filter(|state| state.is_final() && counts.of(**state) > 0)
        .map(|state| format!("{} {}", ui.num(counts.of(*state)), ui.state(state)))
        .collect();
    format!(
        "{}: {}.",
        ui.t("پایان یافت", "Finished"),
        parts.join(ui.t("، ", ", "))
    )
}

fn receipts(ui: &Ui, submitted: u32, held: u32) -> String {
    let (taken, lost) = (ui.num(submitted), ui.num(held));
    let taken = match ui.is_fa() {
        true => format!("فرستاده شد؛ گزارش تحویل {taken} پیامک هنوز نرسیده است."),
        false => format!("Sent: {taken} await their delivery receipt."),
    };
    let lost = match ui.is_fa() {
        true => {
            format!("پاسخ اپراتور به {lost} پیامک نرسید؛ نگه داشته شده‌اند تا دو بار فرستاده نشوند.")
        }
        false => format!(
            "The operator’s answer to {lost} was lost; they are held, so that nobody gets them twice."
        ),
    };
    match (submitted, held) {
        (_, 0) => taken,
        (0, _) => lost,
        _ => format!("{taken} {lost}"),
    }
}

/// What keeps messages from leaving.
pub(super) fn obstacle(ui: &Ui, app: &App, obstacle: &Obstacle) -> String {
    let name = |id: &OperatorId| operator(ui, app, *id);
    match obstacle {
        Obstacle::LineGone => ui
            .t(
                "در انتظار: خط این ارسال دیگر وجود ندارد.",
                "Waiting: its line does not exist any more.",
            )
            .into(),
        Obstacle::LineClosed { line, opens } => {
            let (line, opens) = (isolated(line), ui.lately(opens));
            match ui.is_fa() {
                true => format!("در انتظار: خط {line} ساعت {opens} باز می‌شود."),
                false => format!("Waiting: line {line} opens at {opens}."),
            }
        }
        Obstacle::NoRoute { line, operator, .. } => {
            let (line, operator) = (isolated(line), name(operator));
            match ui.is_fa() {
                true => format!("در انتظار: برای خط {line} راهی به {operator} تنظیم نشده است."),
                false => format!("Waiting: line {line} has no way to {operator}."),
            }
        }
        Obstacle::Link {
            line,
            operator,
            link,
            trouble,
        } => {
            let way = match ui.is_fa() {
                true => format!(
                    "در انتظار: ارتباط خط {} با {}",
                    isolated(line),
                    name(operator)
                ),
                false => format!(
                    "Waiting: the connection of line {} to {}",
                    isolated(line),
                    name(operator)
                ),
            };
            format!("{way} {}{}", state(ui, trouble), behind(ui, link, trouble))
        }
    }
}

/// What is the matter, as the end of a sentence.
fn state(ui: &Ui, trouble: &LinkTrouble) -> String {
    let since = |at: &UnixMillis, fa: &str, en: &str| {
        let at = ui.lately(at);
        match ui.is_fa() {
            true => format!("از {at} {fa} است."),
            false => format!("{en} since {at}."),
        }
    };
    match trouble {
        LinkTrouble::Gone => ui.t("برداشته شده است.", "was taken away.").into(),
        LinkTrouble::SwitchedOff => ui.t("خاموش است.", "is switched off.").into(),
        LinkTrouble::NeverUp => ui.t("هنوز برقرار نشده است.", "was never up.").into(),
        LinkTrouble::Unserved(at) => since(at, "بی‌سرویس‌دهنده", "has been served by nobody"),
        LinkTrouble::Off(at) => since(at, "خاموش", "has been off"),
        LinkTrouble::Down { since: at, .. } => since(at, "قطع", "has been down"),
    }
}

/// For the staff: which link it is, and its last error.
fn behind(ui: &Ui, link: &str, trouble: &LinkTrouble) -> String {
    if !ui.is_staff() {
        return String::new();
    }
    let error = match trouble {
        LinkTrouble::Down {
            error: Some(error), ..
        } => format!(": {}", quoted(error)),
        _ => String::new(),
    };
    let link = isolated(link);
    format!(" ({} {link}{error})", ui.t("لینک", "link"))
}

/// What is the matter with a link, in a table of links.
pub(super) fn link_trouble(ui: &Ui, trouble: &LinkTrouble) -> String {
    let said = state(ui, trouble);
    let said = said.trim_end_matches('.');
    match trouble {
        LinkTrouble::Down {
            error: Some(error), ..
        } => format!("{said}: {}", quoted(error)),
        _ => said.to_owned(),
    }
}
