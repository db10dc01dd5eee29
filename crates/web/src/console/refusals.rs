//! Why something was not sent, in words for people and with what to do about it. The texts of the
//! web service (`domain::refusal`) are for programs, and stay as they are.

use super::ui::Lang;
use domain::refusal::Refusal;

/// What a refusal means, and what to do.
pub(super) fn refusal(lang: Lang, refusal: Refusal) -> &'static str {
    let known = of_message(refusal)
        .or_else(|| of_recipients(refusal))
        .or_else(|| of_line(refusal));
    let [fa, en] = known.unwrap_or([refusal.wire_text(), refusal.english()]);
    lang.pick(fa, en)
}

fn of_message(refusal: Refusal) -> Option<[&'static str; 2]> {
    Some(match refusal {
        Refusal::EmptyMessage => [
            "متن پیامک خالی است. متنی بنویسید.",
            "The text is empty. Write one.",
        ],
        Refusal::InputInvalid => [
            "بخشی از فرم خوانده نشد یا از اندازهٔ مجاز بلندتر است. آن را بازبینی کنید.",
            "Something in the form cannot be read, or is too long. Look it over.",
        ],
        Refusal::TimeInPast => [
            "زمان ارسال گذشته است. زمانی در آینده برگزینید.",
            "The time of sending has passed. Choose one that lies ahead.",
        ],
        Refusal::InsufficientCredit => [
            "اعتبار حساب کافی نیست. اعتبار را افزایش دهید یا گیرندگان را کمتر کنید.",
            "The credit does not cover this. Add credit, or send to fewer.",
        ],
        Refusal::NoTariff => [
            "برای یکی از اپراتورهای این گیرندگان تعرفه‌ای تعیین نشده است. با پشتیبانی تماس بگیرید.",
            "No price is set for one of the operators of these recipients. Ask support.",
        ],
        Refusal::AccountRestricted => [
            "حساب محدود شده یا زمان آن به پایان رسیده است. با پشتیبانی تماس بگیرید.",
            "The account was restricted or has ended. Ask support.",
        ],
        Refusal::OperationNotAllowed => [
            "این شیوهٔ ارسال برای حساب شما باز نیست. اگر لازم است، از پشتیبانی بخواهید.",
            "This way of sending is not open to your account. Ask support if you need it.",
        ],
        _ => return None,
    })
}

fn of_recipients(refusal: Refusal) -> Option<[&'static str; 2]> {
    Some(match refusal {
        Refusal::NoRecipient => [
            "هیچ شمارهٔ همراه درستی میان گیرندگان نیست. دست‌کم یک شماره بنویسید.",
            "There is no mobile number among the recipients. Give at least one.",
        ],
        Refusal::TooManyRecipients => [
            "شمار گیرندگان از اندازهٔ مجاز بیشتر است. ارسال را چند بخش کنید، یا فردا ادامه دهید.",
            "There are more recipients than you may send to. Split it, or go on tomorrow.",
        ],
        Refusal::TextCountMismatch => [
            "شمار متن‌ها با شمار گیرندگان یکی نیست.",
            "There are not as many texts as recipients.",
        ],
        Refusal::BookUnavailable => [
            "یکی از دفترچه‌ها دیگر وجود ندارد. دفترچه‌ها را دوباره برگزینید.",
            "One of the phonebooks does not exist any more. Choose again.",
        ],
        Refusal::BookIdNotArray => ["هیچ دفترچه‌ای انتخاب نشده است.", "No phonebook is chosen."],
        Refusal::PatternUnavailable | Refusal::PatternNotPermitted => [
            "این الگو وجود ندارد یا برای شما باز نیست.",
            "There is no such pattern, or it is not open to you.",
        ],
        Refusal::PatternInactive => [
            "این الگو خاموش است یا هنوز تأیید نشده است.",
            "The pattern is switched off, or was not approved yet.",
        ],
        Refusal::PatternParametersWrong => [
            "مقدارها با متغیرهای الگو نمی‌خواند. همه را پر کنید.",
            "The values do not fit the pattern's variables. Fill in all of them.",
        ],
        Refusal::PatternRecipientWrong => [
            "شمارهٔ گیرنده درست نیست.",
            "The recipient is no mobile number.",
        ],
        _ => return None,
    })
}

fn of_line(refusal: Refusal) -> Option<[&'static str; 2]> {
    Some(match refusal {
        Refusal::LineNotOwned => [
            "این خط در حساب شما نیست یا نمی‌تواند بفرستد. خط دیگری برگزینید.",
            "This line is not yours, or cannot send. Choose another.",
        ],
        Refusal::LineUnfitForBulk => [
            "این خط برای ارسال گروهی یا تبلیغاتی نیست. خط دیگری برگزینید.",
            "This line is not for bulk or advertising. Choose another.",
        ],
        Refusal::LineClosedNow => [
            "این خط در زمان انتخاب‌شده نمی‌فرستد. زمان دیگری برگزینید.",
            "The line does not send at that time. Choose another time.",
        ],
        Refusal::OperatorDown => [
            "ارتباط این خط با اپراتور قطع است. کمی بعد دوباره بکوشید یا خط دیگری برگزینید.",
            "The line cannot reach its operator. Try again later, or choose another line.",
        ],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_something_in_both_languages() {
        for each in Refusal::ALL {
            for lang in [Lang::Fa, Lang::En] {
                assert!(!refusal(lang, *each).is_empty(), "{}", each.name());
            }
        }
    }
}
