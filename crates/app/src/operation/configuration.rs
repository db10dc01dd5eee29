//! The configuration in force, as plain words: the binary hands it over, the console shows it.

use crate::{App, Notice};
use std::sync::Arc;

/// A setting of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its section (`web.console`).
    pub section: String,
    /// Its key.
    pub key: String,
    /// Its value as it would stand in the file; never a secret.
    pub value: String,
    /// True where it is not the default.
    pub changed: bool,
    /// What it is, in English: the words of `peyk config example`.
    pub meaning: String,
}

/// What the configuration says that use cases and pages ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    settings: Vec<Setting>,
    version: String,
    notice: Notice,
}

impl App {
    /// Gives the use cases the configuration that the process runs with, its version, and how
    /// customers are told that a ticket was answered; only the first one counts.
    pub fn attach_configuration(&self, settings: Vec<Setting>, version: String, notice: Notice) {
        let configuration = Configuration {
            settings,
            version,
            notice,
        };
        let _ = self.0.configuration.set(Arc::new(configuration));
    }

    /// The configuration of this process, in the order of the file; empty where nobody gave it.
    #[must_use]
    pub fn settings_in_force(&self) -> &[Setting] {
        self.0
            .configuration
            .get()
            .map_or(&[], |configuration| &configuration.settings)
    }

    /// The version of the program; empty where nobody gave it.
    #[must_use]
    pub fn version(&self) -> &str {
        self.0
            .configuration
            .get()
            .map_or("", |configuration| &configuration.version)
    }

    /// How customers are told that their tickets were answered.
    #[must_use]
    pub fn ticket_notice(&self) -> Notice {
        let configuration = self.0.configuration.get();
        configuration.map_or_else(Notice::default, |configuration| {
            configuration.notice.clone()
        })
    }
}
