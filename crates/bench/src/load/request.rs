//! Requests as bytes: written once for each connection, then only the recipients are patched.

use crate::numbers;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A Persian text of exactly 70 characters: one part.
pub const TEXT: &str = "مشتری گرامی، سفارش شما آماده است و فردا به دست شما می‌رسد. با سپاس فرا";

/// Octets of one recipient in a request, such as `09121234567`.
const NUMBER_LENGTH: usize = 11;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// `op=send` of peyk's web service.
    Send {
        /// The account.
        account: String,
        /// Its password.
        password: String,
        /// The line.
        from: String,
    },
    /// Another operation of peyk's web service.
    Ask {
        /// The account.
        account: String,
        /// Its password.
        password: String,
        /// What follows `op=`, such as `credit` or `checkmessage&messageid=10001`.
        operation: String,
    },
    /// Kannel's `sendsms`.
    Kannel {
        /// Where receipts go; `None` without receipts.
        hook: Option<String>,
    },
}

impl Call {
    /// What the body of an acceptance begins with.
    pub fn accepted_prefix(&self) -> &'static [u8] {
        match self {
            Self::Send { .. } => b"[0,",
            Self::Ask { operation, .. } if operation.starts_with("checkmessage") => {
                b"{\"statusMessage\""
            }
            Self::Ask { .. } => b"[0,",
            Self::Kannel { .. } => b"0: Accepted",
        }
    }
}

/// One request, ready to be patched and written.
pub struct Request {
    bytes: Vec<u8>,
    /// Where the recipients stand.
    places: Vec<usize>,
}

impl Request {
    /// A request to so many recipients.
    pub fn new(call: &Call, recipients: u32) -> Self {
        let blank = "0".repeat(NUMBER_LENGTH);
        let body = match call {
            Call::Send {
                account,
                password,
                from,
            } => {
                let numbers = vec![blank; recipients as usize];
                // As form libraries write a JSON array: ["0912…","0912…"].
                let to = format!("%5B%22{}%22%5D", numbers.join("%22%2C%22"));
                let text = percent(TEXT);
                let user = user(account, password);
                format!("op=send&{user}&from={from}&message={text}&to={to}")
            }
            Call::Ask {
                account,
                password,
                operation,
            } => format!("{}&op={operation}", user(account, password)),
            Call::Kannel { hook } => {
                let receipts = hook.as_ref().map_or(String::new(), |hook| {
                    format!("&dlr-mask=3&dlr-url={}", percent(hook))
                });
                let text = percent(TEXT);
                let to = vec![blank; recipients as usize].join("+");
                let query = format!(
                    "/cgi-bin/sendsms?username=bench&password=bench&from=3000505&coding=2\
                     &charset=UTF-8&text={text}{receipts}&to={to}"
                );
                return Self::found(format!(
                    "GET {query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n"
                ));
            }
        };
        Self::found(format!(
            "POST /services.jspd HTTP/1.1\r\nHost: 127.0.0.1\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn found(text: String) -> Self {
        let blank = "0".repeat(NUMBER_LENGTH);
        let places = text.match_indices(&blank).map(|(at, _)| at).collect();
        Self {
            bytes: text.into_bytes(),
            places,
        }
    }

    /// The octets of the request whose first recipient has this index.
    pub fn patch(&mut self, first_index: u64) -> &[u8] {
        for (place, index) in self.places.iter().zip(first_index..) {
            let mut national = numbers::national(index);
            // The leading 0 stands already.
            for at in (place + 1..place + NUMBER_LENGTH).rev() {
                self.bytes[at] = b'0' + u8::try_from(national % 10).unwrap_or(0);
                national /= 10;
            }
        }
        &self.bytes
    }
}

fn user(account: &str, password: &str) -> String {
    format!("uname={}&pass={}", percent(account), percent(password))
}

/// Percent-encodes everything that a form may not hold as it is.
pub fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_seventy_characters() {
        assert_eq!(TEXT.encode_utf16().count(), 70);
    }

    #[test]
    fn recipients_are_patched_in() {
        let call = Call::Send {
            account: "bench".into(),
            password: "p".into(),
            from: "3000505".into(),
        };
        let mut request = Request::new(&call, 2);
        let text = String::from_utf8(request.patch(12).to_vec()).unwrap();
        assert!(text.ends_with("&to=%5B%2209100000012%22%2C%2209100000013%22%5D"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let text = String::from_utf8(request.patch(99).to_vec()).unwrap();
        assert!(text.contains("09100000099%22%2C%2209100000100"));
    }
}
