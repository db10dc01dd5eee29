//! `peyk user`: the people who sign in to the console.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, say};
use crate::runtime::{Missing, Peyk};
use anyhow::{Context, Result, bail};
use app::console::NewPerson;
use clap::{Args, Subcommand, ValueEnum};
use domain::ids::AccountId;
use domain::user::{Role, User};
use serde_json::json;

const EXAMPLE: &str = "\
Examples:
  peyk user add staff:reza --role administrator
  peyk user add shop/ali --role sender --title 'Ali R.'
  peyk user list staff
  peyk user set shop/ali --locked true
  peyk user reset-second-factor shop

staff:NAME is somebody of the company that runs the installation, ACCOUNT/NAME somebody of an
account, ACCOUNT alone the account itself, which signs in with its own password (`peyk account
passwd`). The console is at /console, the staff's door at /console/staff/sign-in.";

/// What the logins of the staff begin with.
const STAFF: &str = "staff";

/// People who sign in to the console: add, list, change, remove
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

/// What a person may see and do.
#[derive(Clone, Copy, ValueEnum)]
enum GivenRole {
    /// Of an account: sends; phonebooks, inbox, patterns
    Sender,
    /// Of an account: money and reports
    Accountant,
    /// Of an account: reports
    Viewer,
    /// Of the staff: everything
    Administrator,
    /// Of the staff: links, lines, queues
    Operator,
    /// Of the staff: texts, blacklists, tickets
    Moderator,
    /// Of the staff: looks at everything
    Support,
}

impl From<GivenRole> for Role {
    fn from(role: GivenRole) -> Self {
        match role {
            GivenRole::Sender => Self::Sender,
            GivenRole::Accountant => Self::Accountant,
            GivenRole::Viewer => Self::Viewer,
            GivenRole::Administrator => Self::Administrator,
            GivenRole::Operator => Self::Operator,
            GivenRole::Moderator => Self::Moderator,
            GivenRole::Support => Self::Support,
        }
    }
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add somebody; their password is made up and printed
    Add {
        /// staff:NAME or ACCOUNT/NAME
        login: String,
        /// What they may see and do
        #[arg(long, value_enum)]
        role: GivenRole,
        /// Their name as they write it
        #[arg(long, default_value = "")]
        title: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// List the people of an account, or with `staff` those of the company
    List {
        /// ACCOUNT or staff
        account: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Change somebody; what is not given stays
    Set {
        /// staff:NAME or ACCOUNT/NAME
        login: String,
        /// What they may see and do
        #[arg(long, value_enum)]
        role: Option<GivenRole>,
        /// Their name as they write it
        #[arg(long)]
        title: Option<String>,
        /// Whether they may not sign in any more; they are signed out at once
        #[arg(long, value_name = "BOOL")]
        locked: Option<bool>,
    },
    /// Give somebody a new password, which is made up and printed; they are signed out
    Passwd {
        /// staff:NAME or ACCOUNT/NAME
        login: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Take the second factor away from somebody who lost it; they are signed out
    ResetSecondFactor {
        /// staff:NAME, ACCOUNT/NAME or ACCOUNT
        login: String,
    },
    /// Remove somebody; they are signed out
    Remove {
        /// staff:NAME or ACCOUNT/NAME
        login: String,
    },
}

pub(super) async fn run(args: UserArgs, config: &Config) -> Result<Exit> {
    let missing = match args.command {
        // The first administrator is often added before the first start.
        UserCommand::Add { .. } => Missing::Create,
        _ => Missing::Refuse,
    };
    Peyk::with(config, missing, async |peyk| {
        match args.command {
            UserCommand::Add {
                login,
                role,
                title,
                output,
            } => add(peyk, &login, role.into(), &title, output.json).await?,
            UserCommand::List { account, output } => list(peyk, &account, output.json).await?,
            UserCommand::Set {
                login,
                role,
                title,
                locked,
            } => set(peyk, &login, role.map(Role::from), title, locked).await?,
            UserCommand::Passwd { login, output } => {
                let user = peyk.app.person_by_login(&login).await?;
                let renewed = peyk.app.renew_person_password(user.account, user.no);
                print_password(&login, &renewed.await?, output.json)?;
            }
            UserCommand::ResetSecondFactor { login } => {
                let user = peyk.app.person_by_login(&login).await?;
                peyk.app.reset_second_factor(&user).await?;
                say!("{login} signs in with the password alone now.");
            }
            UserCommand::Remove { login } => {
                let user = peyk.app.person_by_login(&login).await?;
                peyk.app.remove_person(user.account, user.no).await?;
                say!("{login} is removed.");
            }
        }
        Ok(Exit::Done)
    })
    .await
}

async fn add(peyk: &Peyk, login: &str, role: Role, title: &str, json: bool) -> Result<()> {
    let (account, name) = match (login.split_once(':'), login.split_once('/')) {
        (Some((STAFF, name)), _) => (None, name),
        (_, Some((account, name))) => (Some(peyk.app.account(account).await?.id), name),
        _ => bail!("write staff:NAME or ACCOUNT/NAME"),
    };
    let new = NewPerson { name, title, role };
    let (_, password) = peyk.app.add_person(account, new).await?;
    print_password(login, &password, json)
}

fn print_password(login: &str, password: &str, json: bool) -> Result<()> {
    if json {
        return output::json(&json!({ "login": login, "password": password }));
    }
    let staff = login.split_once(':').map(|(_, name)| name);
    say!("Signs in as  {}", staff.unwrap_or(login));
    say!("Password     {password}");
    say!(
        "At           {}",
        match staff {
            Some(_) => "/console/staff/sign-in",
            None => "/console",
        }
    );
    Ok(())
}

async fn list(peyk: &Peyk, account: &str, json: bool) -> Result<()> {
    let of: Option<AccountId> = match account {
        STAFF => None,
        name => Some(peyk.app.account(name).await?.id),
    };
    let people = peyk.app.people(of).await?;
    let login = |user: &User| match of {
        None => format!("{STAFF}:{}", user.name),
        Some(_) => format!("{account}/{}", user.name),
    };
    if json {
        let rows: Vec<_> = people
            .iter()
            .map(|user| {
                json!({
                    "login": login(user),
                    "title": user.settings.title,
                    "role": user.role.word(),
                    "second_factor": user.second_factor.is_some(),
                    "locked": user.settings.locked,
                })
            })
            .collect();
        return output::json(&rows);
    }
    let mut table = Table::new(["LOGIN", "NAME", "ROLE", "SECOND FACTOR", "LOCKED"]);
    for user in &people {
        let word = |yes| if yes { "yes" } else { "no" };
        table.row([
            login(user),
            user.settings.title.clone(),
            user.role.word().to_owned(),
            word(user.second_factor.is_some()).to_owned(),
            word(user.settings.locked).to_owned(),
        ]);
    }
    table.print("Nobody yet. Add somebody with `peyk user add LOGIN --role ROLE`.");
    Ok(())
}

async fn set(
    peyk: &Peyk,
    login: &str,
    role: Option<Role>,
    title: Option<String>,
    locked: Option<bool>,
) -> Result<()> {
    let user = peyk.app.person_by_login(login).await?;
    let role = role.unwrap_or(user.role);
    let title = title.unwrap_or(user.settings.title);
    let locked = locked.unwrap_or(user.settings.locked);
    peyk.app
        .change_person(user.account, user.no, &title, role, locked)
        .await
        .with_context(|| format!("{login} was not changed"))?;
    say!("{login} is changed.");
    Ok(())
}
