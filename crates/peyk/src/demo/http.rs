//! The smallest HTTP/1.1 client that can call our own web service on loopback.
//!
//! It knows one request (a form) and one kind of reply (a body up to the end of the connection).
//! It is not for anything else.

use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(10);
/// Bytes of the longest reply.
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// Posts a form and gives the body of the reply.
///
/// # Errors
/// Nobody answers in time, or the answer is not 200.
pub async fn post_form(to: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Result<String> {
    let body = form(fields);
    let call = tokio::time::timeout(CALL_MAX, exchange(to, path, &body));
    let reply = call
        .await
        .with_context(|| format!("{to} does not answer"))??;
    let reply = String::from_utf8(reply).context("the reply is no text")?;
    let (head, body) = reply
        .split_once("\r\n\r\n")
        .context("the reply is no HTTP")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{to} answers with status {status}");
    }
    Ok(body.to_owned())
}

async fn exchange(to: SocketAddr, path: &str, body: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to)
        .await
        .with_context(|| format!("cannot reach {to}"))?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.take(REPLY_BYTES_MAX).read_to_end(&mut reply).await?;
    Ok(reply)
}

/// Fields as `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_percent_encoded() {
        assert_eq!(
            form(&[("op", "send"), ("to", "[\"+98 x\"]")]),
            "op=send&to=%5B%22%2B98%20x%22%5D"
        );
        assert_eq!(form(&[("m", "\u{633}&=")]), "m=%D8%B3%26%3D");
    }
}
