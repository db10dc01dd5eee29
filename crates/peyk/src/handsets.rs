//! Messages from handsets for the simulated operator, typed line by line: `FROM:TO:TEXT`.

use crate::output::say;
use domain::line_number::LineNumber;
use domain::msisdn::Msisdn;
use domain::text::{ReferenceBits, segments};
use smpp::Address;
use smsc_sim::{Mo, Sim};
use std::io::{BufRead, Read};
use tokio::sync::mpsc;

/// Lines that may wait to be sent.
const LINES_MAX: usize = 100;
/// Bytes of a line; more than 255 parts have.
const LINE_BYTES_MAX: u64 = 1 << 18;

/// Reads `FROM:TO:TEXT`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn mobile_originated(text: &str) -> Result<Mo, String> {
    let mut fields = text.splitn(3, ':');
    let (Some(from), Some(to), Some(text)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(format!("`{text}` is not written as FROM:TO:TEXT"));
    };
    let from = Msisdn::parse(from).ok_or_else(|| format!("`{from}` is no mobile number"))?;
    let to = LineNumber::parse(to).ok_or_else(|| format!("`{to}` is no line"))?;
    // The simulator cuts by itself; here only the alphabet's octets are needed.
    let cut = segments(text, ReferenceBits::Eight);
    Ok(Mo {
        system_id: None,
        from: Address::new(1, 1, format!("98{}", from.national())),
        to: Address::new(1, 1, to.as_str()),
        data_coding: cut.alphabet.data_coding(),
        payload: cut.parts.concat(),
    })
}

/// Lines of stdin, if they are asked for. A program in the background must not read its terminal,
/// or the system stops it.
pub struct Typed(Option<mpsc::Receiver<String>>);

impl Typed {
    /// Reads stdin from now on, where `wanted`.
    pub fn start(wanted: bool) -> Self {
        if !wanted {
            return Self(None);
        }
        let (lines, typed) = mpsc::channel(LINES_MAX);
        // A thread of its own: nothing can interrupt it while it waits for the keyboard.
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            loop {
                let mut line = String::new();
                let read = stdin.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
                if !matches!(read, Ok(1..)) || lines.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(Some(typed))
    }

    /// The next line; never resolves after the last one.
    pub async fn next(&mut self) -> String {
        if let Some(typed) = &mut self.0
            && let Some(line) = typed.recv().await
        {
            return line;
        }
        self.0 = None;
        std::future::pending().await
    }
}

/// Sends what was typed, or says what is wrong with it.
pub fn send_typed(sim: &Sim, line: &str) {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() {
        return;
    }
    let sent =
        mobile_originated(line).and_then(|mo| sim.send_mo(&mo).map_err(|error| error.to_string()));
    match sent {
        Ok(1) => say!("from a handset: sent"),
        Ok(parts) => say!("from a handset: sent in {parts} parts"),
        Err(why) => say!("from a handset: not sent, {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_from_a_handset_is_read() {
        let mo = mobile_originated("09121234567:3000505:a:b").unwrap();
        assert_eq!(mo.from.digits, b"989121234567");
        assert_eq!(mo.to.digits, b"3000505");
        assert_eq!((mo.data_coding, &mo.payload[..]), (0, &b"a:b"[..]));
        assert_eq!(
            mobile_originated("09121234567:3000505:\u{633}")
                .unwrap()
                .data_coding,
            8
        );
        assert!(mobile_originated("0912:3000505:x").is_err());
        assert!(mobile_originated("09121234567").is_err());
    }
}
