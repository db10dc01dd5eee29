//! Settings and status of an SMPP link to an operator. How the protocol works is the `smpp` crate's.

use crate::ids::LinkId;
use crate::inbound::coding::DefaultAlphabet;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Binds that a link may have.
pub const BINDS_MAX: u16 = 64;
/// Messages in flight that one bind may have.
pub const WINDOW_MAX: u32 = 10_000;

/// A status that was not written anew for so many milliseconds is of a process that is gone.
pub const LINK_STATUS_STALE_MILLIS: i64 = 15_000;

/// How a link binds (SMPP 3.4 section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindMode {
    /// One connection both ways.
    #[default]
    Transceiver,
    /// A connection that sends beside one that receives.
    TransmitterReceiver,
}

/// How the parts of a long text say that they belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concatenation {
    /// A user data header in the text (3GPP TS 23.040 section 9.2.3.24).
    #[default]
    Udh,
    /// The `sar_*` parameters (SMPP 3.4 section 5.3.2.22 and following).
    Sar,
    /// The whole text in one PDU as `message_payload`; the operator cuts it.
    MessagePayload,
}

/// How the operator writes message ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdFormat {
    /// As text.
    #[default]
    AsIs,
    /// A hexadecimal number.
    Hex,
    /// A decimal number.
    Decimal,
}

/// How an error of the operator is taken, where the built-in table is to be overruled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Slow down and offer it again.
    Throttled,
    /// Try again later.
    Temporary,
    /// It will never be taken.
    Permanent,
}

/// Encrypted transport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Name that the certificate must carry; the host when absent.
    pub server_name: Option<String>,
    /// PEM file with the authorities to trust; the public ones when absent.
    pub ca_file: Option<String>,
}

/// Everything about a link. Kept as one JSON document, so that a new setting needs no migration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkSettings {
    /// Host name or address of the SMSC.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Who binds.
    pub system_id: String,
    /// Its password. Never shown.
    pub password: String,
    /// Kind of system, often empty.
    pub system_type: String,
    /// How it binds.
    pub mode: BindMode,
    /// Connections at the same time (with [`BindMode::TransmitterReceiver`], of each kind).
    pub binds: u16,
    /// Messages without an answer that one bind may have.
    pub window: u32,
    /// Messages a second over all binds; `None` is as fast as the window allows.
    pub rate_per_second: Option<u32>,
    /// Seconds of silence after which `enquire_link` is sent.
    pub enquire_link_seconds: u32,
    /// Seconds after which an answer is given up.
    pub response_timeout_seconds: u32,
    /// Type of number of the sender; 5 (alphanumeric) is chosen for names by itself.
    pub source_ton: u8,
    /// Numbering plan of the sender.
    pub source_npi: u8,
    /// Type of number of the recipient: 1 is international.
    pub dest_ton: u8,
    /// Numbering plan of the recipient: 1 is E.164.
    pub dest_npi: u8,
    /// `data_coding` of GSM 7-bit texts.
    pub data_coding_gsm7: u8,
    /// `data_coding` of UCS-2 texts.
    pub data_coding_ucs2: u8,
    /// What `data_coding` 0 means in messages from handsets.
    pub inbound_alphabet: DefaultAlphabet,
    /// How long texts are tied together.
    pub concatenation: Concatenation,
    /// How message ids are written in answers.
    pub answer_id: IdFormat,
    /// How message ids are written in receipts.
    pub receipt_id: IdFormat,
    /// True where leading zeros of ids mean nothing.
    pub ids_without_leading_zeros: bool,
    /// True where the letter case of ids means nothing.
    pub ids_ignore_case: bool,
    /// Operator's codes taken otherwise than the built-in table takes them.
    pub errors: BTreeMap<u32, ErrorClass>,
    /// Encrypted transport; `None` is plain TCP.
    pub tls: Option<TlsSettings>,
    /// False for a link that is to stay down.
    pub enabled: bool,
    /// How often somebody asked for it to be connected anew. A process takes a link whose settings
    /// changed anew, and this is the change that means nothing else. It is written only where it is
    /// not 0, since programs before it know no such setting.
    #[serde(skip_serializing_if = "is_zero")]
    pub reconnects: u32,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 2775,
            system_id: String::new(),
            password: String::new(),
            system_type: String::new(),
            mode: BindMode::default(),
            binds: 1,
            window: 100,
            rate_per_second: None,
            enquire_link_seconds: 30,
            response_timeout_seconds: 30,
            source_ton: 1,
            source_npi: 1,
            dest_ton: 1,
            dest_npi: 1,
            data_coding_gsm7: 0,
            data_coding_ucs2: 8,
            inbound_alphabet: DefaultAlphabet::default(),
            concatenation: Concatenation::default(),
            answer_id: IdFormat::default(),
            receipt_id: IdFormat::default(),
            ids_without_leading_zeros: true,
            ids_ignore_case: true,
            errors: BTreeMap::new(),
            tls: None,
            enabled: true,
            reconnects: 0,
        }
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl std::fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password must not reach a log through a forgotten `{:?}`.
        f.debug_struct("LinkSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("system_id", &self.system_id)
            .field("mode", &self.mode)
            .field("binds", &self.binds)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl LinkSettings {
    /// What is wrong with the settings, as a sentence; `Ok` when they can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        if self.host.is_empty() {
            return Err("host must not be empty".into());
        }
        if self.port == 0 {
            return Err("port must be 1 to 65535".into());
        }
        if self.binds == 0 || self.binds > BINDS_MAX {
            return Err(format!("binds must be 1 to {BINDS_MAX}"));
        }
        if self.window == 0 || self.window > WINDOW_MAX {
            return Err(format!("window must be 1 to {WINDOW_MAX}"));
        }
        if self.rate_per_second == Some(0) {
            return Err("rate_per_second must be at least 1".into());
        }
        if self.enquire_link_seconds == 0 || self.response_timeout_seconds == 0 {
            return Err(
                "enquire_link_seconds and response_timeout_seconds must be at least 1".into(),
            );
        }
        // Octet strings of a bind, SMPP 3.4 section 4.1.1: system_id 16, password 9,
        // system_type 13, each with its NUL. Longer passwords exist in the wild, so they pass.
        if self.system_id.len() > 15 {
            return Err("system_id is longer than 15 octets".into());
        }
        if self.system_type.len() > 12 {
            return Err("system_type is longer than 12 octets".into());
        }
        Ok(())
    }
}

/// A configured link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// Its name, unique.
    pub name: String,
    /// How it is reached.
    pub settings: LinkSettings,
}

/// What a link is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Switched off by its settings, or no process serves it.
    #[default]
    Off,
    /// No bind that can send.
    Down,
    /// At least one bind can send.
    Up,
}

/// A link's state as the process that serves it last wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Which link.
    pub link: LinkId,
    /// What it is doing.
    pub state: LinkState,
    /// Since when.
    pub since: UnixMillis,
    /// When this was written.
    pub at: UnixMillis,
    /// Binds that can send.
    pub binds_up: u16,
    /// Parts in flight.
    pub in_flight: u32,
    /// The last error, in words.
    pub last_error: Option<String>,
    /// Messages a second that the operator turned out to allow; `None` while it has not asked to
    /// slow down.
    #[serde(default)]
    pub rate_learnt: Option<u32>,
    /// Messages a second that it took lately; `None` where a program wrote this that does not count
    /// them.
    #[serde(default)]
    pub per_second: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_never_printed_with_its_password() {
        let settings = LinkSettings {
            password: "s3cret".into(),
            ..LinkSettings::default()
        };
        assert!(!format!("{settings:?}").contains("s3cret"));
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let good = LinkSettings {
            host: "smsc".into(),
            ..LinkSettings::default()
        };
        assert_eq!(good.check(), Ok(()));
        let cases = [
            (
                LinkSettings {
                    host: String::new(),
                    ..good.clone()
                },
                "host",
            ),
            (
                LinkSettings {
                    binds: 0,
                    ..good.clone()
                },
                "binds",
            ),
            (
                LinkSettings {
                    window: 0,
                    ..good.clone()
                },
                "window",
            ),
            (
                LinkSettings {
                    rate_per_second: Some(0),
                    ..good.clone()
                },
                "rate_per_second",
            ),
            (
                LinkSettings {
                    system_id: "x".repeat(16),
                    ..good
                },
                "system_id",
            ),
        ];
        for (settings, word) in cases {
            assert!(settings.check().is_err_and(|said| said.contains(word)));
        }
    }
}
