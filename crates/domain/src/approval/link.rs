//! Links and names of hosts in a text.

use regex::Regex;
use std::sync::LazyLock;

/// Endings of host names that are taken for one wherever they stand after a dot.
const ENDINGS: &str = "ir|com|net|org|info|biz|me|io|co|ly|to|tv|cc|ws|gl|gd|am|app|dev|shop|store|\
     site|online|top|xyz|club|link|page|live|click|fun|vip|pro|bet|casino|ru|cn|de|uk|us|eu|tr|\
     ایران";

/// Group 1 is the host, perhaps with blanks around its dots.
static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // Blanks around the dot only before endings that are no words: "ok. me too" is no link.
    let pattern = format!(
        r"(?:https?|ftp)\s*:\s*/\s*/\s*([^\s/?#]+)|\b(www\s?\.\s?[a-z0-9-]+(?:\s?\.\s?[a-z0-9-]+)*|[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:{ENDINGS})|[a-z0-9-]+\s\.\s?(?:ir|com|net|org)|[a-z0-9-]+\.\s(?:ir|com|net|org)|\d{{1,3}}(?:\.\d{{1,3}}){{3}})\b"
    );
    Regex::new(&pattern).ok()
});

/// The first host in a normalised text in lower case that is none of `except` nor under one.
pub(super) fn first_host(text: &str, except: &[String]) -> Option<String> {
    let link = LINK.as_ref()?;
    link.captures_iter(text).find_map(|found| {
        let host = found.get(1).or_else(|| found.get(2))?.as_str();
        let host = bare(host);
        let free = except.iter().any(|known| is_under(&host, known));
        (!free).then_some(host)
    })
}

/// The host without blanks, user, port and `www.`.
fn bare(host: &str) -> String {
    let host: String = host.chars().filter(|c| !c.is_whitespace()).collect();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.trim_end_matches('.').to_owned()
}

fn is_under(host: &str, known: &str) -> bool {
    host.strip_suffix(known)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_hosts_are_found_and_sentences_are_not() {
        for (text, host) in [
            ("https://example.ir/a?b", Some("example.ir")),
            ("http : // evil.tld", Some("evil.tld")),
            ("see www.shop.example now", Some("shop.example")),
            ("بخر از yn8.ir امروز", Some("yn8.ir")),
            ("از yn8.ir، امروز", Some("yn8.ir")),
            ("t.me/joinus", Some("t.me")),
            ("shop .com", Some("shop.com")),
            ("shop. ir", Some("shop.ir")),
            ("http://a@10.0.0.1:80/x", Some("10.0.0.1")),
            ("10.1.2.3", Some("10.1.2.3")),
            ("ok. me too", None),
            ("قیمت 12.500 تومان", None),
            ("سلام. خوبی؟", None),
            ("کد شما 1234", None),
            ("ساعت 10.30", None),
            ("", None),
        ] {
            assert_eq!(first_host(text, &[]).as_deref(), host, "{text:?}");
        }
    }

    #[test]
    fn excepted_hosts_and_what_lies_under_them_are_free() {
        let except = ["example.ir".to_owned()];
        assert_eq!(first_host("https://www.example.ir/", &except), None);
        assert_eq!(first_host("pay.example.ir", &except), None);
        let other = first_host("https://badexample.ir/", &except);
        assert_eq!(other.as_deref(), Some("badexample.ir"));
        let second = first_host("example.ir and bad.com", &except);
        assert_eq!(second.as_deref(), Some("bad.com"));
        let trick = first_host("https://example.ir@evil.com/", &except);
        assert_eq!(trick.as_deref(), Some("evil.com"));
    }
}
