//! The pages of prose, in Markdown, in their order.

use super::words::Lang;

/// One page of prose.
pub(super) struct Guide {
    /// Its place below the root of its language.
    pub(super) slug: &'static str,
    /// Whether it stands among the endpoints in the contents, and not in the guide.
    pub(super) is_endpoint: bool,
    title: [&'static str; 2],
    text: [&'static str; 2],
}

impl Guide {
    pub(super) fn title(&self, lang: Lang) -> &'static str {
        lang.pick(self.title[0], self.title[1])
    }

    /// Its Markdown.
    pub(super) fn text(&self, lang: Lang) -> &'static str {
        lang.pick(self.text[0], self.text[1])
    }
}

macro_rules! guides {
    ($($slug:literal $is_endpoint:literal $fa:literal $en:literal;)*) => {
        /// Every page of prose.
        pub(super) static GUIDES: &[Guide] = &[$(Guide {
            slug: $slug,
            is_endpoint: $is_endpoint,
            title: [$fa, $en],
            text: [
                include_str!(concat!("../../data/docs/guide/", $slug, ".fa.md")),
                include_str!(concat!("../../data/docs/guide/", $slug, ".en.md")),
            ],
        },)*];
    };
}

guides! {
    "authentication" false "ورود و امنیت" "Authentication";
    "requests" false "شکل درخواست" "Requests and encodings";
    "replies" false "شکل پاسخ" "Replies";
    "formats" false "قالب شماره، خط، زمان و متن" "Numbers, lines, times, texts";
    "statuses" false "وضعیت‌ها" "Statuses";
    "errors" false "خطاها" "Errors";
    "migration" false "کوچ از سرویس دیگر" "Moving here";
    "soap" true "SOAP" "SOAP";
    "inbound" true "وب‌هوک پیام دریافتی" "Inbound callback";
}
