//! Until when an account may be used (`usertime`).

use domain::account::Account;
use domain::schedule::format_tehran;

/// The end of the account, or of one above it where that is earlier, `YYYY-MM-DD HH:MM:SS` of
/// Asia/Tehran.
#[must_use]
pub fn usertime(account: &Account) -> String {
    format_tehran(account.ends_at())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_store::account;
    use domain::time::UnixMillis;

    #[test]
    fn the_end_is_shown_in_the_time_of_tehran() {
        let account = Account {
            expires_at: UnixMillis(1_893_443_400_000),
            ..account("shop")
        };
        assert_eq!(usertime(&account), "2030-01-01 00:00:00");
    }
}
