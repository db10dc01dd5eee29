//! The account's lines: what they are for, when they send, what they cost, and whether their
//! messages can leave at the moment.

use super::door::Visitor;
use super::routes::Routes;
use super::trouble::{Trouble, html};
use super::ui::Ui;
use app::console::{LineOperator, OwnLine, Reach};
use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use domain::line::{LineClass, RefundBasis, WhenClosed};
use domain::money::Rials;
use domain::user::Permission;
use serde::Deserialize;

/// Lines of a page.
const PAGE: usize = 25;
/// Minutes of an hour.
const HOUR_MINUTES: u16 = 60;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.page("/lines", Permission::SeeReports, show)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    page: String,
}

struct PriceRow {
    operators: Vec<String>,
    ucs2: String,
    gsm7: String,
    reach: &'static str,
    class: &'static str,
}

struct LineCard {
    number: String,
    class: &'static str,
    /// Whether it sends now, in words, and the class of the badge.
    state: String,
    state_class: &'static str,
    facts: Vec<(&'static str, String)>,
    prices: Vec<PriceRow>,
    health: &'static str,
    health_class: &'static str,
}

#[derive(Template)]
#[template(path = "console/lines/list.html")]
struct LinesPage<'a> {
    ui: &'a Ui,
    lines: Vec<LineCard>,
    newer: Option<usize>,
    older: Option<usize>,
}

async fn show(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let lines = visitor.app.own_lines(visitor.account()?).await?;
    let last = lines.len().saturating_sub(1) / PAGE;
    let page = asked.page.parse::<usize>().unwrap_or(0).min(last);
    let shown = lines.iter().skip(page * PAGE).take(PAGE);
    html(&LinesPage {
        ui,
        lines: shown.map(|line| card(&visitor, line)).collect(),
        newer: page.checked_sub(1),
        older: (page < last).then_some(page + 1),
    })
}

fn card(visitor: &Visitor, line: &OwnLine) -> LineCard {
    let ui = &visitor.ui;
    let (state, state_class) = state(ui, line);
    let (health, health_class) = health(ui, line);
    LineCard {
        number: line.number.clone(),
        class: class(ui, line.settings.class),
        state,
        state_class,
        facts: facts(ui, line),
        prices: match line.settings.can_send {
            true => prices(visitor, &line.operators),
            false => Vec::new(),
        },
        health,
        health_class,
    }
}

fn class(ui: &Ui, class: LineClass) -> &'static str {
    match class {
        LineClass::Advertising => ui.t("تبلیغاتی", "advertising"),
        LineClass::Service => ui.t("خدماتی", "service"),
    }
}

/// Whether the line sends now, and if not, when next.
fn state(ui: &Ui, line: &OwnLine) -> (String, &'static str) {
    if !line.settings.can_send {
        let said = ui.t("تنها دریافت", "receives only");
        return (said.to_owned(), "off");
    }
    match (&line.opens_at, &line.closes_at) {
        (Some(opens), _) => {
            let until = ui.t("اکنون بسته؛ باز می‌شود:", "closed now; opens:");
            (format!("{until} {}", ui.lately(opens)), "warn")
        }
        (None, Some(closes)) => {
            let until = ui.t("اکنون باز؛ تا", "open now; until");
            (format!("{until} {}", ui.lately(closes)), "good")
        }
        (None, None) => (ui.t("همیشه باز", "always open").to_owned(), "good"),
    }
}

fn health(ui: &Ui, line: &OwnLine) -> (&'static str, &'static str) {
    if !line.settings.can_send {
        return ("", "");
    }
    let of = |reach: Reach| {
        line.operators
            .iter()
            .filter(|one| one.reach == reach)
            .count()
    };
    let (up, all) = (of(Reach::Up) + of(Reach::StandIn), line.operators.len());
    if up == all && of(Reach::StandIn) == 0 {
        (ui.t("همهٔ مسیرها برقرار است", "all routes are up"), "good")
    } else if up == all {
        (
            ui.t(
                "برقرار؛ شماری از مسیر جایگزین",
                "up; some by a stand-in route",
            ),
            "good",
        )
    } else if up == 0 {
        (ui.t("هیچ مسیری برقرار نیست", "no route is up"), "bad")
    } else {
        (
            ui.t(
                "شماری از اپراتورها در دسترس نیستند",
                "some operators cannot be reached",
            ),
            "warn",
        )
    }
}

fn reach(ui: &Ui, reach: Reach) -> (&'static str, &'static str) {
    match reach {
        Reach::Up => (ui.t("برقرار", "up"), "good"),
        Reach::StandIn => (ui.t("برقرار، از مسیر جایگزین", "up, by a stand-in"), "good"),
        Reach::Down => (ui.t("قطع", "down"), "bad"),
        Reach::NoRoute => (ui.t("بدون مسیر", "no route"), "off"),
    }
}

/// `۰۸:۰۰`.
fn clock(ui: &Ui, minute: u16) -> String {
    let text = format!("{:02}:{:02}", minute / HOUR_MINUTES, minute % HOUR_MINUTES);
    ui.digits(text)
}

fn facts(ui: &Ui, line: &OwnLine) -> Vec<(&'static str, String)> {
    let settings = &line.settings;
    let yes_no = |yes: bool| {
        if yes {
            ui.t("دارد", "yes")
        } else {
            ui.t("ندارد", "no")
        }
    };
    let mut facts = Vec::new();
    if settings.can_send {
        let hours = match settings.hours {
            None => ui.t("شبانه‌روز", "day and night").to_owned(),
            Some(hours) => format!(
                "{} {} {}",
                clock(ui, hours.from_minute()),
                ui.t("تا", "to"),
                clock(ui, hours.to_minute())
            ),
        };
        facts.push((ui.t("ساعت ارسال", "Sends"), hours));
        if settings.hours.is_some() {
            let outside = match settings.outside_hours {
                WhenClosed::Queue => ui.t("می‌ماند تا خط باز شود", "waits until it opens"),
                WhenClosed::Refuse => ui.t("پذیرفته نمی‌شود", "is refused"),
            };
            facts.push((
                ui.t("ارسال بیرون از ساعت", "Outside its hours a bulk"),
                outside.to_owned(),
            ));
        }
        let approval = match settings.approve_texts {
            true => ui.t(
                "هر متنی پیش از ارسال تأیید می‌شود",
                "every text, before it is sent",
            ),
            false => ui.t(
                "نیازی نیست، مگر متنی به قاعده‌ای بخورد",
                "none, unless a rule asks for it",
            ),
        };
        facts.push((ui.t("تأیید متن", "Approval"), approval.to_owned()));
        facts.push((
            ui.t("ارسال گروهی", "Several recipients"),
            yes_no(settings.bulk_allowed).to_owned(),
        ));
        let refund = match settings.refund_basis {
            RefundBasis::Send => ui.t(
                "پیامک‌هایی که به اپراتور نرسند",
                "what never reached the operator",
            ),
            RefundBasis::Delivery => ui.t("پیامک‌هایی که به گیرنده نرسند", "what was not delivered"),
        };
        facts.push((ui.t("بازگشت هزینه", "Given back"), refund.to_owned()));
        if let Some(rate) = settings.rate_per_second {
            let rate = format!(
                "{} {}",
                ui.num(rate),
                ui.t("بخش در ثانیه", "parts a second")
            );
            facts.push((ui.t("بیشترین سرعت", "At most"), rate));
        }
    }
    facts.push((
        ui.t("دریافت پیامک", "Receives"),
        yes_no(line.receives).to_owned(),
    ));
    facts
}

/// Prices, with operators that cost the same and stand alike in one row.
fn prices(visitor: &Visitor, operators: &[LineOperator]) -> Vec<PriceRow> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let name = |one: &LineOperator| {
        let operator = app.operators().by_id(one.operator);
        operator.map_or_else(String::new, |operator| {
            ui.t(&operator.name_fa, &operator.name_en).to_owned()
        })
    };
    let price = |price: Option<Rials>| match price {
        Some(price) => ui.rials(&price),
        None => "–".to_owned(),
    };
    let mut groups: Vec<(&LineOperator, Vec<String>)> = Vec::new();
    for one in operators {
        let alike = groups.iter_mut().find(|(first, _)| {
            (first.ucs2, first.gsm7, first.reach) == (one.ucs2, one.gsm7, one.reach)
        });
        match alike {
            Some((_, names)) => names.push(name(one)),
            None => groups.push((one, vec![name(one)])),
        }
    }
    groups
        .into_iter()
        .map(|(one, operators)| {
            let (reach, class) = reach(ui, one.reach);
            PriceRow {
                operators,
                ucs2: price(one.ucs2),
                gsm7: price(one.gsm7),
                reach,
                class,
            }
        })
        .collect()
}
