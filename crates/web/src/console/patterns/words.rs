//! What is said of patterns: their status, what variables hold, and what is wrong with them.

use super::super::ui::Ui;
use domain::pattern::{Kind, PatternError, PatternStatus, ValueError};

/// The word of a status, and the class of its badge.
pub(super) fn status(ui: &Ui, status: PatternStatus) -> (&'static str, &'static str) {
    let ([fa, en], class) = match status {
        PatternStatus::Active => (["فعال", "active"], "good"),
        PatternStatus::Inactive => (["خاموش", "switched off"], "off"),
        PatternStatus::Waiting => (["در انتظار تأیید", "awaiting approval"], "warn"),
        PatternStatus::Rejected => (["ردشده", "rejected"], "bad"),
    };
    (ui.lang.pick(fa, en), class)
}

/// What a variable may hold, by its word.
pub(super) fn kinds(ui: &Ui) -> Vec<(&'static str, &'static str)> {
    let kinds = Kind::ALL.iter().map(|(word, kind)| {
        let [fa, en] = match kind {
            Kind::Text => ["متن", "text"],
            Kind::Number => ["عدد", "number"],
            Kind::Code => ["کد", "code"],
            Kind::Name => ["نام", "name"],
            Kind::Url => ["نشانی وب", "web address"],
        };
        (*word, ui.lang.pick(fa, en))
    });
    kinds.collect()
}

/// Why a text cannot be a pattern.
pub(super) fn pattern_error(ui: &Ui, error: &PatternError) -> String {
    let [fa, en] = match error {
        PatternError::Blank => [
            "در متن، جز متغیرها چیزی نوشته نشده است.".to_owned(),
            "The text says nothing beside its variables.".to_owned(),
        ],
        PatternError::TooManyVariables => [
            "الگو بیش از ۲۰ متغیر نمی‌تواند داشته باشد.".to_owned(),
            "A pattern has 20 variables at most.".to_owned(),
        ],
        PatternError::TooLong(chars) => {
            let chars = ui.num(*chars);
            [
                format!(
                    "با بلندترین مقدارها متن {chars} نویسه می‌شود و بیشترین اندازه ۱۰۰۰ است؛ متن یا متغیرها را کوتاه کنید."
                ),
                format!(
                    "With every value at its longest the text has {chars} characters, and 1,000 are the most; shorten the text or the variables."
                ),
            ]
        }
        PatternError::NoSuchVariable(name) | PatternError::DescribedTwice(name) => {
            let name = ui.shown(name);
            [
                format!("متغیر {name} درست نیست."),
                format!("The variable {name} is not right."),
            ]
        }
        PatternError::Length(name) => {
            let name = ui.shown(name);
            [
                format!("طول متغیر {name} باید ۱ تا ۵۰۰ نویسه باشد."),
                format!("The length of {name} is 1 to 500 characters."),
            ]
        }
    };
    if ui.is_fa() { fa } else { en }
}

/// Why a value does not fit.
pub(super) fn value_error(ui: &Ui, error: &ValueError) -> String {
    let (name, [fa, en]) = match error {
        ValueError::Missing(name) => (name, ["مقداری ندارد", "has no value"]),
        ValueError::Unknown(name) => (name, ["در این الگو نیست", "is not in this pattern"]),
        ValueError::TooLong { name, .. } => (
            name,
            ["بلندتر از اندازهٔ خود است", "is longer than it may be"],
        ),
        ValueError::WrongKind { name, kind } => (
            name,
            match kind {
                Kind::Text => [
                    "نویسه‌ای دارد که دیده نمی‌شود",
                    "holds a character that cannot be seen",
                ],
                Kind::Number => ["باید عدد باشد", "must be a number"],
                Kind::Code => [
                    "باید کدی از حرف و رقم باشد",
                    "must be a code of letters and digits",
                ],
                Kind::Name => ["باید نام باشد", "must be a name"],
                Kind::Url => ["باید نشانی وب باشد", "must be a web address"],
            },
        ),
    };
    format!("{} {}", ui.shown(name), ui.lang.pick(fa, en))
}
