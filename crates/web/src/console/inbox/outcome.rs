//! What was done for a message, in the language of the page.
//!
//! The store has it in English words (`app::inbox`), joined by semicolons. What is not known here
//! is shown as it stands.

use super::super::ui::Ui;

/// What was done with what follows it, which is a number or nothing.
const KNOWN: &[(&str, [&str; 2])] = &[
    ("nothing was to be done", ["", ""]),
    (
        "the sender left the line's audience",
        [
            "فرستنده از دریافت تبلیغات این خط بیرون رفت",
            "the sender left the line's audience",
        ],
    ),
    (
        "the sender came back to the line's audience",
        [
            "فرستنده به دریافت تبلیغات این خط بازگشت",
            "the sender came back to the line's audience",
        ],
    ),
    (
        "queued for the account's URL",
        [
            "برای نشانی حساب فرستاده می‌شود",
            "queued for the account's address",
        ],
    ),
    (
        "queued for its URL",
        [
            "برای نشانی قاعده فرستاده می‌شود",
            "queued for the rule's address",
        ],
    ),
    (
        "answered as bulk ",
        ["پاسخ داده شد، ارسال", "answered as bulk"],
    ),
    (
        "not answered: the line is gone",
        [
            "پاسخ داده نشد: خط دیگر نیست",
            "not answered: the line is gone",
        ],
    ),
    (
        "not answered: the sender is no mobile number",
        [
            "پاسخ داده نشد: فرستنده شمارهٔ موبایل نیست",
            "not answered: the sender is no mobile number",
        ],
    ),
    (
        "not answered: the text is the answer itself",
        [
            "پاسخ داده نشد: متن همان پاسخ است",
            "not answered: the text is the answer itself",
        ],
    ),
    (
        "not answered: the sender has had",
        [
            "پاسخ داده نشد: این فرستنده به اندازهٔ کافی پاسخ گرفته است",
            "not answered: the sender has had enough answers",
        ],
    ),
    (
        "phonebooks are left alone",
        [
            "دفترچه‌ها دست نخوردند: فرستنده شمارهٔ موبایل نیست",
            "phonebooks are left alone: the sender is no mobile number",
        ],
    ),
    (
        "taken out of book ",
        ["از دفترچه بیرون رفت:", "taken out of phonebook"],
    ),
    (
        "was not in book ",
        ["در دفترچه نبود:", "was not in phonebook"],
    ),
    (
        "put into book ",
        ["در دفترچه گذاشته شد:", "put into phonebook"],
    ),
    (
        "is in book ",
        ["از پیش در دفترچه بود:", "was already in phonebook"],
    ),
    (
        "the account is restricted",
        [
            "حساب محدود است؛ تنها در صندوق ماند",
            "the account is restricted: only kept in its inbox",
        ],
    ),
];

/// What was done, each thing by itself.
pub(super) fn words(ui: &Ui, outcome: &str) -> Vec<String> {
    let pieces = outcome.split("; ").map(|piece| one(ui, piece));
    pieces.filter(|piece| !piece.is_empty()).collect()
}

fn one(ui: &Ui, piece: &str) -> String {
    let (rule, said) = match piece
        .strip_prefix("rule ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((no, said)) => (Some(no), said),
        None => (None, piece),
    };
    let known = KNOWN.iter().find(|(words, _)| said.starts_with(words));
    let text = match known {
        Some((words, [fa, en])) => {
            // The number of a book or bulk, where the words end with the place for it.
            let number: String = said[words.len()..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            let number = if words.ends_with(' ') {
                number
            } else {
                String::new()
            };
            format!("{} {number}", ui.lang.pick(fa, en))
                .trim()
                .to_owned()
        }
        None => ui.shown(said),
    };
    match rule {
        Some(no) if !text.is_empty() => format!("{} {no}: {text}", ui.t("قاعدهٔ", "rule")),
        _ => text,
    }
}
