//! Why a recipient is in the state it is in. No state changes without one of these.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($name:ident = $code:literal, $english:literal, $persian:literal;)*) => {
        /// A named reason. The number is what the store keeps; it never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $english] $name = $code,)* }

        impl Reason {
            /// Every reason, in the order of its number.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The reason with this number.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Reason::$name),)* _ => None }
            }

            /// In English, for the command line and the logs.
            #[must_use]
            pub fn english(self) -> &'static str {
                match self { $(Reason::$name => $english,)* }
            }

            /// In Persian, for the people who read the console.
            #[must_use]
            pub fn persian(self) -> &'static str {
                match self { $(Reason::$name => $persian,)* }
            }
        }
    };
}

reasons! {
    Accepted = 0, "accepted, waiting for its turn", "پذیرفته شد و در نوبت است";
    HandedToLink = 1, "handed to the operator's link", "به پیوند اپراتور سپرده شد";
    AcceptedByOperator = 2, "the operator took it", "اپراتور آن را پذیرفت";
    Delivered = 3, "delivered to the handset", "به گوشی رسید";
    RefusedByOperator = 4, "the operator refused it", "اپراتور آن را نپذیرفت";
    DeferredByOperator = 5, "the operator could not take it now; it will be tried again", "اپراتور اکنون نمی‌پذیرد؛ دوباره فرستاده می‌شود";
    ThrottledByOperator = 6, "the operator asked to slow down; it will be sent again", "اپراتور کاهش سرعت خواست؛ دوباره فرستاده می‌شود";
    LinkLostBeforeSending = 7, "the link went down before it was sent", "پیوند پیش از ارسال قطع شد";
    AnswerLostResend = 8, "the operator's answer was lost; it will be sent again", "پاسخ اپراتور نرسید؛ دوباره فرستاده می‌شود";
    AnswerLostHeld = 9, "the operator's answer was lost; held, since it may have been sent", "پاسخ اپراتور نرسید؛ چون شاید فرستاده شده باشد نگه داشته شد";
    AttemptsExhausted = 10, "given up after the last attempt", "پس از آخرین تلاش رها شد";
    ReceiptExpired = 11, "the operator reports: its validity ended before delivery", "اپراتور: مهلت تحویل پایان یافت";
    ReceiptDeleted = 12, "the operator reports: deleted before delivery", "اپراتور: پیش از تحویل حذف شد";
    ReceiptUndeliverable = 13, "the operator reports: cannot be delivered", "اپراتور: قابل تحویل نیست";
    ReceiptRejected = 14, "the operator reports: rejected", "اپراتور: رد شد";
    ReportTimeOut = 15, "no delivery receipt within the report time", "در مهلت گزارش، رسید تحویل نیامد";
    ValidityOver = 16, "its validity period ended before it could be sent", "مهلت اعتبار متن پیش از ارسال پایان یافت";
    Cancelled = 17, "cancelled by the sender", "فرستنده آن را لغو کرد";
    NotAMobileNumber = 18, "not a mobile number", "شماره موبایل نیست";
    Blacklisted = 19, "the recipient is on the blacklist", "گیرنده در فهرست سیاه است";
    TextCannotBeSent = 20, "the text cannot be put into parts for this link", "متن برای این پیوند قابل بخش‌بندی نیست";
    OnRegulatorList = 30, "the recipient is on the regulator's blacklist", "گیرنده در فهرست سیاه تنظیم مقررات است";
    OnInstallationList = 31, "the recipient is on the blacklist of this installation", "گیرنده در فهرست سیاه این سامانه است";
    OnLineList = 32, "the recipient opted out of this line", "گیرنده دریافت پیام از این خط را لغو کرده است";
    TextNotApproved = 33, "its text was not approved", "متن پیام تایید نشد";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_leads_back_to_its_reason() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(*reason as u8), Some(*reason));
        }
        assert_eq!(Reason::from_code(200), None);
    }
}
