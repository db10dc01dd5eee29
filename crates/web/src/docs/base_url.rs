//! The base URL that a page shows: the one under which the page was asked for.

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// What stands there when the request does not say, or says something that is no host.
const HOST_UNKNOWN: &str = "sms.example.ir";
/// Longest host with its port, in bytes: a name of DNS has at most 253.
const HOST_BYTES_MAX: usize = 260;

const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Scheme and host, without a slash at the end. What a proxy says is believed only when it is
/// one of the trusted. The host is written into code, so nothing but the letters of hosts passes.
pub(crate) fn of(headers: &HeaderMap, from_trusted_proxy: bool) -> String {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let forwarded = |name| text(name).filter(|_| from_trusted_proxy);
    let scheme = match forwarded(FORWARDED_PROTO) {
        Some(scheme) if scheme.trim().eq_ignore_ascii_case("https") => "https",
        _ => "http",
    };
    let host = forwarded(FORWARDED_HOST)
        .or_else(|| text(HOST.as_str()))
        .map(str::trim)
        .filter(|host| is_host(host))
        .unwrap_or(HOST_UNKNOWN);
    format!("{scheme}://{host}")
}

fn is_host(text: &str) -> bool {
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !text.is_empty() && text.len() <= HOST_BYTES_MAX && text.bytes().all(is_of_host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn shown(headers: &[(&'static str, &'static str)], trusted: bool) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        of(&headers, trusted)
    }

    #[test]
    fn the_host_that_was_asked_for_is_shown() {
        assert_eq!(
            shown(&[("host", "sms.shop.ir:8080")], false),
            "http://sms.shop.ir:8080"
        );
        assert_eq!(shown(&[("host", "[::1]:80")], false), "http://[::1]:80");
    }

    #[test]
    fn a_proxy_is_believed_only_when_it_is_trusted() {
        let headers = [
            ("host", "10.0.0.2:8080"),
            ("x-forwarded-host", "sms.shop.ir"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(shown(&headers, true), "https://sms.shop.ir");
        assert_eq!(shown(&headers, false), "http://10.0.0.2:8080");
    }

    #[test]
    fn what_is_no_host_is_never_shown() {
        for host in [
            "",
            "<script>",
            "a'); exit(1); //",
            "a b",
            "\"x",
            "سلام",
            "a/b",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
            assert_eq!(of(&headers, false), "http://sms.example.ir", "{host}");
        }
        assert!(!is_host(&"a".repeat(HOST_BYTES_MAX + 1)));
    }
}
