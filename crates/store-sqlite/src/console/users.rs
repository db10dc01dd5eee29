//! The people of accounts and the staff.

use super::{Numbered, next_number, sessions};
use crate::admin::to_json;
use crate::error::DbError;
use crate::patterns::account_exists;
use crate::queries::from_json;
use domain::ids::{AccountId, UserNo};
use domain::time::UnixMillis;
use domain::user::{Role, User};
use rusqlite::{Connection, Row, params};
use store::adapter::{changed, leaves_no_administrator, owner_no, owner_of};
use store::{AdminError, ChangeUser, EndSessions, NewUser, UserChanged};

type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// The columns of a person, in the order in which [`user`] reads them.
const COLUMNS: &str =
    "account_id, user_no, name, role, settings, second_factor, created_at, version";

pub(super) fn create(conn: &Connection, new: &NewUser) -> Answer<UserNo> {
    if !is_owner(conn, new.account)? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if new.name.is_empty() {
        return Ok(Err(AdminError::Refused("a person needs a name")));
    }
    if by_name(conn, new.account, &new.name)?.is_some() {
        return Ok(Err(AdminError::Exists(new.name.clone())));
    }
    let owner = owner_no(new.account);
    let people: u32 = conn
        .prepare_cached("SELECT count(*) FROM console_user WHERE account_id = ?1 AND user_no > 0")?
        .query_row([owner], |row| row.get(0))?;
    if people >= new.users_max {
        return Ok(Err(AdminError::Refused(
            "there are as many people as may be",
        )));
    }
    let no = next_number(conn, owner, Numbered::User)?;
    let no = u32::try_from(no).map_err(|_| DbError::Row(format!("{no} is nobody's number")))?;
    let user = User {
        account: new.account,
        no: UserNo(no),
        name: new.name.clone(),
        role: new.role,
        settings: new.settings.clone(),
        second_factor: None,
        created_at: new.at,
        version: 0,
    };
    write(conn, &user)?;
    Ok(Ok(user.no))
}

pub(super) fn change(conn: &Connection, change: &ChangeUser) -> Result<UserChanged, DbError> {
    if !is_owner(conn, change.account)? {
        return Ok(UserChanged::Unknown);
    }
    let before = load(conn, change.account, change.no)?;
    let after = match changed(before, change) {
        Ok(after) => after,
        Err(why) => return Ok(why),
    };
    if is_last(conn, change.account, change.no, Some(&after))? {
        return Ok(UserChanged::LastAdministrator);
    }
    write(conn, &after)?;
    if after.settings.locked {
        sessions::end(conn, (change.account, change.no), EndSessions::All)?;
    }
    Ok(UserChanged::Done)
}

pub(super) fn remove(
    conn: &Connection,
    account: Option<AccountId>,
    no: UserNo,
) -> Result<UserChanged, DbError> {
    if no == UserNo(0) || load(conn, account, no)?.is_none() {
        return Ok(UserChanged::Unknown);
    }
    if is_last(conn, account, no, None)? {
        return Ok(UserChanged::LastAdministrator);
    }
    conn.prepare_cached("DELETE FROM console_user WHERE account_id = ?1 AND user_no = ?2")?
        .execute(params![owner_no(account), no.0])?;
    sessions::end(conn, (account, no), EndSessions::All)?;
    Ok(UserChanged::Done)
}

/// Whether the installation would be left without an administrator.
fn is_last(
    conn: &Connection,
    account: Option<AccountId>,
    no: UserNo,
    after: Option<&User>,
) -> Result<bool, DbError> {
    Ok(account.is_none() && leaves_no_administrator(&list(conn, None)?, no, after))
}

/// Whether anybody can belong there: to the staff, or to an account that there is.
fn is_owner(conn: &Connection, account: Option<AccountId>) -> Result<bool, DbError> {
    account.map_or(Ok(true), |id| account_exists(conn, id))
}

fn write(conn: &Connection, user: &User) -> Result<(), DbError> {
    let second_factor = user.second_factor.as_ref().map(to_json).transpose()?;
    conn.prepare_cached(
        "INSERT INTO console_user (account_id, user_no, name, role, settings, second_factor,
         created_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (account_id, user_no) DO UPDATE SET role = excluded.role,
         settings = excluded.settings, second_factor = excluded.second_factor,
         version = excluded.version",
    )?
    .execute(params![
        owner_no(user.account),
        user.no.0,
        user.name,
        user.role.word(),
        to_json(&user.settings)?,
        second_factor,
        user.created_at.0,
        user.version.cast_signed(),
    ])?;
    Ok(())
}

pub(super) fn load(
    conn: &Connection,
    account: Option<AccountId>,
    no: UserNo,
) -> Result<Option<User>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM console_user WHERE account_id = ?1 AND user_no = ?2"
    ))?;
    let mut rows = statement.query(params![owner_no(account), no.0])?;
    rows.next()?.map(user).transpose()
}

pub(super) fn by_name(
    conn: &Connection,
    account: Option<AccountId>,
    name: &str,
) -> Result<Option<User>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM console_user WHERE account_id = ?1 AND name = ?2 AND user_no > 0"
    ))?;
    let mut rows = statement.query(params![owner_no(account), name])?;
    rows.next()?.map(user).transpose()
}

pub(super) fn list(conn: &Connection, account: Option<AccountId>) -> Result<Vec<User>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM console_user WHERE account_id = ?1 ORDER BY user_no"
    ))?;
    let mut rows = statement.query([owner_no(account)])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        users.push(user(row)?);
    }
    Ok(users)
}

fn user(row: &Row<'_>) -> Result<User, DbError> {
    let word: String = row.get(3)?;
    let role = Role::from_word(&word);
    let second_factor = match row.get_ref(5)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(from_json(row, 5, "second factor of a person")?),
    };
    Ok(User {
        account: owner_of(row.get(0)?),
        no: UserNo(row.get(1)?),
        name: row.get(2)?,
        role: role.ok_or_else(|| DbError::Row(format!("there is no role {word}")))?,
        settings: from_json(row, 4, "settings of a person")?,
        second_factor,
        created_at: UnixMillis(row.get(6)?),
        version: row.get::<_, i64>(7)?.cast_unsigned(),
    })
}
