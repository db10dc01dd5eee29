//! Keyword rules: what is done with a message that has a word in it.

use super::super::door::Visitor;
use super::super::form::{self, Fields, value, values};
use super::super::routes::Routes;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use app::console::{Change, InboxQuery, OwnLine};
use app::inbox::{RULES_PER_ACCOUNT_MAX, check_callback_url};
use app::{InboundMessage, NewRule};
use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::RuleNo;
use domain::inbound::rule::{
    Actions, BOOKS_PER_RULE_MAX, Comparable, Matching, Rule, WORD_CHARS_MAX,
};
use domain::phonebook::{Book, read_book_id};
use domain::text::{PARTS_MAX, ReferenceBits, measure};
use domain::user::Permission;
use serde::Deserialize;

const HOME: &str = "/console/rules";
/// Messages that are looked at for what the rules did lately.
const MESSAGES_LOOKED_AT: usize = 500;
/// What may be compared, by its words in the form.
const MATCHINGS: [(&str, Matching); 4] = [
    ("first_word", Matching::FirstWord),
    ("whole", Matching::Whole),
    ("contains", Matching::Contains),
    ("any", Matching::Any),
];

/// The words behind `?done=`.
const DONE: &[(&str, [&str; 2])] = &[
    ("added", ["قاعده افزوده شد.", "The rule was added."]),
    ("removed", ["قاعده پاک شد.", "The rule was removed."]),
];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/rules", Permission::KeepInbox, list)
        .action("/rules", Permission::KeepInbox, add)
        .action("/rules/{rule}/remove", Permission::KeepInbox, remove)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    done: String,
}

struct RuleRow {
    no: u32,
    line: String,
    takes: &'static str,
    word: String,
    answer: String,
    forward: String,
    adds: Vec<String>,
    removes: Vec<String>,
    used: String,
    last: String,
}

/// A rule as it is typed.
#[derive(Default)]
struct RuleForm {
    line: String,
    matching: String,
    word: String,
    answer: String,
    forward: String,
    add_to: Vec<String>,
    remove_from: Vec<String>,
    error: String,
    /// The name of the field that the error is of.
    wrong: &'static str,
}

struct Choice {
    value: String,
    title: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/inbox/rules.html")]
struct RulesPage<'a> {
    ui: &'a Ui,
    done: &'static str,
    rules: Vec<RuleRow>,
    looked_at: String,
    lines: Vec<Choice>,
    matchings: Vec<Choice>,
    add_to: Vec<Choice>,
    remove_from: Vec<Choice>,
    form: RuleForm,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let done = form::done(&visitor.ui, &asked.done, DONE);
    page(&visitor, done, RuleForm::default()).await
}

async fn page(visitor: &Visitor, done: &'static str, form: RuleForm) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let rules = app.rules(account).await?;
    let lines = app.own_lines(account).await?;
    let books = app.books(account.id).await?;
    let lately = InboxQuery {
        limit: MESSAGES_LOOKED_AT,
        ..InboxQuery::default()
    };
    let lately = match rules.is_empty() {
        true => Vec::new(),
        false => app.inbox_page(account, lately).await?.messages,
    };
    let own = lines.iter().filter(|line| line.receives);
    let line = |line: &OwnLine| Choice {
        is_chosen: line.number == form.line,
        title: line.number.clone(),
        value: line.number.clone(),
    };
    html(&RulesPage {
        ui,
        done,
        rules: rules
            .iter()
            .map(|rule| row(ui, rule, &lines, &books, &lately))
            .collect(),
        looked_at: ui.num(lately.len()),
        lines: own.map(line).collect(),
        matchings: MATCHINGS
            .iter()
            .map(|(word, matching)| Choice {
                value: (*word).to_owned(),
                title: takes(ui, *matching).to_owned(),
                is_chosen: form.matching == *word,
            })
            .collect(),
        add_to: choices(ui, &books, &form.add_to),
        remove_from: choices(ui, &books, &form.remove_from),
        form,
    })
}

fn choices(ui: &Ui, books: &[Book], chosen: &[String]) -> Vec<Choice> {
    let choice = |book: &Book| {
        let value = book.id.to_string();
        Choice {
            is_chosen: chosen.contains(&value),
            title: ui.shown(&book.title),
            value,
        }
    };
    books.iter().map(choice).collect()
}

fn takes(ui: &Ui, matching: Matching) -> &'static str {
    let [fa, en] = match matching {
        Matching::FirstWord => ["واژهٔ نخست پیام این باشد", "the first word is"],
        Matching::Whole => ["همهٔ پیام این باشد", "the whole message is"],
        Matching::Contains => ["در پیام این بیاید", "the message contains"],
        Matching::Any => ["هر پیامی", "any message"],
    };
    ui.lang.pick(fa, en)
}

fn row(
    ui: &Ui,
    rule: &Rule,
    lines: &[OwnLine],
    books: &[Book],
    lately: &[InboundMessage],
) -> RuleRow {
    let settings = &rule.settings;
    let line = settings.line.map(|id| {
        let line = lines.iter().find(|line| line.id == id);
        line.map_or_else(|| "?".to_owned(), |line| line.number.clone())
    });
    let titles = |ids: &[domain::ids::BookId]| -> Vec<String> {
        let title = |id: &domain::ids::BookId| {
            let book = books.iter().find(|book| book.id == *id);
            book.map_or_else(|| id.to_string(), |book| ui.shown(&book.title))
        };
        ids.iter().map(title).collect()
    };
    let mark = format!("rule {}: ", rule.no);
    let did = |one: &&InboundMessage| {
        let outcome = one.outcome.as_deref().unwrap_or_default();
        outcome.split("; ").any(|piece| piece.starts_with(&mark))
    };
    let did: Vec<&InboundMessage> = lately.iter().filter(did).collect();
    RuleRow {
        no: rule.no.0,
        line: line.unwrap_or_default(),
        takes: takes(ui, settings.matching),
        word: ui.shown(&settings.word),
        answer: ui.shown(settings.actions.answer.as_deref().unwrap_or_default()),
        forward: ui.shown(settings.actions.forward.as_deref().unwrap_or_default()),
        adds: titles(&settings.actions.add_to),
        removes: titles(&settings.actions.remove_from),
        used: ui.num(did.len()),
        last: did
            .first()
            .map_or_else(String::new, |one| ui.when(&one.message.at)),
    }
}

impl RuleForm {
    fn read(form: &[(String, String)]) -> Self {
        let text = |name| value(form, name).trim().to_owned();
        Self {
            line: text("line"),
            matching: text("matching"),
            word: text("word"),
            answer: value(form, "answer").replace("\r\n", "\n"),
            forward: text("forward"),
            add_to: values(form, "add_to").map(str::to_owned).collect(),
            remove_from: values(form, "remove_from").map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    fn matching(&self) -> Matching {
        let known = MATCHINGS.iter().find(|(word, _)| *word == self.matching);
        known.map_or(Matching::FirstWord, |(_, matching)| *matching)
    }

    fn rule(&self) -> NewRule {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        let books = |ids: &[String]| ids.iter().filter_map(|id| read_book_id(id)).collect();
        NewRule {
            line: given(&self.line),
            matching: self.matching(),
            word: match self.matching() {
                Matching::Any => String::new(),
                _ => self.word.clone(),
            },
            actions: Actions {
                forward: given(&self.forward),
                answer: given(&self.answer),
                add_to: books(&self.add_to),
                remove_from: books(&self.remove_from),
            },
        }
    }

    /// The field that is wrong, and why, in both languages.
    fn fault(&self, new: &NewRule) -> Option<(&'static str, [&'static str; 2])> {
        let is_blank = Comparable::new(&new.word) == Comparable::new("");
        let several = new.word.split_whitespace().count() > 1;
        let actions = &new.actions;
        let books = actions.add_to.len() + actions.remove_from.len();
        let both = actions
            .add_to
            .iter()
            .any(|id| actions.remove_from.contains(id));
        let too_long = |text: &String| measure(text, ReferenceBits::Sixteen).parts > PARTS_MAX;
        let url = actions.forward.as_deref().map(check_callback_url);
        if new.matching != Matching::Any && is_blank {
            Some(("word", ["واژه را بنویسید.", "Write the word."]))
        } else if new.word.chars().count() > WORD_CHARS_MAX {
            Some((
                "word",
                [
                    "واژه از ۲۰۰ نویسه بیشتر است.",
                    "The word is longer than 200 characters.",
                ],
            ))
        } else if new.matching == Matching::FirstWord && several {
            Some((
                "word",
                [
                    "واژهٔ نخست نمی‌تواند چند واژه باشد.",
                    "The first word cannot be several words.",
                ],
            ))
        } else if actions.is_empty() {
            Some((
                "answer",
                [
                    "بگویید چه کاری انجام شود: پاسخ، نشانی یا دفترچه.",
                    "Say what is to be done: an answer, an address or a phonebook.",
                ],
            ))
        } else if both {
            Some((
                "remove_from",
                [
                    "یک دفترچه نمی‌تواند هم بگیرد و هم بیرون کند.",
                    "The same phonebook cannot get the sender and lose it.",
                ],
            ))
        } else if books > BOOKS_PER_RULE_MAX {
            Some((
                "add_to",
                [
                    "یک قاعده حداکثر ۲۰ دفترچه دارد.",
                    "A rule names 20 phonebooks at most.",
                ],
            ))
        } else if actions.answer.as_ref().is_some_and(too_long) {
            Some(("answer", ["پاسخ بلند است.", "The answer is too long."]))
        } else if url.is_some_and(|checked| checked.is_err()) {
            Some((
                "forward",
                [
                    "این نشانی را نمی‌توان صدا زد؛ نمونه: https://example.ir/sms",
                    "This address cannot be called; like https://example.ir/sms",
                ],
            ))
        } else {
            None
        }
    }
}

async fn add(visitor: Visitor, axum::Form(given): Fields) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let account = visitor.account()?;
    let mut form = RuleForm::read(&given);
    let new = form.rule();
    let mut fault = form.fault(&new);
    if fault.is_none() && app.rules(account).await?.len() >= RULES_PER_ACCOUNT_MAX as usize {
        fault = Some((
            "word",
            [
                "شمار قاعده‌ها به بیشترین اندازه رسیده است.",
                "The account has as many rules as it may.",
            ],
        ));
    }
    if let Some((wrong, [fa, en])) = fault {
        form.error = ui.t(fa, en).to_owned();
        form.wrong = wrong;
        return page(&visitor, "", form).await.map(form::again);
    }
    let change = Change::by(&visitor.person, "rule.add", form.matching.clone());
    app.audited(change, app.add_rule(account, new)).await??;
    Ok(Redirect::to(&format!("{HOME}?done=added")).into_response())
}

async fn remove(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let no: RuleNo = no.parse().map(RuleNo).map_err(|_| Trouble::NotFound)?;
    let app = &visitor.app;
    let account = visitor.account()?;
    let change = Change::by(&visitor.person, "rule.remove", no);
    app.audited(change, app.remove_rule(account, no)).await??;
    Ok(Redirect::to(&format!("{HOME}?done=removed")).into_response())
}
