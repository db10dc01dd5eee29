//! What the configuration says about messages from handsets.

use serde::{Deserialize, Serialize};

/// Most seconds that [`InboxSettings::parts_wait_seconds`] may be: a week.
const PARTS_WAIT_SECONDS_MAX: u32 = 7 * 86_400;
/// Most calls that [`CallbackSettings::concurrency`] may allow.
const CONCURRENCY_MAX: u32 = 1_000;
/// Most seconds that [`CallbackSettings::timeout_seconds`] may be.
const TIMEOUT_SECONDS_MAX: u32 = 120;
/// Most hours that [`CallbackSettings::retry_hours`] may be: 30 days.
const RETRY_HOURS_MAX: u32 = 720;

/// How messages are put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboxSettings {
    /// Seconds after its last part for which a message waits for the others.
    pub parts_wait_seconds: u32,
}

impl Default for InboxSettings {
    fn default() -> Self {
        Self {
            parts_wait_seconds: app::inbox::PARTS_WAIT_SECONDS_DEFAULT,
        }
    }
}

/// How customers' URLs are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackSettings {
    /// Whether URLs may lead to private and loopback addresses: into the operator's own network.
    pub allow_private: bool,
    /// Calls at the same time, each to another URL.
    pub concurrency: u32,
    /// Seconds that a call may take.
    pub timeout_seconds: u32,
    /// Hours for which a call is tried again.
    pub retry_hours: u32,
}

impl Default for CallbackSettings {
    fn default() -> Self {
        Self {
            allow_private: false,
            concurrency: 32,
            timeout_seconds: 10,
            retry_hours: 72,
        }
    }
}

impl InboxSettings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        in_range(
            "parts_wait_seconds",
            self.parts_wait_seconds,
            PARTS_WAIT_SECONDS_MAX,
        )
    }
}

impl CallbackSettings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        in_range("concurrency", self.concurrency, CONCURRENCY_MAX)?;
        in_range("timeout_seconds", self.timeout_seconds, TIMEOUT_SECONDS_MAX)?;
        in_range("retry_hours", self.retry_hours, RETRY_HOURS_MAX)
    }
}

fn in_range(name: &str, value: u32, max: u32) -> Result<(), String> {
    if value == 0 || value > max {
        return Err(format!("{name} must be 1 to {max}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used_and_values_out_of_range_are_named() {
        assert_eq!(InboxSettings::default().check(), Ok(()));
        assert_eq!(CallbackSettings::default().check(), Ok(()));
        let never = CallbackSettings {
            retry_hours: 0,
            ..CallbackSettings::default()
        };
        assert_eq!(never.check(), Err("retry_hours must be 1 to 720".into()));
    }
}
