//! What a pattern says and which values it needs (`patternInfo`).

use crate::App;
use crate::send::SendError;
use domain::account::Account;

/// A pattern as its users see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternInfo {
    /// The text with its variables as `%name%`.
    pub message: String,
    /// The names of its variables, in the order of the text.
    pub variables: Vec<String>,
}

impl App {
    /// What a pattern says and needs, whatever its status.
    ///
    /// # Errors
    /// 971 where it cannot be a code, 404 where the account has no such pattern, 997 where it may
    /// not use it any more; or the store failed.
    pub async fn pattern_info(
        &self,
        account: &Account,
        code: &str,
    ) -> Result<PatternInfo, SendError> {
        let met = self.met_pattern(account, code).await?;
        let variables = met.form.variables();
        Ok(PatternInfo {
            message: met.form.text().to_owned(),
            variables: variables.iter().map(|one| one.name.clone()).collect(),
        })
    }
}
