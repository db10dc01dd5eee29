//! The staff itself: who works here, as what, and whether they may sign in.

use super::accounts::Secret;
use super::audited;
use super::edit::unprocessable_if;
use super::link_form::titled;
use super::sheet::{Given, Group, Sheet, about};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::{Change, NewPerson, PeopleError};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{AccountId, UserNo};
use domain::user::{Permission, Role, User};
use serde::Deserialize;

/// Where the staff is.
const STAFF: &str = "/console/staff/people";
/// Characters of a person's own name.
const TITLE_CHARS_MAX: usize = 100;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/people", Permission::KeepStaff, list)
        .action("/staff/people", Permission::KeepStaff, add)
        .page("/staff/people/{user}", Permission::KeepStaff, edit)
        .action("/staff/people/{user}", Permission::KeepStaff, update)
        .action(
            "/staff/people/{user}/password",
            Permission::KeepStaff,
            password,
        )
        .action("/staff/people/{user}/factor", Permission::KeepStaff, factor)
        .action("/staff/people/{user}/remove", Permission::KeepStaff, remove)
}

/// What a refused change of a person is told, in the page's language.
fn sentence(ui: &Ui, error: PeopleError) -> Result<&'static str, Trouble> {
    let [fa, en] = match error {
        PeopleError::Unavailable(error) => return Err(error.into()),
        PeopleError::Unknown => return Err(Trouble::NotFound),
        PeopleError::Name => [
            "این نام ورود نمی‌شود: حرف، رقم و . _ -، حداکثر ۶۴ نویسه.",
            "Not a name to sign in with: letters, digits and . _ -, at most 64 characters.",
        ],
        PeopleError::Exists => [
            "کسی با این نام هست.",
            "There is somebody with that name already.",
        ],
        PeopleError::TooMany => [
            "تعداد کاربران به سقف رسیده است.",
            "There are as many people as there may be.",
        ],
        PeopleError::Role => [
            "این نقش را اینجا نمی‌توان داد.",
            "This role cannot be given here.",
        ],
        PeopleError::LastAdministrator => [
            "دست‌کم یک مدیر سامانه که بتواند وارد شود باید بماند.",
            "One administrator must be left who may sign in.",
        ],
        PeopleError::Password | PeopleError::WrongPassword | PeopleError::Mobile => {
            ["پذیرفته نشد.", "It was not taken."]
        }
    };
    Ok(ui.lang.pick(fa, en))
}

/// A person by their number, or nothing here.
pub(super) async fn known(
    visitor: &Visitor,
    account: Option<AccountId>,
    no: UserNo,
) -> Result<User, Trouble> {
    match visitor.app.person_by_no(account, no).await {
        Ok(user) => Ok(user),
        Err(PeopleError::Unavailable(error)) => Err(error.into()),
        Err(_) => Err(Trouble::NotFound),
    }
}

async fn numbered(visitor: &Visitor, user: &str) -> Result<User, Trouble> {
    let no = user.parse().map(UserNo).map_err(|_| Trouble::NotFound)?;
    known(visitor, None, no).await
}

struct Row {
    no: u32,
    name: String,
    title: String,
    role: &'static str,
    locked: bool,
    factor: bool,
    added: String,
    is_me: bool,
}

#[derive(Template)]
#[template(path = "console/operation/staff.html")]
struct Page<'a> {
    ui: &'a Ui,
    rows: Vec<Row>,
    groups: Vec<Group>,
    notice: Option<(&'static str, &'static str)>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let words = match asked.done.as_str() {
        "changed" => Some(["تغییر ذخیره شد.", "The change is kept."]),
        "factor" => Some([
            "ورود دومرحله‌ای برداشته شد و نشست‌ها بسته شدند.",
            "The second factor was removed, and the sessions ended.",
        ]),
        "removed" => Some(["کاربر برداشته شد.", "The person was removed."]),
        _ => None,
    };
    let notice = words.map(|words| ("good", visitor.ui.lang.pick(words[0], words[1])));
    page(&visitor, None, notice).await
}

async fn page(
    visitor: &Visitor,
    given: Option<&Given>,
    notice: Option<(&'static str, &'static str)>,
) -> Result<Response, Trouble> {
    let (ui, me) = (&visitor.ui, visitor.person.user.no);
    let people = visitor.app.people(None).await?;
    let row = |user: User| Row {
        no: user.no.0,
        is_me: user.no == me,
        role: ui.role(&user.role),
        locked: user.settings.locked,
        factor: user.second_factor.is_some(),
        added: ui.date(&user.created_at),
        title: user.settings.title,
        name: user.name,
    };
    let mut sheet = match given {
        Some(given) => Sheet::read(ui, given),
        None => Sheet::shown(ui),
    };
    describe_new(
        &mut sheet,
        &mut String::new(),
        &mut String::new(),
        &mut Role::Support,
    );
    let refused = sheet.is_wrong() || notice.is_some_and(|(kind, _)| kind == "bad");
    let page = html(&Page {
        ui,
        rows: people.into_iter().map(row).collect(),
        groups: sheet.into_groups(),
        notice,
    })?;
    unprocessable_if(refused, page)
}

fn roles(sheet: &Sheet<'_>) -> Vec<(Role, &'static str, String)> {
    titled(
        sheet.lang(),
        &[
            (
                Role::Administrator,
                "administrator",
                ["مدیر سامانه: همه چیز", "administrator: everything"],
            ),
            (
                Role::Operator,
                "operator",
                [
                    "اپراتور شبکه: لینک‌ها، خط‌ها و صف‌ها",
                    "operator: links, lines and queues",
                ],
            ),
            (
                Role::Moderator,
                "moderator",
                [
                    "ناظر متن: تأیید متن، لیست سیاه و تیکت",
                    "moderator: texts, blacklists and tickets",
                ],
            ),
            (
                Role::Support,
                "support",
                [
                    "پشتیبان: تنها نگاه می‌کند",
                    "support: looks, and changes nothing",
                ],
            ),
        ],
    )
}

fn describe_new(sheet: &mut Sheet<'_>, name: &mut String, title: &mut String, role: &mut Role) {
    sheet.group(["فرد تازه", "Somebody new"]);
    let about_name = about("name", ["نام ورود", "Signs in as"]).hint([
        "گذرواژه ساخته و یک بار نشان داده می‌شود",
        "A password is made up and shown once",
    ]);
    sheet.text(about_name, true, 64, name);
    sheet.text(
        about("title", ["نام", "Name"]),
        false,
        TITLE_CHARS_MAX,
        title,
    );
    let roles = roles(sheet);
    sheet.choice(about("role", ["نقش", "Role"]), &roles, role);
}

async fn add(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let (mut name, mut title, mut role) = (String::new(), String::new(), Role::Support);
    let mut sheet = Sheet::read(ui, &given);
    describe_new(&mut sheet, &mut name, &mut title, &mut role);
    if sheet.is_wrong() {
        return page(&visitor, Some(&given), None).await;
    }
    let new = NewPerson {
        name: &name,
        title: &title,
        role,
    };
    let change = Change::by(&visitor.person, "staff.add", &name).with(role.word());
    match audited(&visitor, change, app.add_person(None, new)).await? {
        Ok((_, password)) => html(&Secret {
            ui,
            title: ui.t("فرد تازه افزوده شد", "Somebody was added"),
            login: &name,
            password: &password,
            back: STAFF,
        }),
        Err(error) => {
            let said = sentence(ui, error)?;
            page(&visitor, Some(&given), Some(("bad", said))).await
        }
    }
}

fn describe(sheet: &mut Sheet<'_>, user: &mut User) {
    sheet.text(
        about("title", ["نام", "Name"]),
        false,
        TITLE_CHARS_MAX,
        &mut user.settings.title,
    );
    let roles = roles(sheet);
    sheet.choice(about("role", ["نقش", "Role"]), &roles, &mut user.role);
    let locked = about("locked", ["قفل", "Locked"]).hint([
        "نمی‌تواند وارد شود؛ نشست‌هایش همین حالا بسته می‌شوند",
        "May not sign in; their sessions end at once",
    ]);
    sheet.check(locked, &mut user.settings.locked);
}

#[derive(Template)]
#[template(path = "console/operation/staff_person.html")]
struct PersonPage<'a> {
    ui: &'a Ui,
    no: u32,
    name: &'a str,
    factor: bool,
    is_me: bool,
    groups: Vec<Group>,
    error: Option<&'a str>,
}

fn person_page(
    visitor: &Visitor,
    sheet: Sheet<'_>,
    user: &User,
    error: Option<&str>,
) -> Result<Response, Trouble> {
    let refused = sheet.is_wrong() || error.is_some();
    let page = html(&PersonPage {
        ui: &visitor.ui,
        no: user.no.0,
        name: &user.name,
        factor: user.second_factor.is_some(),
        is_me: user.no == visitor.person.user.no,
        groups: sheet.into_groups(),
        error,
    })?;
    unprocessable_if(refused, page)
}

async fn edit(visitor: Visitor, Path(user): Path<String>) -> Result<Response, Trouble> {
    let mut user = numbered(&visitor, &user).await?;
    let mut sheet = Sheet::shown(&visitor.ui);
    describe(&mut sheet, &mut user);
    person_page(&visitor, sheet, &user, None)
}

async fn update(
    visitor: Visitor,
    Path(user): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (app, ui, given) = (&visitor.app, &visitor.ui, Given::of(pairs));
    let before = numbered(&visitor, &user).await?;
    let mut user = before.clone();
    let mut sheet = Sheet::read(ui, &given);
    describe(&mut sheet, &mut user);
    if sheet.is_wrong() {
        return person_page(&visitor, sheet, &before, None);
    }
    let details = format!(
        "role: {} → {}; locked: {} → {}",
        before.role.word(),
        user.role.word(),
        before.settings.locked,
        user.settings.locked
    );
    let change = Change::by(&visitor.person, "staff.update", &user.name).with(details);
    let (title, locked) = (&user.settings.title, user.settings.locked);
    let made = app.change_person(None, user.no, title, user.role, locked);
    match audited(&visitor, change, made).await? {
        Ok(()) => to_list("changed"),
        Err(error) => person_page(&visitor, sheet, &before, Some(sentence(ui, error)?)),
    }
}

fn to_list(done: &str) -> Result<Response, Trouble> {
    Ok(Redirect::to(&format!("{STAFF}?done={done}")).into_response())
}

async fn password(visitor: Visitor, Path(user): Path<String>) -> Result<Response, Trouble> {
    let (app, ui) = (&visitor.app, &visitor.ui);
    let user = numbered(&visitor, &user).await?;
    let change = Change::by(&visitor.person, "staff.password", &user.name);
    match audited(&visitor, change, app.renew_person_password(None, user.no)).await? {
        Ok(password) => html(&Secret {
            ui,
            title: ui.t("گذرواژهٔ تازه", "A new password"),
            login: &user.name,
            password: &password,
            back: STAFF,
        }),
        Err(error) => page(&visitor, None, Some(("bad", sentence(ui, error)?))).await,
    }
}

async fn factor(visitor: Visitor, Path(user): Path<String>) -> Result<Response, Trouble> {
    let user = numbered(&visitor, &user).await?;
    let change = Change::by(&visitor.person, "staff.reset_factor", &user.name);
    audited(&visitor, change, visitor.app.reset_second_factor(&user)).await??;
    to_list("factor")
}

async fn remove(visitor: Visitor, Path(user): Path<String>) -> Result<Response, Trouble> {
    let user = numbered(&visitor, &user).await?;
    let change = Change::by(&visitor.person, "staff.remove", &user.name);
    match audited(&visitor, change, visitor.app.remove_person(None, user.no)).await? {
        Ok(()) => to_list("removed"),
        Err(error) => {
            let said = sentence(&visitor.ui, error)?;
            page(&visitor, None, Some(("bad", said))).await
        }
    }
}
