//! Why a change was refused, in the page's language.

use crate::console::trouble::Trouble;
use crate::console::ui::Ui;
use app::ManageError;

/// The sentence beside a form; what is no fault of the form is trouble.
pub(super) fn sentence(ui: &Ui, error: ManageError) -> Result<String, Trouble> {
    let own = |fa: &str, en: &str| Ok(ui.t(fa, en).to_owned());
    match error {
        ManageError::Store(error) => Err(error.into()),
        ManageError::Exists(_) => own(
            "با این نام یا شماره از پیش یکی وجود دارد.",
            "There is one with that name or number already.",
        ),
        ManageError::AmountOutOfRange => own(
            "این مبلغ با موجودی حساب جور نیست: اعتبار نمی‌تواند کمتر از صفر شود.",
            "The amount does not fit the balance: the credit cannot fall below zero.",
        ),
        ManageError::Unknown(what) => Ok(match ui.is_fa() {
            true => format!("پیدا نشد: \u{2068}{what}\u{2069}"),
            false => format!("There is no {what}."),
        }),
        // Rules of the store and the use cases say why in English alone.
        ManageError::Refused(why) => Ok(refused(ui, why)),
        ManageError::Invalid(why) => Ok(refused(ui, &why)),
    }
}

fn refused(ui: &Ui, why: &str) -> String {
    match ui.is_fa() {
        true => format!("پذیرفته نشد: \u{2068}{why}\u{2069}"),
        false => format!("Not taken: {why}."),
    }
}
