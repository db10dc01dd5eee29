//! How a page is written for whoever looks at it: language, look, calendar, digits, and what of the
//! navigation is theirs.
//!
//! Both languages of a label stand side by side where it is used, `ui.t("ورود", "Sign in")`, so that
//! none can be missing. What is said in several places is in `words.rs`.

use super::format::Quantity;
use super::{format, words};
pub(super) use crate::docs::Lang;
use app::console::Person;
use domain::link::LinkState;
use domain::money::Rials;
use domain::state::State;
use domain::time::UnixMillis;
use domain::user::{Permission, Role};
use std::fmt::Display;
use std::sync::Arc;

/// What the console calls itself where no company put its own name.
const TITLE: [&str; 2] = ["پیک", "peyk"];

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the device is set.
    Device,
    /// Dark letters on light paper.
    Light,
    /// Light letters on dark paper.
    Dark,
}

impl Theme {
    /// The word for attribute and cookie.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The look with this word; any other is the device's.
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Device,
        }
    }
}

/// How a page is written.
#[derive(Clone, Debug)]
pub(super) struct Ui {
    pub(super) lang: Lang,
    pub(super) theme: Theme,
    /// The time at which the page is written.
    pub(super) now: UnixMillis,
    /// The path and query that were asked for.
    pub(super) path: String,
    /// What the company calls its console; empty for peyk's own name.
    pub(super) title: Arc<str>,
    /// Who looks at it, where somebody is signed in.
    pub(super) person: Option<Arc<Person>>,
    /// The credit of their account, where it is low and they may see it.
    pub(super) low_credit: Option<Rials>,
    /// Whether their account may open others.
    pub(super) reseller: bool,
}

/// A heading of the navigation.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) links: Vec<NavLink>,
}

/// A link of the navigation.
pub(super) struct NavLink {
    pub(super) href: &'static str,
    pub(super) icon: &'static str,
    pub(super) title: &'static str,
    pub(super) is_here: bool,
}

impl Ui {
    /// The text in the language of the page.
    pub(super) fn t<'a>(&self, fa: &'a str, en: &'a str) -> &'a str {
        self.lang.pick(fa, en)
    }

    /// What stands at the top and in the title of the window.
    pub(super) fn brand(&self) -> &str {
        if self.title.is_empty() {
            self.t(TITLE[0], TITLE[1])
        } else {
            &self.title
        }
    }

    /// Whether the page is Persian.
    pub(super) fn is_fa(&self) -> bool {
        self.lang == Lang::Fa
    }

    /// A quantity, with its thousands apart. Numbers that people copy (of phones, lines, bulks)
    /// are written by [`Ui::code`] instead.
    pub(super) fn num(&self, number: impl Quantity) -> String {
        format::number(self.lang, number.count())
    }

    /// A share in percent, with one digit behind the point.
    pub(super) fn percent(&self, part: impl Quantity, whole: impl Quantity) -> String {
        format::percent(self.lang, part.count(), whole.count())
    }

    /// Money, with its unit.
    pub(super) fn rials(&self, rials: &Rials) -> String {
        let number = format::number(self.lang, rials.0);
        format!("{number} {}", self.t("ریال", "rials"))
    }

    /// Digits in the script of the page, for text that has numbers in it.
    pub(super) fn digits(&self, text: impl Display) -> String {
        format::digits(self.lang, &text.to_string())
    }

    /// Date and time in Tehran: `۱ آذر ۱۴۰۵، ۱۴:۰۵`, `22 Nov 2026, 14:05`.
    pub(super) fn when(&self, at: &UnixMillis) -> String {
        format::date_and_time(self.lang, *at)
    }

    /// The date in Tehran.
    pub(super) fn date(&self, at: &UnixMillis) -> String {
        format::date(self.lang, *at)
    }

    /// The time alone where it is today's, else with its date.
    pub(super) fn lately(&self, at: &UnixMillis) -> String {
        format::lately(self.lang, *at, self.now)
    }

    /// What a text of strangers looks like: signs that would turn or hide the text around them are
    /// shown for what they are. It is escaped like any other text.
    pub(super) fn shown(&self, text: impl AsRef<str>) -> String {
        format::shown(text.as_ref())
    }

    /// The word of a recipient's state.
    pub(super) fn state(&self, state: &State) -> &'static str {
        words::state(self.lang, *state)
    }

    /// The word of a link's state.
    pub(super) fn link_state(&self, state: &LinkState) -> &'static str {
        words::link_state(self.lang, *state)
    }

    /// The word of a person's role.
    pub(super) fn role(&self, role: &Role) -> &'static str {
        words::role(self.lang, *role)
    }

    /// Whether whoever looks may do this now.
    pub(super) fn may(&self, permission: Permission) -> bool {
        let person = self.person.as_ref();
        person.is_some_and(|person| person.may(permission, self.now))
    }

    /// Whether this entry of the navigation is theirs.
    fn is_theirs(&self, item: &NavItem) -> bool {
        self.may(item.needs) && (self.reseller || item.needs != Permission::KeepSubAccounts)
    }

    /// Whether whoever looks is of the staff.
    pub(super) fn is_staff(&self) -> bool {
        let person = self.person.as_ref();
        person.is_some_and(|person| person.account.is_none())
    }

    /// The navigation, with what is theirs.
    pub(super) fn nav(&self) -> Vec<Section> {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut sections: Vec<Section> = Vec::new();
        // The longest address that the page's begins with is the one that it belongs to.
        let belongs = |href: &str| {
            path == href
                || path
                    .strip_prefix(href)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let longest = NAV
            .iter()
            .filter(|item| belongs(item.href))
            .map(|item| item.href.len())
            .max();
        for item in NAV.iter().filter(|item| self.is_theirs(item)) {
            let title = self.t(item.section[0], item.section[1]);
            let link = NavLink {
                href: item.href,
                icon: item.icon,
                title: self.t(item.title[0], item.title[1]),
                is_here: belongs(item.href) && Some(item.href.len()) == longest,
            };
            match sections.last_mut() {
                Some(section) if section.title == title => section.links.push(link),
                _ => sections.push(Section {
                    title,
                    links: vec![link],
                }),
            }
        }
        sections
    }
}

/// An entry of the navigation: in its section, with the permission without which it is not shown.
struct NavItem {
    section: [&'static str; 2],
    href: &'static str,
    icon: &'static str,
    title: [&'static str; 2],
    needs: Permission,
}

const SEND: [&str; 2] = ["ارسال", "Sending"];
const CONTACTS: [&str; 2] = ["مخاطبان و دریافت", "Contacts and inbox"];
const ACCOUNT: [&str; 2] = ["حساب", "Account"];
const OPERATION: [&str; 2] = ["بهره‌برداری", "Operation"];
const SETUP: [&str; 2] = ["تنظیمات سامانه", "Set-up"];

const fn item(
    section: [&'static str; 2],
    href: &'static str,
    icon: &'static str,
    title: [&'static str; 2],
    needs: Permission,
) -> NavItem {
    NavItem {
        section,
        href,
        icon,
        title,
        needs,
    }
}

/// The navigation, in its order. A test follows each of these links.
const NAV: &[NavItem] = &[
    item(
        SEND,
        "/console/home",
        "home",
        ["داشبورد", "Dashboard"],
        Permission::SeeReports,
    ),
    item(
        SEND,
        "/console/compose",
        "send",
        ["پیام جدید", "New message"],
        Permission::Send,
    ),
    item(
        SEND,
        "/console/drafts",
        "draft",
        ["پیش‌نویس‌ها", "Drafts"],
        Permission::Send,
    ),
    item(
        SEND,
        "/console/bulks",
        "chart",
        ["گزارش ارسال‌ها", "Reports"],
        Permission::SeeReports,
    ),
    item(
        SEND,
        "/console/patterns",
        "pattern",
        ["الگوها", "Patterns"],
        Permission::KeepPatterns,
    ),
    item(
        SEND,
        "/console/lines",
        "line",
        ["خط‌ها", "Lines"],
        Permission::SeeReports,
    ),
    item(
        CONTACTS,
        "/console/books",
        "book",
        ["دفترچه‌های تلفن", "Phonebooks"],
        Permission::KeepBooks,
    ),
    item(
        CONTACTS,
        "/console/inbox",
        "inbox",
        ["صندوق دریافت", "Inbox"],
        Permission::KeepInbox,
    ),
    item(
        CONTACTS,
        "/console/rules",
        "route",
        ["قاعده‌های کلیدواژه", "Keyword rules"],
        Permission::KeepInbox,
    ),
    item(
        ACCOUNT,
        "/console/ledger",
        "money",
        ["گردش حساب", "Ledger"],
        Permission::SeeMoney,
    ),
    item(
        ACCOUNT,
        "/console/alerts",
        "bell",
        ["هشدار اعتبار", "Low credit"],
        Permission::KeepKeys,
    ),
    item(
        ACCOUNT,
        "/console/keys",
        "key",
        ["کلیدهای دسترسی", "API keys"],
        Permission::KeepKeys,
    ),
    item(
        ACCOUNT,
        "/console/callbacks",
        "link",
        ["نشانی‌های فراخوانی", "Callbacks"],
        Permission::KeepKeys,
    ),
    item(
        ACCOUNT,
        "/console/users",
        "people",
        ["کاربران", "People"],
        Permission::KeepUsers,
    ),
    item(
        ACCOUNT,
        "/console/sub-accounts",
        "tree",
        ["زیرحساب‌ها", "Sub-accounts"],
        Permission::KeepSubAccounts,
    ),
    item(
        ACCOUNT,
        "/console/packages",
        "package",
        ["بسته‌ها", "Packages"],
        Permission::KeepSubAccounts,
    ),
    item(
        OPERATION,
        "/console/staff/home",
        "home",
        ["داشبورد سامانه", "Dashboard"],
        Permission::SeeOperation,
    ),
    item(
        OPERATION,
        "/console/staff/approvals",
        "check",
        ["تأیید متن‌ها", "Texts to approve"],
        Permission::Approve,
    ),
    item(
        OPERATION,
        "/console/staff/health",
        "heart",
        ["سلامت", "Health"],
        Permission::SeeOperation,
    ),
    item(
        OPERATION,
        "/console/staff/links",
        "link",
        ["لینک‌ها", "Links"],
        Permission::SeeOperation,
    ),
    item(
        OPERATION,
        "/console/staff/accounts",
        "people",
        ["حساب‌ها", "Accounts"],
        Permission::SeeOperation,
    ),
    item(
        OPERATION,
        "/console/staff/tickets",
        "ticket",
        ["تیکت‌ها", "Tickets"],
        Permission::AnswerTickets,
    ),
    item(
        OPERATION,
        "/console/staff/blacklists",
        "ban",
        ["لیست‌های سیاه", "Blacklists"],
        Permission::SeeOperation,
    ),
    item(
        OPERATION,
        "/console/staff/audit",
        "log",
        ["ثبت رخدادها", "Audit log"],
        Permission::SeeAudit,
    ),
    item(
        SETUP,
        "/console/staff/lines",
        "line",
        ["خط‌ها", "Lines"],
        Permission::SeeOperation,
    ),
    item(
        SETUP,
        "/console/staff/tariffs",
        "money",
        ["تعرفه‌ها", "Prices"],
        Permission::SeeOperation,
    ),
    item(
        SETUP,
        "/console/staff/packages",
        "package",
        ["بسته‌ها", "Packages"],
        Permission::SeeOperation,
    ),
    item(
        SETUP,
        "/console/staff/approval-rules",
        "shield",
        ["قاعده‌های تأیید", "Approval rules"],
        Permission::Approve,
    ),
    item(
        SETUP,
        "/console/staff/directory",
        "map",
        ["بانک شماره", "Directory"],
        Permission::SeeOperation,
    ),
    item(
        SETUP,
        "/console/staff/people",
        "person",
        ["کارکنان", "Staff"],
        Permission::KeepStaff,
    ),
    item(
        SETUP,
        "/console/staff/settings",
        "gear",
        ["پیکربندی", "Configuration"],
        Permission::SeeOperation,
    ),
];

/// The addresses of the navigation with what they need, for a test.
#[cfg(test)]
pub(super) fn nav_items() -> impl Iterator<Item = (&'static str, Permission)> {
    NAV.iter().map(|item| (item.href, item.needs))
}
