//! The words of the pages that belong to no operation: headings, labels, names of formats.

use super::description::{Format, Group};

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Persian, from right to left.
    Fa,
    /// English.
    En,
}

impl Lang {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Fa, Self::En];

    /// The value of `lang`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Fa => "fa",
            Self::En => "en",
        }
    }

    /// The language with this code; any other is the default.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "en" => Self::En,
            _ => Self::Fa,
        }
    }

    /// The value of `dir`.
    #[must_use]
    pub fn direction(self) -> &'static str {
        match self {
            Self::Fa => "rtl",
            Self::En => "ltr",
        }
    }

    /// What the addresses of its pages begin with.
    #[must_use]
    pub fn root(self) -> &'static str {
        match self {
            Self::Fa => "/docs",
            Self::En => "/docs/en",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Fa => Self::En,
            Self::En => Self::Fa,
        }
    }

    /// Chooses between the texts of the two.
    #[must_use]
    pub fn pick<'a>(self, fa: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Fa => fa,
            Self::En => en,
        }
    }
}

macro_rules! words {
    ($($name:ident: $fa:literal, $en:literal;)*) => {
        /// The labels of the pages.
        pub struct Words { $(#[doc = $en] pub $name: &'static str,)* }

        impl Words {
            /// Those of this language.
            #[must_use]
            pub fn of(lang: Lang) -> Self {
                Self { $($name: lang.pick($fa, $en),)* }
            }
        }
    };
}

words! {
    brand: "مستندات وب‌سرویس پیک", "peyk web service";
    switch: "English", "فارسی";
    menu: "فهرست", "Contents";
    skip: "رفتن به متن", "Skip to the text";
    filter: "جست‌وجو در فهرست", "Search the contents";
    guide: "راهنما", "Guide";
    start: "آغاز سریع", "Quick start";
    all_operations: "همه عملیات", "All operations";
    parameters: "پارامترها", "Parameters";
    no_parameters: "جز ورود و `op` پارامتری ندارد.", "It has no parameters beside the login and `op`.";
    login_note: "همراه با نام کاربری و گذرواژه:", "Beside user name and password:";
    required: "الزامی", "required";
    optional: "اختیاری", "optional";
    meaning: "معنی", "Meaning";
    also: "یا", "or";
    samples: "نمونه کد", "Sample";
    reply: "پاسخ", "Reply";
    errors: "خطاها", "Errors";
    errors_order: "به ترتیب بررسی:", "In the order of the checks:";
    code: "کد", "Code";
    every_operation: "همه عملیات", "every operation";
    notes: "نکته‌ها", "Notes";
    spellings: "املاهای دیگر:", "Other spellings:";
    deny: "نشانی شما در فهرست نشانی‌های مجاز حساب نیست", "your address is not on the account's list";
    previous: "پیشین", "Previous";
    next: "پسین", "Next";
    copy: "کپی", "Copy";
    copied: "کپی شد", "Copied";
    not_found: "چنین صفحه‌ای نیست", "There is no such page";
    not_found_text: "نشانی را بازبینی کنید، یا از فهرست آغاز کنید.", "Check the address, or begin with the contents.";
    lead: "با یک درخواست HTTP پیامک بفرستید، گزارش تحویل بگیرید و اعتبار را ببینید. برنامه‌هایی که این پروتکل را می‌شناسند تنها به نشانی پایه نیاز دارند.", "Send messages with one HTTP request, read delivery reports, see the credit. Programs that know this protocol need nothing but the base URL.";
    base_url: "نشانی پایه", "Base URL";
    first_message: "نخستین پیام", "The first message";
    first_message_text: "`demo` و `YOUR_PASSWORD` را با نام کاربری و گذرواژه خود، و `3000505` را با خط خود عوض کنید.", "Replace `demo` and `YOUR_PASSWORD` with your user name and password, and `3000505` with your line.";
    first_reply_text: "پاسخ موفق، شناسه ارسال را در خود دارد. آن را نگه دارید و چند ثانیه بعد بپرسید که پیام رسیده است یا نه:", "A successful answer holds the bulk id. Keep it, and ask a few seconds later whether the message has arrived:";
}

/// The heading of a group of operations.
pub fn group(group: Group, lang: Lang) -> &'static str {
    match group {
        Group::Sending => lang.pick("ارسال", "Sending"),
        Group::Reports => lang.pick("گزارش و دریافت", "Reports and inbox"),
        Group::Account => lang.pick("حساب", "Account"),
        Group::Phonebooks => lang.pick("دفترچه تلفن", "Phonebooks"),
        Group::Patterns => lang.pick("الگو", "Patterns"),
        Group::Directory => lang.pick("کد پستی و شغل", "Postal codes and jobs"),
        Group::Resellers => lang.pick("نمایندگی", "Resellers"),
        Group::Tickets => lang.pick("پشتیبانی", "Support"),
        Group::Endpoints => lang.pick("نشانی‌های دیگر", "Other endpoints"),
    }
}

/// The name of a format.
pub fn format(format: Format, lang: Lang) -> &'static str {
    match format {
        Format::Text => lang.pick("متن", "text"),
        Format::Line => lang.pick("خط", "line"),
        Format::Number => lang.pick("شماره موبایل", "mobile number"),
        Format::Numbers => lang.pick("شماره‌ها", "numbers"),
        Format::Id => lang.pick("شناسه", "id"),
        Format::Ids => lang.pick("آرایه JSON از شناسه‌ها", "JSON array of ids"),
        Format::Time => lang.pick("زمان", "time"),
        Format::Word => lang.pick("یکی از", "one of"),
        Format::Digits => lang.pick("رقم", "digits"),
        Format::Map => lang.pick("نگاشت JSON", "JSON map"),
        Format::Key => lang.pick("کد", "code"),
        Format::File => lang.pick("پرونده", "file"),
    }
}
