//! Rules about the console's rows: whose they are, what a change leaves, and which entries of the
//! audit log make a page.

use crate::{
    AUDIT_DETAILS_BYTES_MAX, AdminError, Audit, AuditPage, AuditPlace, AuditQuery, ChangeUser,
    DRAFT_BYTES_MAX, UserChanged,
};
use domain::ids::{AccountId, UserNo};
use domain::user::{Role, User};

/// Rows that a query of the audit log reads at most, for each entry that is wanted.
const AUDIT_ROWS_PER_ENTRY: u64 = 10;

/// The account's number in rows: 0 is the staff, which has no account.
#[must_use]
pub fn owner_no(account: Option<AccountId>) -> i64 {
    account.map_or(0, |id| id.0)
}

/// Whose a row with this account's number is.
#[must_use]
pub fn owner_of(no: i64) -> Option<AccountId> {
    (no != 0).then_some(AccountId(no))
}

/// A person as a change leaves them. The caller sees to it that their account exists.
///
/// # Errors
/// Why the change is not made; about the last administrator see [`leaves_no_administrator`].
pub fn changed(before: Option<User>, change: &ChangeUser) -> Result<User, UserChanged> {
    let itself = change.no == UserNo(0) && change.account.is_some();
    let first = || User {
        account: change.account,
        no: change.no,
        name: String::new(),
        role: Role::Owner,
        settings: change.settings.clone(),
        second_factor: None,
        created_at: change.at,
        version: 0,
    };
    let before = before.or_else(|| itself.then(first));
    let before = before.ok_or(UserChanged::Unknown)?;
    if before.version != change.version {
        return Err(UserChanged::Outdated);
    }
    Ok(User {
        role: if itself { before.role } else { change.role },
        settings: change.settings.clone(),
        second_factor: change.second_factor.clone(),
        version: before.version + 1,
        ..before
    })
}

/// Whether the staff had an administrator who may sign in, and would have none with this person as
/// `after` (`None`: gone). Where there was none, nothing is lost.
#[must_use]
pub fn leaves_no_administrator(staff: &[User], no: UserNo, after: Option<&User>) -> bool {
    let rules = |user: &User| user.role == Role::Administrator && !user.settings.locked;
    let others = staff.iter().any(|user| user.no != no && rules(user));
    let before = staff.iter().any(|user| user.no == no && rules(user));
    before && !others && !after.is_some_and(rules)
}

/// Whether a draft of this content may be kept.
///
/// # Errors
/// [`AdminError::Refused`].
pub fn draft_fits(content: &str) -> Result<(), AdminError> {
    if content.len() > DRAFT_BYTES_MAX {
        return Err(AdminError::Refused("the draft is too long"));
    }
    Ok(())
}

/// The details of an audit entry as they are kept: cut off at a character where they are too long.
#[must_use]
pub fn kept_details(details: &str) -> &str {
    &details[..details.floor_char_boundary(AUDIT_DETAILS_BYTES_MAX)]
}

/// The places before which a query wants its entries: those whose `(at, account, no)` is less.
/// `i64::MAX` is beyond every row.
#[must_use]
pub fn audit_bound(before: Option<AuditPlace>) -> (i64, i64, i64) {
    before.map_or((i64::MAX, i64::MAX, i64::MAX), |place| {
        let no = i64::try_from(place.no).unwrap_or(i64::MAX);
        (place.at.0, owner_no(place.account), no)
    })
}

/// As [`audit_bound`] among the entries of one account: those whose `(at, no)` is less.
#[must_use]
pub fn audit_bound_of(account: AccountId, before: Option<AuditPlace>) -> (i64, i64) {
    let (at, owner, no) = audit_bound(before);
    match account.0.cmp(&owner) {
        std::cmp::Ordering::Less => (at, i64::MAX),
        std::cmp::Ordering::Equal => (at, no),
        std::cmp::Ordering::Greater => (at, i64::MIN),
    }
}

/// Makes a page of the audit log of rows that come in the order of the query, the newest first.
#[derive(Debug)]
pub struct AuditScan<'q> {
    query: &'q AuditQuery,
    rows_left: u64,
    last: Option<AuditPlace>,
    page: AuditPage,
}

impl<'q> AuditScan<'q> {
    /// Begins with nothing.
    #[must_use]
    pub fn new(query: &'q AuditQuery) -> Self {
        Self {
            query,
            rows_left: u64::from(query.limit) * AUDIT_ROWS_PER_ENTRY,
            last: None,
            page: AuditPage::default(),
        }
    }

    /// Looks at the next row; false where the page is complete and nothing more is to be read. The
    /// row that says so is not part of it: it shows that there is more.
    pub fn take(&mut self, row: Audit) -> bool {
        let is_full = self.page.entries.len() as u64 >= u64::from(self.query.limit);
        if is_full || self.rows_left == 0 {
            self.page.next = self.last;
            return false;
        }
        self.rows_left -= 1;
        self.last = Some(row.place);
        if self.wants(&row) {
            self.page.entries.push(row);
        }
        true
    }

    fn wants(&self, row: &Audit) -> bool {
        let AuditQuery {
            account,
            actor,
            action,
            ..
        } = self.query;
        account.is_none_or(|account| row.place.account == Some(account))
            && actor.as_ref().is_none_or(|actor| row.entry.actor == *actor)
            && action
                .as_ref()
                .is_none_or(|action| row.entry.action.starts_with(action.as_str()))
    }

    /// The place of the row that was looked at last.
    #[must_use]
    pub fn last(&self) -> Option<AuditPlace> {
        self.last
    }

    /// The page.
    #[must_use]
    pub fn page(self) -> AuditPage {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_cut_at_a_character() {
        let long = "آ".repeat(AUDIT_DETAILS_BYTES_MAX);
        assert_eq!(kept_details(&long).len(), AUDIT_DETAILS_BYTES_MAX);
        let shifted = format!("a{long}");
        assert_eq!(kept_details(&shifted).len(), AUDIT_DETAILS_BYTES_MAX - 1);
        assert_eq!(kept_details("short"), "short");
    }

    #[test]
    fn the_bound_among_an_accounts_entries_is_that_among_all() {
        let place = |account, no| AuditPlace {
            at: domain::time::UnixMillis(5),
            account,
            no,
        };
        let accounts = [None, Some(AccountId(1)), Some(AccountId(2))];
        for of in [AccountId(1), AccountId(2)] {
            for before in accounts.map(|account| place(account, 3)) {
                for no in 1..6 {
                    let row = place(Some(of), no);
                    let (at, bound) = audit_bound_of(of, Some(before));
                    let less = (row.at.0, no as i64) < (at, bound);
                    assert_eq!(less, row < before, "{row:?} {before:?}");
                }
            }
        }
    }
}
