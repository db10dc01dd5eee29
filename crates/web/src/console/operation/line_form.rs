//! The settings of a line, as a form.

use super::link_form::titled;
use super::sheet::{Kind, Sheet, Words, about, latin};
use crate::console::format::read_clock;
use app::Catalog;
use app::manage::REPORT_HOURS_MAX;
use domain::ids::{AccountId, LinkId, OperatorId};
use domain::line::{InDoubt, LineClass, LineSettings, RefundBasis, Route, WhenClosed};
use domain::operator::Operators;
use domain::schedule::SendingHours;
use domain::text::ReferenceBits;

/// Messages a second that may be set.
const RATE_MAX: u32 = 1_000_000;
/// Seconds of a validity period that may be set: a week.
const VALIDITY_SECONDS_MAX: u32 = 7 * 86_400;
/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;

/// What the form names: links and operators.
pub(super) struct Names<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) operators: &'a Operators,
}

/// Describes every setting of a line but its routes.
pub(super) fn describe(sheet: &mut Sheet<'_>, line: &mut LineSettings) {
    class(sheet, line);
    times(sheet, line);
    terms(sheet, line);
    inbound(sheet, line);
}

fn class(sheet: &mut Sheet<'_>, line: &mut LineSettings) {
    sheet.group(["کاربرد", "Use"]);
    let classes = titled(
        sheet.lang(),
        &[
            (LineClass::Service, "service", ["خدماتی", "service"]),
            (
                LineClass::Advertising,
                "advertising",
                [
                    "تبلیغاتی (لیست سیاه مخابرات اعمال می‌شود)",
                    "advertising (the regulator's list binds it)",
                ],
            ),
        ],
    );
    sheet.choice(
        about("class", ["نوع خط", "Kind of line"]),
        &classes,
        &mut line.class,
    );
    sheet.check(
        about("can_send", ["می‌تواند بفرستد", "It may send"]),
        &mut line.can_send,
    );
    sheet.check(
        about("can_receive", ["می‌تواند دریافت کند", "It may receive"]),
        &mut line.can_receive,
    );
    sheet.check(
        about(
            "bulk_allowed",
            [
                "چند گیرنده در یک درخواست",
                "Several recipients in a request",
            ],
        ),
        &mut line.bulk_allowed,
    );
    let approve = about(
        "approve_texts",
        ["همهٔ متن‌ها تأیید می‌خواهند", "Every text needs approval"],
    )
    .hint([
        "جز متن حساب‌های مورد اعتماد",
        "But those of trusted accounts",
    ]);
    sheet.check(approve, &mut line.approve_texts);
}

fn times(sheet: &mut Sheet<'_>, line: &mut LineSettings) {
    sheet.group(["ساعت و سرعت", "Hours and pace"]);
    let hours = about(
        "hours",
        [
            "ساعت مجاز ارسال (تهران)",
            "Hours in which it may send (Tehran)",
        ],
    )
    .hint([
        "مانند 08:00-22:00. خالی: همیشه",
        "Such as 08:00-22:00. Empty: always",
    ]);
    let shown = line.hours.map_or_else(String::new, String::from);
    sheet.parsed(hours, Kind::Text, shown, &mut line.hours, read_hours);
    let ways = titled(
        sheet.lang(),
        &[
            (
                WhenClosed::Queue,
                "queue",
                ["در صف می‌ماند تا ممکن شود", "it waits until it can leave"],
            ),
            (
                WhenClosed::Refuse,
                "refuse",
                ["درخواست رد می‌شود", "the request is refused"],
            ),
        ],
    );
    sheet.choice(
        about("outside_hours", ["بیرون از ساعت مجاز", "Outside the hours"]),
        &ways,
        &mut line.outside_hours,
    );
    sheet.choice(
        about("link_down", ["وقتی لینک قطع است", "While the link is down"]),
        &ways,
        &mut line.link_down,
    );
    let rate = about(
        "rate_per_second",
        ["سقف پیامک در ثانیه", "Messages a second at most"],
    )
    .hint(["خالی: به سرعت لینک", "Empty: as fast as the link"]);
    sheet.maybe(rate, 1, RATE_MAX, &mut line.rate_per_second);
    let validity = about("validity_seconds", ["اعتبار پیامک (ثانیه)", "Validity (seconds)"]).hint([
        "پس از این زمان دیگر فرستاده نمی‌شود؛ برای رمزهای یک‌بارمصرف. خالی: بی‌پایان",
        "A text that has not left by then is given up; right for one-time passwords. Empty: no limit",
    ]);
    sheet.maybe(
        validity,
        1,
        VALIDITY_SECONDS_MAX,
        &mut line.validity_seconds,
    );
}

fn terms(sheet: &mut Sheet<'_>, line: &mut LineSettings) {
    sheet.group(["هزینه و تحویل", "Money and delivery"]);
    let refunds = titled(
        sheet.lang(),
        &[
            (
                RefundBasis::Send,
                "send",
                ["آنچه به اپراتور نرسید", "what never reached the operator"],
            ),
            (
                RefundBasis::Delivery,
                "delivery",
                ["آنچه به گیرنده نرسید", "what did not reach the handset"],
            ),
        ],
    );
    sheet.choice(
        about(
            "refund_basis",
            ["هزینهٔ چه چیزی برمی‌گردد", "What is given back"],
        ),
        &refunds,
        &mut line.refund_basis,
    );
    let doubts = titled(
        sheet.lang(),
        &[
            (
                InDoubt::Resend,
                "resend",
                [
                    "دوباره بفرست (شاید دو بار برسد)",
                    "send again (it may arrive twice)",
                ],
            ),
            (
                InDoubt::Hold,
                "hold",
                ["نگه دار (شاید نرسد)", "hold it (it may be missing)"],
            ),
        ],
    );
    sheet.choice(
        about(
            "in_doubt",
            [
                "وقتی پاسخ اپراتور گم شد",
                "When the operator's answer was lost",
            ],
        ),
        &doubts,
        &mut line.in_doubt,
    );
    delivery(sheet, line);
}

fn delivery(sheet: &mut Sheet<'_>, line: &mut LineSettings) {
    let report = about(
        "report_hours",
        [
            "صبر برای گزارش تحویل (ساعت)",
            "A receipt is awaited for (hours)",
        ],
    );
    sheet.number(report, 1, REPORT_HOURS_MAX, &mut line.report_hours);
    let bits = titled(
        sheet.lang(),
        &[
            (
                ReferenceBits::Eight,
                "8",
                [
                    "۸ بیت (۶۷ نویسهٔ فارسی در هر بخش)",
                    "8 bits (67 Persian characters a part)",
                ],
            ),
            (
                ReferenceBits::Sixteen,
                "16",
                [
                    "۱۶ بیت (۶۶ نویسهٔ فارسی در هر بخش)",
                    "16 bits (66 Persian characters a part)",
                ],
            ),
        ],
    );
    sheet.choice(
        about(
            "reference_bits",
            ["شمارهٔ پیوند بخش‌ها", "Number that joins parts"],
        ),
        &bits,
        &mut line.reference_bits,
    );
}

fn inbound(sheet: &mut Sheet<'_>, line: &mut LineSettings) {
    sheet.group(["پیامک‌های دریافتی", "Messages from handsets"]);
    let words = about(
        "opt_out_words",
        ["۱۱ لغو و ۱۲ بازگشت", "11 opts out, 12 back in"],
    )
    .hint([
        "کسی که به خط ۱۱ بفرستد در لیست سیاه همین خط می‌رود",
        "Who sends 11 to the line comes onto its own blacklist",
    ]);
    sheet.check(words, &mut line.opt_out_words);
    let account = about(
        "inbound_account",
        [
            "شمارهٔ حسابی که دریافت می‌کند",
            "Number of the account that gets them",
        ],
    )
    .hint([
        "خالی: تنها حسابی که خط را دارد",
        "Empty: the one account that has the line",
    ]);
    let mut id = line.inbound_account.map(|account| account.0);
    sheet.maybe(account, 1, i64::MAX, &mut id);
    line.inbound_account = id.map(AccountId);
}

/// Describes a line's routes: for each operator a link and a fallback, and for all others.
pub(super) fn routes(sheet: &mut Sheet<'_>, names: &Names<'_>, line: &mut LineSettings) {
    sheet.group(["مسیرها", "Routes"]);
    let every = std::iter::once(None);
    let each = names.operators.iter().map(|operator| Some(operator.id));
    let mut routes = Vec::new();
    for operator in every.chain(each) {
        let current = line.routes.iter().find(|route| route.operator == operator);
        let mut link = current.map_or_else(String::new, |route| route.link.to_string());
        let fallback = current.and_then(|route| route.fallback);
        let mut fallback = fallback.map_or_else(String::new, |link| link.to_string());
        let key = operator_key(names, operator);
        let (first, second) = labels(sheet, names, operator);
        sheet.picked_named(
            format!("route-{key}"),
            first,
            &links(sheet, names, true),
            &mut link,
        );
        sheet.picked_named(
            format!("fallback-{key}"),
            second,
            &links(sheet, names, false),
            &mut fallback,
        );
        let id = |text: &str| text.parse().ok().map(LinkId);
        if let Some(link) = id(&link) {
            routes.push(Route {
                operator,
                link,
                fallback: id(&fallback),
            });
        }
    }
    line.routes = routes;
}

fn operator_key(names: &Names<'_>, operator: Option<OperatorId>) -> String {
    let known = operator.and_then(|id| names.operators.by_id(id));
    known.map_or_else(|| "every".into(), |operator| operator.key.clone())
}

fn labels(sheet: &Sheet<'_>, names: &Names<'_>, operator: Option<OperatorId>) -> (String, String) {
    let known = operator.and_then(|id| names.operators.by_id(id));
    let of = match known {
        Some(operator) => sheet.lang().pick(&operator.name_fa, &operator.name_en),
        None => sheet.lang().pick("همهٔ اپراتورها", "every operator"),
    };
    let fallback = sheet.lang().pick("جایگزین", "fallback");
    (of.to_owned(), format!("{of}: {fallback}"))
}

fn links(sheet: &Sheet<'_>, names: &Names<'_>, first: bool) -> Vec<(String, String)> {
    let none = match first {
        true => sheet.lang().pick("مسیر ویژه ندارد", "no route of its own"),
        false => sheet.lang().pick("بدون جایگزین", "no fallback"),
    };
    let links = names.catalog.links.iter();
    let links = links.map(|link| (link.id.to_string(), link.name.clone()));
    std::iter::once((String::new(), none.to_owned()))
        .chain(links)
        .collect()
}

fn read_hours(text: &str) -> Result<Option<SendingHours>, Words> {
    let wrong = [
        "ساعت‌ها را مانند 08:00-22:00 بنویسید؛ اولی پیش از دومی، حداکثر 24:00.",
        "Write hours like 08:00-22:00, the first before the second, up to 24:00.",
    ];
    if text.is_empty() {
        return Ok(None);
    }
    let (from, to) = text.split_once(['-', '–', '−']).ok_or(wrong)?;
    let to = match latin(to).as_str() {
        "24:00" => Some(DAY_MINUTES),
        _ => read_clock(to),
    };
    let (from, to) = read_clock(from).zip(to).ok_or(wrong)?;
    SendingHours::new(from, to).map(Some).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_with_the_digits_of_either_script() {
        let hours = read_hours("۰۸:۰۰ - 22:00").unwrap().unwrap();
        assert_eq!(String::from(hours), "08:00-22:00");
        assert!(read_hours("").unwrap().is_none());
        assert!(read_hours("00:00-24:00").unwrap().is_some());
        for wrong in ["8", "22:00-08:00", "a-b", "08:00-25:00"] {
            assert!(read_hours(wrong).is_err(), "{wrong}");
        }
    }
}
