//! One HTTP/1 request line, made acceptable to a strict parser.
//!
//! PHP clients send `GET /patterns/pattern?to=["0912..."]` with the quotation marks raw, others send blanks and raw UTF-8.
//! hyper answers 400 to those, so what RFC 3986 does not allow is percent-encoded here; it decodes back to the same bytes.
//! Pure functions over one line; where lines begin is the business of `framing`.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The bytes that may stand in a target as they are: unreserved and reserved of RFC 3986, without `#`.
/// `#` would end the target for hyper, and what follows it would be lost. `%` is judged by what follows it.
const LITERAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"-._~:/?[]@!$&'()*+,;=";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// A request line taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) version: &'a [u8],
    /// True when a strict parser takes the line as it stands.
    pub(super) clean: bool,
}

/// Takes a line (without its line end) apart. `None`: not a line that cleaning could help,
/// because it has no version (HTTP/0.9), no target, or is no request at all.
pub(super) fn parse(line: &[u8]) -> Option<RequestLine<'_>> {
    let method_end = line.iter().position(|&byte| byte == b' ')?;
    let trimmed = trim_blanks(line);
    let version_start = trimmed.iter().rposition(|&byte| byte == b' ')? + 1;
    let version = &trimmed[version_start..];
    if method_end == 0 || version_start <= method_end + 1 || !version.starts_with(b"HTTP/") {
        return None;
    }
    let target = trim_blanks(&line[method_end + 1..version_start - 1]);
    if target.is_empty() {
        return None;
    }
    let one_blank_each = method_end + target.len() + version.len() + 2 == line.len();
    Some(RequestLine {
        method: &line[..method_end],
        target,
        version,
        clean: one_blank_each && is_clean(target),
    })
}

/// Appends the cleaned line with its line end.
pub(super) fn write_clean(line: &RequestLine<'_>, out: &mut Vec<u8>) {
    out.reserve(line.method.len() + line.target.len() * 2 + line.version.len() + 4);
    out.extend_from_slice(line.method);
    out.push(b' ');
    for (at, &byte) in line.target.iter().enumerate() {
        if LITERAL[usize::from(byte)] || (byte == b'%' && is_escape(&line.target[at..])) {
            out.push(byte);
        } else {
            out.push(b'%');
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 0xf)]);
        }
    }
    out.push(b' ');
    out.extend_from_slice(line.version);
    out.extend_from_slice(b"\r\n");
}

fn is_clean(target: &[u8]) -> bool {
    target
        .iter()
        .enumerate()
        .all(|(at, &byte)| LITERAL[usize::from(byte)] || (byte == b'%' && is_escape(&target[at..])))
}

/// Whether `bytes`, which begin with `%`, begin with a whole escape.
fn is_escape(bytes: &[u8]) -> bool {
    bytes.len() >= 3 && bytes[1].is_ascii_hexdigit() && bytes[2].is_ascii_hexdigit()
}

fn trim_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use proptest::prelude::*;

    use super::*;

    fn cleaned(line: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_clean(&parse(line).expect("a request line"), &mut out);
        out
    }

    #[test]
    fn what_the_clients_send_is_encoded() {
        let line = "GET /patterns/pattern?to=[\"0912\"]&m={a b}|\\^`<>#x&p=50%&q=%zz&f=%41&t=\u{633} HTTP/1.1";
        assert_eq!(
            String::from_utf8(cleaned(line.as_bytes())).unwrap(),
            "GET /patterns/pattern?to=[%220912%22]&m=%7Ba%20b%7D%7C%5C%5E%60%3C%3E%23x&p=50%25&q=%25zz&f=%41&t=%D8%B3 HTTP/1.1\r\n"
        );
    }

    #[test]
    fn a_clean_line_is_known_as_clean() {
        assert!(
            parse(b"POST /services.jspd?op=send&to[]=%2B98 HTTP/1.1")
                .unwrap()
                .clean
        );
        assert!(!parse(b"GET /a%2 HTTP/1.0").unwrap().clean);
        assert!(!parse(b"GET  /a HTTP/1.0").unwrap().clean);
    }

    #[test]
    fn blanks_around_the_target_are_dropped() {
        assert_eq!(
            cleaned(b"GET  /a?b=1   HTTP/1.1 "),
            b"GET /a?b=1 HTTP/1.1\r\n"
        );
    }

    #[test]
    fn the_version_is_the_last_word_only() {
        assert_eq!(
            cleaned(b"GET /a?m=HTTP/1.1 is old HTTP/1.0"),
            b"GET /a?m=HTTP/1.1%20is%20old HTTP/1.0\r\n"
        );
    }

    #[test]
    fn lines_beyond_help_are_left_alone() {
        for line in [
            "",
            "GET",
            "GET /",
            "GET HTTP/1.1",
            " / HTTP/1.1",
            "GET  HTTP/1.1",
            "GET /a b",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn every_byte_passes_the_strict_parser_and_decodes_back() {
        for byte in (0..=255u8).filter(|&byte| byte != b'\n') {
            let line = [b"GET /p?q=a".as_slice(), &[byte], b"z HTTP/1.1"].concat();
            let clean = cleaned(&line);
            assert!(parse(&clean[..clean.len() - 2]).unwrap().clean);
            let target = &clean[4..clean.len() - 11];
            let uri =
                Uri::try_from(target).unwrap_or_else(|error| panic!("byte {byte:#x}: {error}"));
            let decoded: Vec<u8> =
                percent_encoding::percent_decode_str(uri.query().unwrap()).collect();
            assert_eq!(decoded, [b"q=a".as_slice(), &[byte], b"z"].concat());

            let line = [b"GET /p".as_slice(), &[byte], b"z HTTP/1.1"].concat();
            let clean = cleaned(&line);
            assert!(
                Uri::try_from(&clean[4..clean.len() - 11]).is_ok(),
                "byte {byte:#x} in the path"
            );
        }
    }

    proptest! {
        #[test]
        fn any_target_ends_up_acceptable_and_cleaning_twice_changes_nothing(
            tail in proptest::collection::vec(any::<u8>().prop_filter("line end", |&byte| byte != b'\n'), 0..60)
        ) {
            let line = [b"GET /p?q=".as_slice(), &tail, b"z HTTP/1.1"].concat();
            let once = cleaned(&line);
            let bare = &once[..once.len() - 2];
            prop_assert!(parse(bare).unwrap().clean);
            prop_assert!(Uri::try_from(&once[4..once.len() - 11]).is_ok());
            prop_assert_eq!(cleaned(bare), once);
        }
    }
}
