//! Lines, and who may use them.

use super::ManageError;
use crate::App;
use domain::ids::{LineId, LinkId};
use domain::line::{Line, LineSettings};
use domain::line_number::LineNumber;
use store::NewLine;

/// Longest time that a receipt may be awaited, in hours: 30 days.
pub const REPORT_HOURS_MAX: u32 = 720;

impl App {
    /// Adds a line. `number` is also how it is shown and sent, in its letter case.
    ///
    /// # Errors
    /// It cannot be a line, there is one with that number, the settings cannot work, or the store
    /// failed.
    pub async fn add_line(
        &self,
        number: &str,
        settings: LineSettings,
    ) -> Result<LineId, ManageError> {
        let display = number.trim();
        let number = parsed(display)?;
        self.check_line(&settings).await?;
        // Digits have one right way to be shown; names keep their letter case.
        let display = if number.is_numeric() {
            number.as_str()
        } else {
            name_of(display)
        };
        let display = display.to_owned();
        let id = self
            .store()
            .create_line(NewLine {
                number,
                display,
                settings,
            })
            .await?;
        self.catalog_changed();
        Ok(id)
    }

    /// Replaces a line's settings. Bulks that were accepted keep their terms.
    ///
    /// # Errors
    /// There is no such line, the settings cannot work, or the store failed.
    pub async fn update_line(
        &self,
        number: &str,
        settings: LineSettings,
    ) -> Result<(), ManageError> {
        let line = self.line(number).await?;
        self.check_line(&settings).await?;
        self.store().update_line(line.id, settings).await?;
        self.catalog_changed();
        Ok(())
    }

    /// The line with this number or name.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn line(&self, number: &str) -> Result<Line, ManageError> {
        let number = parsed(number)?;
        let view = self.view().await?;
        let line = view.line_by_number(&number);
        line.map(|line| (**line).clone())
            .ok_or_else(|| ManageError::Unknown(format!("line {number}")))
    }

    /// Lets an account use a line, or no longer.
    ///
    /// # Errors
    /// There is no such account or line, or the store failed.
    pub async fn grant_line(
        &self,
        account: &str,
        line: &str,
        granted: bool,
    ) -> Result<(), ManageError> {
        let account = self.account(account).await?;
        let line = self.line(line).await?;
        self.store()
            .grant_line(account.id, line.id, granted)
            .await?;
        self.catalog_changed();
        Ok(())
    }

    async fn check_line(&self, settings: &LineSettings) -> Result<(), ManageError> {
        let invalid = |sentence: String| Err(ManageError::Invalid(sentence));
        if settings.report_hours == 0 || settings.report_hours > REPORT_HOURS_MAX {
            return invalid(format!("report_hours must be 1 to {REPORT_HOURS_MAX}"));
        }
        if settings.rate_per_second == Some(0) {
            return invalid("rate_per_second must be at least 1; leave it out for no limit".into());
        }
        if settings.validity_seconds == Some(0) {
            return invalid(
                "validity_seconds must be at least 1; leave it out for no limit".into(),
            );
        }
        let view = self.view().await?;
        for (place, route) in settings.routes.iter().enumerate() {
            let missing = |id: &LinkId| view.link(*id).is_none();
            if let Some(id) = [Some(route.link), route.fallback]
                .into_iter()
                .flatten()
                .find(missing)
            {
                return Err(ManageError::Unknown(format!(
                    "link {id}, which a route names"
                )));
            }
            if route.fallback == Some(route.link) {
                return invalid(format!("link {} is its own fallback", route.link));
            }
            if route
                .operator
                .is_some_and(|id| self.operators().by_id(id).is_none())
            {
                return Err(ManageError::Unknown("operator that a route names".into()));
            }
            if settings.routes[..place]
                .iter()
                .any(|earlier| earlier.operator == route.operator)
            {
                return invalid("two routes are for the same operator".into());
            }
        }
        Ok(())
    }
}

/// A name without the country code that clients put before it; the registered letter case stays.
fn name_of(display: &str) -> &str {
    let bare = display.strip_prefix('+').unwrap_or(display);
    bare.strip_prefix("98").unwrap_or(bare).trim()
}

fn parsed(number: &str) -> Result<LineNumber, ManageError> {
    LineNumber::parse(number).ok_or_else(|| {
        let rule = "3 to 20 digits, or a name of ASCII letters and digits";
        ManageError::Invalid(format!("not a line ({rule})"))
    })
}
