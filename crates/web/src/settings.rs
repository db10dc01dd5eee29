//! The settings of the HTTP front doors, as they stand in `peyk.toml`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client_address::Network;
use crate::console::ConsoleSettings;
use crate::http::{BodyLimits, HttpLimits};

/// Largest value of [`WebSettings::body_bytes_max`]: a body is held in memory whole.
pub const BODY_BYTES_MAX_MAX: usize = 64 * 1024 * 1024;
/// Largest value of [`WebSettings::connections_max`].
pub const CONNECTIONS_MAX_MAX: usize = 1_000_000;
/// Largest value of [`WebSettings::large_bodies_max`].
pub const LARGE_BODIES_MAX_MAX: usize = 1_000;
/// Longest time that any of the settings in seconds may give.
pub const SECONDS_MAX: u32 = 3_600;

/// What a client may cost, and whom to believe about its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSettings {
    /// Largest request body in bytes (413 beyond it); 100,000 recipients take about 1.5 MB.
    pub body_bytes_max: usize,
    /// Bodies larger than 64 KiB, or of unknown size, that may be in memory at the same time.
    /// Further ones wait for as long as a body may take, then they are answered 503.
    pub large_bodies_max: usize,
    /// Seconds within which a body must be complete (408 beyond it).
    pub body_timeout_seconds: u32,
    /// Seconds from the first byte of a request to the end of its header.
    pub header_timeout_seconds: u32,
    /// Seconds for which a connection may lie silent between two requests.
    pub keep_alive_seconds: u32,
    /// Seconds for which a client may refuse to take the next byte of a reply.
    pub write_stall_seconds: u32,
    /// Connections that may be open at the same time; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Seconds that running requests get to finish at shutdown.
    pub shutdown_grace_seconds: u32,
    /// Whether the documentation of the web service is served at `/docs`, for everybody.
    pub docs: bool,
    /// Reverse proxies (`10.0.0.2`, `192.0.2.0/24`) whose `X-Forwarded-For` is believed.
    /// Nobody's, unless it is set: the header is the client's to invent.
    pub trust_forwarded_for: Vec<Network>,
    /// Where clients reach the service (`https://sms.example.ir`), as the WSDL tells them. Empty:
    /// each is told the host by which it asked.
    pub public_url: String,
    /// The web panel at `/console`.
    pub console: ConsoleSettings,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            body_bytes_max: 8 * 1024 * 1024,
            large_bodies_max: 16,
            body_timeout_seconds: 30,
            header_timeout_seconds: 10,
            keep_alive_seconds: 75,
            write_stall_seconds: 30,
            connections_max: 10_000,
            shutdown_grace_seconds: 10,
            docs: true,
            trust_forwarded_for: Vec::new(),
            public_url: String::new(),
            console: ConsoleSettings::default(),
        }
    }
}

impl WebSettings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        let seconds_max = SECONDS_MAX as usize;
        for (name, value, min, max) in [
            (
                "body_bytes_max",
                self.body_bytes_max,
                1_024,
                BODY_BYTES_MAX_MAX,
            ),
            (
                "large_bodies_max",
                self.large_bodies_max,
                1,
                LARGE_BODIES_MAX_MAX,
            ),
            (
                "body_timeout_seconds",
                self.body_timeout_seconds as usize,
                1,
                seconds_max,
            ),
            (
                "header_timeout_seconds",
                self.header_timeout_seconds as usize,
                1,
                seconds_max,
            ),
            (
                "keep_alive_seconds",
                self.keep_alive_seconds as usize,
                1,
                seconds_max,
            ),
            (
                "write_stall_seconds",
                self.write_stall_seconds as usize,
                1,
                seconds_max,
            ),
            (
                "connections_max",
                self.connections_max,
                1,
                CONNECTIONS_MAX_MAX,
            ),
            (
                "shutdown_grace_seconds",
                self.shutdown_grace_seconds as usize,
                0,
                seconds_max,
            ),
        ] {
            if value < min || value > max {
                return Err(format!("{name} must be {min} to {max}"));
            }
        }
        self.console
            .check()
            .map_err(|said| format!("console.{said}"))?;
        self.check_public_url()
    }

    fn check_public_url(&self) -> Result<(), String> {
        let url = self.public_url.as_str();
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let may_stand = |c: char| c.is_ascii_graphic() && !"<>\"'?#".contains(c);
        let is_right = rest.is_some_and(|rest| {
            !rest.is_empty() && !rest.ends_with('/') && rest.chars().all(may_stand)
        });
        if !url.is_empty() && !is_right {
            return Err(
                "public_url must be empty or like https://sms.example.ir, without a slash at its end"
                    .into(),
            );
        }
        Ok(())
    }

    pub(crate) fn http_limits(&self) -> HttpLimits {
        HttpLimits {
            connections_max: self.connections_max,
            header_read_timeout: seconds(self.header_timeout_seconds),
            keep_alive_idle: seconds(self.keep_alive_seconds),
            write_stall: seconds(self.write_stall_seconds),
            shutdown_grace: seconds(self.shutdown_grace_seconds),
            ..HttpLimits::default()
        }
    }

    pub(crate) fn body_limits(&self) -> BodyLimits {
        BodyLimits {
            bytes_max: self.body_bytes_max,
            read_timeout: seconds(self.body_timeout_seconds),
        }
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used_and_a_value_out_of_range_is_named() {
        assert_eq!(WebSettings::default().check(), Ok(()));
        let none = WebSettings {
            connections_max: 0,
            ..WebSettings::default()
        };
        assert_eq!(
            none.check(),
            Err("connections_max must be 1 to 1000000".into())
        );
        let no_grace = WebSettings {
            shutdown_grace_seconds: 0,
            ..WebSettings::default()
        };
        assert_eq!(no_grace.check(), Ok(()));
    }

    #[test]
    fn the_public_url_is_one_or_empty() {
        let with = |url: &str| WebSettings {
            public_url: url.into(),
            ..WebSettings::default()
        };
        for right in ["", "https://sms.example.ir", "http://10.0.0.1:8080/sms"] {
            assert_eq!(with(right).check(), Ok(()), "{right}");
        }
        for wrong in [
            "sms.example.ir",
            "https://",
            "https://a/",
            "https://a b",
            "http://a<b",
        ] {
            assert!(with(wrong).check().is_err(), "{wrong}");
        }
    }

    #[test]
    fn unknown_keys_and_unreadable_networks_are_errors() {
        let read = serde_json::from_str::<WebSettings>;
        assert!(read(r#"{"body_byte_max": 5000}"#).is_err());
        assert!(read(r#"{"trust_forwarded_for": ["10.0.0.0/33"]}"#).is_err());
        let settings = read(r#"{"trust_forwarded_for": ["10.0.0.0/8", "::1"]}"#).unwrap();
        assert_eq!(settings.trust_forwarded_for.len(), 2);
        let written = serde_json::to_string(&settings).unwrap();
        assert_eq!(read(&written).unwrap(), settings);
    }
}
