//! Words of the operation's pages, in both languages.

use crate::console::ui::Ui;
use domain::approval::{Rule, RuleMatch};
use domain::blacklist::BlackList;
use domain::ids::{LineId, OperatorId};
use domain::ledger::EntryKind;
use domain::line::LineClass;
use domain::operator::Operators;
use domain::text::Alphabet;
use domain::ticket::{Importance, Kind, Status};

/// Excepted hosts that a rule names.
const HOSTS_NAMED_MAX: usize = 5;

/// A line as people read it.
pub(super) fn line_number(line: &domain::line::Line) -> String {
    match line.number.is_numeric() {
        true => line.number.to_string(),
        false => line.display.clone(),
    }
}

/// A line of the catalog as people read it.
pub(super) fn line_named(catalog: &app::Catalog, id: LineId) -> String {
    let line = catalog.lines.iter().find(|line| line.id == id);
    line.map_or_else(|| format!("#{id}"), line_number)
}

/// An operator's name.
pub(super) fn operator(ui: &Ui, operators: &Operators, id: OperatorId) -> String {
    let found = operators.by_id(id);
    found.map_or_else(
        || format!("#{id}"),
        |operator| ui.t(&operator.name_fa, &operator.name_en).to_owned(),
    )
}

/// What a line is for.
pub(super) fn class(ui: &Ui, class: LineClass) -> &'static str {
    match (class, ui.is_fa()) {
        (LineClass::Advertising, true) => "تبلیغاتی",
        (LineClass::Advertising, false) => "advertising",
        (LineClass::Service, true) => "خدماتی",
        (LineClass::Service, false) => "service",
    }
}

/// How a text is written.
pub(super) fn alphabet(ui: &Ui, alphabet: Alphabet) -> &'static str {
    match (alphabet, ui.is_fa()) {
        (Alphabet::Ucs2, true) => "فارسی (UCS-2)",
        (Alphabet::Ucs2, false) => "Persian (UCS-2)",
        (Alphabet::Gsm7, true) => "لاتین (GSM-7)",
        (Alphabet::Gsm7, false) => "Latin (GSM-7)",
    }
}

/// What a rule looks for.
pub(super) fn matches(ui: &Ui, matches: &RuleMatch) -> String {
    match matches {
        RuleMatch::Word(word) => format!("{} «{word}»", ui.t("واژهٔ", "the word")),
        RuleMatch::Pattern(pattern) => {
            format!(
                "{} \u{2068}{pattern}\u{2069}",
                ui.t("عبارت منظم", "the expression")
            )
        }
        RuleMatch::Link { except } if except.is_empty() => ui.t("هر پیوند", "any link").to_owned(),
        RuleMatch::Link { except } => {
            let named: Vec<&str> = except
                .iter()
                .take(HOSTS_NAMED_MAX)
                .map(String::as_str)
                .collect();
            let more = if except.len() > HOSTS_NAMED_MAX {
                "…"
            } else {
                ""
            };
            let hosts = named.join(ui.t("، ", ", "));
            format!(
                "{} \u{2068}{hosts}{more}\u{2069}",
                ui.t("هر پیوند جز", "any link but")
            )
        }
        RuleMatch::Everything => ui.t("هر متنی", "every text").to_owned(),
    }
}

/// Whose texts a rule looks at.
pub(super) fn scope(ui: &Ui, rule: &Rule, catalog: &app::Catalog) -> String {
    let mut parts = Vec::new();
    if let Some(of) = rule.scope.class {
        parts.push(format!("{} {}", ui.t("خط‌های", "lines for"), class(ui, of)));
    }
    if let Some(line) = rule.scope.line {
        let line = line_named(catalog, line);
        parts.push(format!("{} \u{2066}{line}\u{2069}", ui.t("خط", "line")));
    }
    if let Some(account) = rule.scope.account {
        parts.push(format!(
            "{} {account}",
            ui.t("حساب شمارهٔ", "account number")
        ));
    }
    match parts.is_empty() {
        true => ui.t("همه", "everybody").to_owned(),
        false => parts.join(ui.t("، ", ", ")),
    }
}

/// A blacklist.
pub(super) fn list(ui: &Ui, list: BlackList, catalog: &app::Catalog) -> String {
    match list {
        BlackList::Regulator => ui.t("لیست سیاه مخابرات (تبلیغاتی)", "The regulator's list"),
        BlackList::Installation => ui.t("لیست سیاه سامانه", "The installation's own list"),
        BlackList::Line(id) => {
            let line = line_named(catalog, id);
            return format!(
                "{} \u{2066}{line}\u{2069}",
                ui.t("لیست سیاه خط", "List of line")
            );
        }
    }
    .to_owned()
}

/// What a ledger entry is.
pub(super) fn entry(ui: &Ui, kind: EntryKind) -> &'static str {
    let [fa, en] = match kind {
        EntryKind::TopUp => ["واریز یا اصلاح", "paid in or corrected"],
        EntryKind::Reserve => ["کنار گذاشته برای ارسال", "set aside for a bulk"],
        EntryKind::Charge => ["هزینهٔ پیامک", "charged"],
        EntryKind::Release => ["آزادشده", "released"],
        EntryKind::Refund => ["برگشت هزینه", "given back"],
        EntryKind::Transfer => ["جابه‌جایی اعتبار", "credit transfer"],
    };
    ui.lang.pick(fa, en)
}

/// What a ticket is about.
pub(super) fn ticket_kind(ui: &Ui, kind: Kind) -> &'static str {
    let [fa, en] = match kind {
        Kind::Fiscal => ["مالی", "money"],
        Kind::WebService => ["وب‌سرویس", "web service"],
        Kind::Problem => ["خرابی", "a problem"],
        Kind::LineServices => ["خط‌ها", "lines"],
    };
    ui.lang.pick(fa, en)
}

/// How much a ticket matters.
pub(super) fn importance(ui: &Ui, importance: Importance) -> &'static str {
    let [fa, en] = match importance {
        Importance::Low => ["کم", "low"],
        Importance::Middle => ["معمولی", "usual"],
        Importance::Quick => ["زیاد", "soon"],
        Importance::Acute => ["فوری", "at once"],
    };
    ui.lang.pick(fa, en)
}

/// Where a ticket stands.
pub(super) fn ticket_status(ui: &Ui, status: Status) -> &'static str {
    let [fa, en] = match status {
        Status::Waiting => ["در انتظار پاسخ", "waits for an answer"],
        Status::Answered => ["پاسخ داده شد", "answered"],
        Status::Closed => ["بسته", "closed"],
    };
    ui.lang.pick(fa, en)
}

/// A blacklist as the audit log calls it.
pub(super) fn list_plain(list: BlackList, catalog: &app::Catalog) -> String {
    match list {
        BlackList::Line(id) => format!("line {}", line_named(catalog, id)),
        other => other.to_string(),
    }
}
