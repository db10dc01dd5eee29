//! Opening a sub-account: the form of the web service's `newuser`.

use super::HERE;
use crate::console::account::{audited, one_line};
use crate::console::door::Visitor;
use crate::console::form::again;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::{AccessLevel, NewUser, RegisterError};
use askama::Template;
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use domain::refusal::Refusal;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "console/reseller/new.html")]
struct Page<'a> {
    ui: &'a Ui,
    given: &'a NewForm,
    packages: Vec<AccessLevel>,
    /// The field that is wrong, and what is wrong with it; no field where it is the whole.
    error: Option<(&'static str, &'static str)>,
}

const NO_HINT: [&str; 2] = ["", ""];
const TEN_DIGITS: [&str; 2] = ["ده رقم", "ten digits"];

/// A field about the person: its name, label and hint, whether it is written from left to right,
/// and whether it must be filled in.
type PersonField = (
    &'static str,
    [&'static str; 2],
    [&'static str; 2],
    bool,
    bool,
);

/// The fields about the person, in their order.
const PERSON: [PersonField; 9] = [
    ("name", ["نام و نام خانوادگی", "Name"], NO_HINT, false, true),
    ("company", ["شرکت", "Company"], NO_HINT, false, false),
    (
        "national_id",
        ["کد ملی", "National id"],
        TEN_DIGITS,
        true,
        true,
    ),
    (
        "certificate_id",
        ["شمارهٔ شناسنامه", "Birth certificate number"],
        NO_HINT,
        true,
        true,
    ),
    (
        "mobile",
        ["موبایل", "Mobile"],
        ["09121234567"; 2],
        true,
        true,
    ),
    (
        "telephone",
        ["تلفن ثابت", "Telephone"],
        ["02188776655"; 2],
        true,
        true,
    ),
    ("email", ["رایانامه", "E-mail"], NO_HINT, true, true),
    (
        "postal_code",
        ["کد پستی", "Postal code"],
        TEN_DIGITS,
        true,
        false,
    ),
    ("address", ["نشانی", "Address"], NO_HINT, false, true),
];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct NewForm {
    user_name: String,
    password: String,
    name: String,
    company: String,
    national_id: String,
    certificate_id: String,
    package: String,
    telephone: String,
    mobile: String,
    postal_code: String,
    email: String,
    address: String,
}

impl NewForm {
    /// Takes out of what was typed what shows nothing or turns the text around it.
    fn tidy(&mut self) {
        for field in [
            &mut self.user_name,
            &mut self.name,
            &mut self.company,
            &mut self.national_id,
            &mut self.certificate_id,
            &mut self.package,
            &mut self.telephone,
            &mut self.mobile,
            &mut self.postal_code,
            &mut self.email,
            &mut self.address,
        ] {
            *field = one_line(field);
        }
    }
}

/// A field of the form: its name, label, what it holds, its hint and how it is typed.
struct Field<'a> {
    name: &'static str,
    label: &'static str,
    value: &'a str,
    hint: &'static str,
    ltr: bool,
    required: bool,
}

impl Page<'_> {
    /// The fields about the person, in their order.
    fn person(&self) -> impl Iterator<Item = Field<'_>> {
        let given = self.given;
        let values = [
            &given.name,
            &given.company,
            &given.national_id,
            &given.certificate_id,
            &given.mobile,
            &given.telephone,
            &given.email,
            &given.postal_code,
            &given.address,
        ];
        PERSON.iter().zip(values).map(|(field, value)| Field {
            name: field.0,
            label: self.ui.lang.pick(field.1[0], field.1[1]),
            hint: self.ui.lang.pick(field.2[0], field.2[1]),
            value,
            ltr: field.3,
            required: field.4,
        })
    }

    fn error_of(&self, name: &str) -> Option<&'static str> {
        let (field, sentence) = self.error?;
        (field == name).then_some(sentence)
    }
}

pub(super) async fn show(visitor: Visitor) -> Result<Response, Trouble> {
    page(&visitor, &NewForm::default(), None).await
}

async fn page(
    visitor: &Visitor,
    given: &NewForm,
    error: Option<(&'static str, &'static str)>,
) -> Result<Response, Trouble> {
    let packages = match visitor.app.access_list(visitor.account()?).await {
        Ok(packages) => packages,
        // Who is no reseller is told so by the page.
        Err(RegisterError::Refused(_)) => Vec::new(),
        Err(RegisterError::Unavailable(error)) => return Err(error.into()),
    };
    html(&Page {
        ui: &visitor.ui,
        given,
        packages,
        error,
    })
}

pub(super) async fn open(
    visitor: Visitor,
    Form(mut given): Form<NewForm>,
) -> Result<Response, Trouble> {
    given.tidy();
    let form = NewUser {
        user_name: &given.user_name,
        password: &given.password,
        name: &given.name,
        company: &given.company,
        national_id: &given.national_id,
        certificate_id: &given.certificate_id,
        access_id: &given.package,
        telephone: &given.telephone,
        mobile: &given.mobile,
        postal_code: &given.postal_code,
        email: &given.email,
        address: &given.address,
    };
    let subject = given.user_name.clone();
    let change = Change::by(&visitor.person, "sub-account.open", subject);
    let change = change.with(format!("package {}", given.package));
    let made = visitor.app.register(visitor.account()?, &form);
    match audited(&visitor, change, made).await? {
        Ok(id) => Ok(Redirect::to(&format!("{HERE}/{id}?done=opened")).into_response()),
        Err(RegisterError::Unavailable(error)) => Err(error.into()),
        Err(RegisterError::Refused(refusal)) => {
            let (field, [fa, en]) = said(refusal);
            let error = (field, visitor.ui.lang.pick(fa, en));
            Ok(again(page(&visitor, &given, Some(error)).await?))
        }
    }
}

/// The field that a refusal is about, and what is wrong with it; no field for what is about the
/// whole.
fn said(refusal: Refusal) -> (&'static str, [&'static str; 2]) {
    use Refusal as R;
    let missing = ["این را پر کنید.", "Fill this in."];
    match refusal {
        R::UserNameMissing => ("user_name", missing),
        R::PasswordMissing => ("password", missing),
        R::NameMissing => ("name", missing),
        R::NationalIdMissing => ("national_id", missing),
        R::CertificateIdMissing => ("certificate_id", missing),
        R::TelephoneMissing => ("telephone", missing),
        R::MobileMissing => ("mobile", missing),
        R::EmailMissing => ("email", missing),
        R::AddressMissing => ("address", missing),
        R::NotReseller => (
            "",
            [
                "بستهٔ حساب شما اجازهٔ باز کردن زیرحساب نمی‌دهد.",
                "Your package does not let you open sub-accounts.",
            ],
        ),
        R::RegistrationFailed => (
            "",
            [
                "شمار زیرحساب‌ها به سقف رسیده است.",
                "There are as many sub-accounts as there may be.",
            ],
        ),
        other => wrong(other),
    }
}

/// The same of what was filled in, but not rightly.
fn wrong(refusal: Refusal) -> (&'static str, [&'static str; 2]) {
    use Refusal as R;
    let (field, fa, en) = match refusal {
        R::UserNameCharacters | R::UserNameFormat => (
            "user_name",
            "از حرف‌های انگلیسی و رقم، ۵ تا ۶۴ نویسه.",
            "English letters and digits, 5 to 64 of them.",
        ),
        R::UserNameTaken => ("user_name", "این نام گرفته شده است.", "This name is taken."),
        R::PasswordWeak => (
            "password",
            "دست‌کم ۸ نویسه با حرف و رقم، و نه همان نام کاربری.",
            "At least 8 characters, letters and digits, and not the user name.",
        ),
        R::NationalIdWrong => (
            "national_id",
            "این کد ملی درست نیست.",
            "This national id is wrong.",
        ),
        R::CertificateIdWrong => (
            "certificate_id",
            "عددی با ۱ تا ۱۰ رقم بنویسید.",
            "Write a number of 1 to 10 digits.",
        ),
        R::AccessIdWrong => ("package", "بسته را برگزینید.", "Choose a package."),
        R::TelephoneWrong => (
            "telephone",
            "این شمارهٔ تلفن درست نیست؛ با کد شهر بنویسید.",
            "This is no telephone number; write it with its area code.",
        ),
        R::MobileWrong => (
            "mobile",
            "این شمارهٔ موبایل درست نیست.",
            "This is no mobile number.",
        ),
        _ => (
            "",
            "یکی از مقدارها (رایانامه، کد پستی، یا متنی که دراز است) خوانده نشد.",
            "One of the values (e-mail, postal code, or a text that is too long) cannot be read.",
        ),
    };
    (field, [fa, en])
}
