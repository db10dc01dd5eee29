//! The rules that make a text wait for approval.

use super::edit::unprocessable_if;
use super::sheet::{Given, Group, Sheet, about};
use super::{audited, id, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::Catalog;
use app::console::Change;
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::approval::{RULE_CHARS_MAX, RuleMatch, RuleScope};
use domain::ids::{AccountId, LineId, RuleId};
use domain::line::LineClass;
use domain::user::Permission;
use serde::Deserialize;

/// Where the rules are.
const RULES: &str = "/console/staff/approval-rules";
/// Characters of a text that is tried.
const TRIED_CHARS_MAX: usize = 5_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/approval-rules", Permission::Approve, list)
        .action("/staff/approval-rules", Permission::Approve, add)
        .action("/staff/approval-rules/try", Permission::Approve, try_text)
        .action(
            "/staff/approval-rules/{rule}/remove",
            Permission::Approve,
            remove,
        )
}

/// What is typed for a new rule.
struct NewRule {
    kind: String,
    what: String,
    class: String,
    line: String,
    account: String,
    note: String,
}

impl Default for NewRule {
    fn default() -> Self {
        Self {
            kind: "word".into(),
            what: String::new(),
            class: "any".into(),
            line: String::new(),
            account: String::new(),
            note: String::new(),
        }
    }
}

fn describe(sheet: &mut Sheet<'_>, rule: &mut NewRule, catalog: &Catalog) {
    let t = |fa: &str, en: &str| sheet.lang().pick(fa, en).to_owned();
    let kinds = [
        (
            "word".to_owned(),
            t("واژه یا چند واژه", "a word, or several in a row"),
        ),
        (
            "link".to_owned(),
            t("هر پیوند یا نشانی سایت", "any link or host"),
        ),
        (
            "pattern".to_owned(),
            t("عبارت منظم", "a regular expression"),
        ),
        ("everything".to_owned(), t("هر متنی", "every text")),
    ];
    let classes = [
        ("any".to_owned(), t("همهٔ خط‌ها", "all lines")),
        (
            "advertising".to_owned(),
            t("خط‌های تبلیغاتی", "advertising lines"),
        ),
        ("service".to_owned(), t("خط‌های خدماتی", "service lines")),
    ];
    let mut lines = vec![(String::new(), t("همهٔ خط‌ها", "all lines"))];
    let named = |line: &domain::line::Line| (line.id.to_string(), words::line_number(line));
    lines.extend(catalog.lines.iter().map(named));
    sheet.group(["قاعدهٔ تازه", "A new rule"]);
    sheet.picked(
        about("kind", ["دنبال چه بگردد", "What it looks for"]),
        &kinds,
        &mut rule.kind,
    );
    let what = about("what", ["واژه یا عبارت", "The word or expression"]).hint([
        "واژه: * در آغاز یا پایان یعنی حرف‌های بیشتر. پیوند: سایت‌های مجاز، با فاصله از هم.",
        "Word: * at an end stands for more letters. Link: hosts that are allowed, parted by blanks.",
    ]);
    sheet.text(what, false, RULE_CHARS_MAX, &mut rule.what);
    sheet.picked(
        about("class", ["نوع خط", "Kind of line"]),
        &classes,
        &mut rule.class,
    );
    sheet.picked(about("line", ["خط", "Line"]), &lines, &mut rule.line);
    let account = about("account", ["نام کاربری حساب", "User name of the account"])
        .hint(["خالی: همهٔ حساب‌ها", "Empty: all accounts"]);
    sheet.text(account, true, 64, &mut rule.account);
    let note = about("note", ["یادداشت", "Note"]).hint([
        "برای کسی که متن را بررسی می‌کند: چرا این قاعده هست",
        "For whoever reads the text: why there is this rule",
    ]);
    sheet.text(note, false, RULE_CHARS_MAX, &mut rule.note);
}

struct Row<'a> {
    id: i64,
    what: String,
    scope: String,
    note: &'a str,
    since: String,
}

#[derive(Template)]
#[template(path = "console/operation/approval_rules.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row<'a>>,
    groups: Vec<Group>,
    error: Option<String>,
    done: Option<&'a str>,
    /// A text that was tried, with the rules that would hold it.
    tried: Option<(&'a str, Vec<String>)>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let done = match asked.done.as_str() {
        "added" => Some(["قاعده افزوده شد.", "The rule was added."]),
        "removed" => Some(["قاعده برداشته شد.", "The rule was removed."]),
        _ => None,
    };
    let done = done.map(|words| visitor.ui.lang.pick(words[0], words[1]));
    page(&visitor, None, None, done, None).await
}

async fn page(
    visitor: &Visitor,
    given: Option<&Given>,
    error: Option<String>,
    done: Option<&str>,
    tried: Option<&str>,
) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let (rules, catalog) = (app.approval_rules().await?, app.catalog().await?);
    let mut sheet = match given {
        Some(given) => Sheet::read(ui, given),
        None => Sheet::shown(ui),
    };
    describe(&mut sheet, &mut NewRule::default(), &catalog);
    let refused = error.is_some() || sheet.is_wrong();
    let tried = match tried {
        None => None,
        Some(text) => {
            let hits = app.test_approval(text).await?;
            let said = hits.iter().map(|rule| words::matches(ui, &rule.matches));
            Some((text, said.collect()))
        }
    };
    let rows = rules.iter().map(|rule| Row {
        id: rule.id.0,
        what: words::matches(ui, &rule.matches),
        scope: words::scope(ui, rule, &catalog),
        note: &rule.note,
        since: ui.date(&rule.created_at),
    });
    let page = html(&Page {
        ui,
        rows: rows.collect(),
        groups: sheet.into_groups(),
        error,
        done,
        tried,
    })?;
    unprocessable_if(refused, page)
}

async fn add(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let given = Given::of(pairs);
    let catalog = visitor.app.catalog().await?;
    let mut rule = NewRule::default();
    let mut sheet = Sheet::read(&visitor.ui, &given);
    describe(&mut sheet, &mut rule, &catalog);
    if sheet.is_wrong() {
        return page(&visitor, Some(&given), None, None, None).await;
    }
    let account = match rule.account.as_str() {
        "" => None,
        name => match visitor.app.account(name).await {
            Ok(account) => Some(account.id),
            Err(error) => {
                let said = problem::sentence(&visitor.ui, error)?;
                return page(&visitor, Some(&given), Some(said), None, None).await;
            }
        },
    };
    let matches = matches(&rule);
    let scope = scope(&rule, account);
    let change = Change::by(&visitor.person, "approval_rule.add", &matches).with(&rule.note);
    let made = visitor.app.add_approval_rule(matches, scope, &rule.note);
    match audited(&visitor, change, made).await? {
        Ok(_) => Ok(Redirect::to(&format!("{RULES}?done=added")).into_response()),
        Err(error) => {
            let said = problem::sentence(&visitor.ui, error)?;
            page(&visitor, Some(&given), Some(said), None, None).await
        }
    }
}

fn matches(rule: &NewRule) -> RuleMatch {
    match rule.kind.as_str() {
        "pattern" => RuleMatch::Pattern(rule.what.clone()),
        "link" => {
            let hosts = rule.what.split([' ', ',', '،', '\t']);
            let except = hosts.filter(|host| !host.is_empty()).map(str::to_owned);
            RuleMatch::Link {
                except: except.collect(),
            }
        }
        "everything" => RuleMatch::Everything,
        _ => RuleMatch::Word(rule.what.clone()),
    }
}

fn scope(rule: &NewRule, account: Option<AccountId>) -> RuleScope {
    RuleScope {
        class: match rule.class.as_str() {
            "advertising" => Some(LineClass::Advertising),
            "service" => Some(LineClass::Service),
            _ => None,
        },
        line: rule.line.parse().ok().map(LineId),
        account,
    }
}

async fn try_text(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let given = Given::of(pairs);
    let text: String = given.one("text").chars().take(TRIED_CHARS_MAX).collect();
    page(&visitor, None, None, None, Some(&text)).await
}

async fn remove(visitor: Visitor, Path(rule): Path<String>) -> Result<Response, Trouble> {
    let rule = RuleId(id(&rule)?);
    let rules = visitor.app.approval_rules().await?;
    let known = rules.into_iter().find(|one| one.id == rule);
    let known = known.ok_or(Trouble::NotFound)?;
    let change = Change::by(&visitor.person, "approval_rule.remove", known);
    audited(&visitor, change, visitor.app.remove_approval_rule(rule)).await??;
    Ok(Redirect::to(&format!("{RULES}?done=removed")).into_response())
}
