//! The settings of the console, as they stand in `peyk.toml`.

use crate::client_address::Network;
use app::console::SessionLimits;
use serde::{Deserialize, Serialize};

/// Who may use the console, and for how long at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleSettings {
    /// Whether there is a console at `/console`.
    pub enabled: bool,
    /// Networks from which the staff may sign in and work (`192.0.2.0/24`); empty is everywhere.
    pub staff_from: Vec<Network>,
    /// Hours after which a session ends, however much it is used.
    pub session_hours: u32,
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u32,
    /// What the console calls itself; a company may put its own name here.
    pub title: String,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        let limits = SessionLimits::default();
        Self {
            enabled: true,
            staff_from: Vec::new(),
            session_hours: limits.session_hours,
            idle_minutes: limits.idle_minutes,
            title: String::new(),
        }
    }
}

/// Characters of [`ConsoleSettings::title`].
const TITLE_CHARS_MAX: usize = 40;

impl ConsoleSettings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        if self.title.chars().count() > TITLE_CHARS_MAX {
            return Err(format!("title has at most {TITLE_CHARS_MAX} characters"));
        }
        self.session_limits().check()
    }

    /// How long sessions last.
    #[must_use]
    pub fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            session_hours: self.session_hours,
            idle_minutes: self.idle_minutes,
        }
    }
}
