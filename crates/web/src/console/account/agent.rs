//! What a browser calls itself, in words that its owner knows it by.

use crate::console::ui::Lang;

/// Browsers by what stands in their names; the first that fits, since most claim to be others too.
const BROWSERS: [(&str, [&str; 2]); 9] = [
    ("Edg", ["اج", "Edge"]),
    ("OPR/", ["اپرا", "Opera"]),
    ("SamsungBrowser", ["مرورگر سامسونگ", "Samsung Internet"]),
    ("YaBrowser", ["یاندکس", "Yandex"]),
    ("Firefox", ["فایرفاکس", "Firefox"]),
    ("FxiOS", ["فایرفاکس", "Firefox"]),
    ("CriOS", ["کروم", "Chrome"]),
    ("Chrome", ["کروم", "Chrome"]),
    ("Safari", ["سافاری", "Safari"]),
];
const SYSTEMS: [(&str, [&str; 2]); 7] = [
    ("Android", ["اندروید", "Android"]),
    ("iPhone", ["آیفون", "iPhone"]),
    ("iPad", ["آیپد", "iPad"]),
    ("Windows", ["ویندوز", "Windows"]),
    ("CrOS", ["کروم‌بوک", "Chromebook"]),
    ("Mac OS", ["مک", "Mac"]),
    ("Linux", ["لینوکس", "Linux"]),
];

/// `کروم روی اندروید`, `Chrome on Android`; what is not known is left out.
pub(super) fn words(lang: Lang, agent: &str) -> String {
    let find = |known: &[(&str, [&'static str; 2])]| {
        let found = known.iter().find(|(sign, _)| agent.contains(sign));
        found.map(|(_, [fa, en])| lang.pick(fa, en))
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} {} {system}", lang.pick("روی", "on")),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => lang.pick("برنامهٔ ناشناس", "unknown program").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_for_what_it_is_and_not_for_what_it_claims_to_be_like() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                    Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
        assert_eq!(words(Lang::En, edge), "Edge on Windows");
        let phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/131.0.0.0 Mobile Safari/537.36";
        assert_eq!(words(Lang::Fa, phone), "کروم روی اندروید");
        assert_eq!(words(Lang::En, "curl/8 <script>"), "unknown program");
    }
}
