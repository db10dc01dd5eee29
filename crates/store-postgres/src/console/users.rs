//! The people of accounts and the staff.

use super::{Answer, Next, Person, is_account, number, sessions};
use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::rows::{from_json, to_json};
use domain::ids::{AccountId, UserNo};
use domain::time::UnixMillis;
use domain::user::{Role, User};
use store::adapter::{changed, leaves_no_administrator, owner_no, owner_of};
use store::{AdminError, ChangeUser, NewUser, UserChanged};
use tokio_postgres::Row;

/// The columns of a person, in the order in which [`user`] reads them.
const COLUMNS: &str =
    "account_id, user_no, name, role, settings, second_factor, created_at, version";

pub(super) async fn create(tx: &Tx, new: &NewUser) -> Answer<UserNo> {
    if !is_owner(tx, new.account).await? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    if new.name.is_empty() {
        return Ok(Err(AdminError::Refused("a person needs a name")));
    }
    let owner = owner_no(new.account);
    let next = Next::lock(tx, owner).await?;
    if by_name(tx, &new.account, &new.name).await?.is_some() {
        return Ok(Err(AdminError::Exists(new.name.clone())));
    }
    let row = tx
        .query_one(
            "SELECT count(*) FROM console_user WHERE account_id = $1 AND user_no > 0",
            &[&owner],
        )
        .await?;
    if row.get::<_, i64>(0) >= i64::from(new.users_max) {
        return Ok(Err(AdminError::Refused(
            "there are as many people as may be",
        )));
    }
    let user = User {
        account: new.account,
        no: next.next_user(tx).await?,
        name: new.name.clone(),
        role: new.role,
        settings: new.settings.clone(),
        second_factor: None,
        created_at: new.at,
        version: 0,
    };
    write(tx, &user).await?;
    Ok(Ok(user.no))
}

pub(super) async fn change(tx: &Tx, change: &ChangeUser) -> Result<UserChanged, DbError> {
    if !is_owner(tx, change.account).await? {
        return Ok(UserChanged::Unknown);
    }
    Next::lock(tx, owner_no(change.account)).await?;
    let person = (change.account, change.no);
    let after = match changed(load(tx, &person).await?, change) {
        Ok(after) => after,
        Err(why) => return Ok(why),
    };
    if is_last(tx, person, Some(&after)).await? {
        return Ok(UserChanged::LastAdministrator);
    }
    write(tx, &after).await?;
    if after.settings.locked {
        sessions::end_all(tx, person).await?;
    }
    Ok(UserChanged::Done)
}

pub(super) async fn remove(tx: &Tx, person: &Person) -> Result<UserChanged, DbError> {
    let (account, no) = *person;
    if no == UserNo(0) || load(tx, person).await?.is_none() {
        return Ok(UserChanged::Unknown);
    }
    Next::lock(tx, owner_no(account)).await?;
    if is_last(tx, *person, None).await? {
        return Ok(UserChanged::LastAdministrator);
    }
    let removed = tx
        .execute(
            "DELETE FROM console_user WHERE account_id = $1 AND user_no = $2",
            &[&owner_no(account), &i64::from(no.0)],
        )
        .await?;
    if removed == 0 {
        // Somebody else did, before the lock was had.
        return Ok(UserChanged::Unknown);
    }
    sessions::end_all(tx, *person).await?;
    Ok(UserChanged::Done)
}

/// Whether the installation would be left without an administrator. The caller has the lock of the
/// staff.
async fn is_last(tx: &Tx, (account, no): Person, after: Option<&User>) -> Result<bool, DbError> {
    if account.is_some() {
        return Ok(false);
    }
    let staff = list(tx, &None).await?;
    Ok(leaves_no_administrator(&staff, no, after))
}

/// Whether anybody can belong there: to the staff, or to an account that there is.
async fn is_owner(tx: &Tx, account: Option<AccountId>) -> Result<bool, DbError> {
    match account {
        Some(id) => is_account(tx, id).await,
        None => Ok(true),
    }
}

async fn write(tx: &Tx, user: &User) -> Result<(), DbError> {
    let settings = to_json(&user.settings)?;
    let second_factor = user.second_factor.as_ref().map(to_json).transpose()?;
    let params: [Param<'_>; 8] = [
        &owner_no(user.account),
        &i64::from(user.no.0),
        &user.name,
        &user.role.word(),
        &settings,
        &second_factor,
        &user.created_at.0,
        &user.version.cast_signed(),
    ];
    tx.execute(
        "INSERT INTO console_user (account_id, user_no, name, role, settings, second_factor,
         created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, user_no) DO UPDATE SET role = excluded.role,
         settings = excluded.settings, second_factor = excluded.second_factor,
         version = excluded.version",
        &params,
    )
    .await
    .map(drop)
}

pub(super) async fn load(tx: &Tx, (account, no): &Person) -> Result<Option<User>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM console_user WHERE account_id = $1 AND user_no = $2");
    let params: [Param<'_>; 2] = [&owner_no(*account), &i64::from(no.0)];
    let row = tx.query_opt(&sql, &params).await?;
    row.as_ref().map(user).transpose()
}

pub(super) async fn by_name(
    tx: &Tx,
    account: &Option<AccountId>,
    name: &str,
) -> Result<Option<User>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM console_user WHERE account_id = $1 AND name = $2 AND user_no > 0"
    );
    let row = tx.query_opt(&sql, &[&owner_no(*account), &name]).await?;
    row.as_ref().map(user).transpose()
}

pub(super) async fn list(tx: &Tx, account: &Option<AccountId>) -> Result<Vec<User>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM console_user WHERE account_id = $1 ORDER BY user_no");
    let rows = tx.query(&sql, &[&owner_no(*account)]).await?;
    rows.iter().map(user).collect()
}

fn user(row: &Row) -> Result<User, DbError> {
    let word: &str = row.get(3);
    let role = Role::from_word(word);
    let second_factor = match row.get::<_, Option<&str>>(5) {
        None => None,
        Some(_) => Some(from_json(row, 5, "second factor of a person")?),
    };
    Ok(User {
        account: owner_of(row.get(0)),
        no: UserNo(number(row.get(1))?),
        name: row.get(2),
        role: role.ok_or_else(|| DbError::Row(format!("there is no role {word}")))?,
        settings: from_json(row, 4, "settings of a person")?,
        second_factor,
        created_at: UnixMillis(row.get(6)),
        version: row.get::<_, i64>(7).cast_unsigned(),
    })
}
