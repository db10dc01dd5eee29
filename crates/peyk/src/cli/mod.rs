//! The command line: one file for each command, and what they share.

mod account;
mod account_tree;
mod approval;
mod approval_rule;
pub mod audited;
mod backup;
mod blacklist;
mod book;
mod bulk;
mod config;
mod db;
mod demo;
mod directory;
mod doctor;
mod inbox;
mod key;
mod line;
mod link;
mod migrate;
mod package;
mod pattern;
mod processes;
mod rule;
mod send;
mod serve;
mod simulate;
mod store_copy;
mod tariff;
mod ticket;
mod user;

use crate::config::Config;
use crate::exit::{EXIT_CODES, Exit};
use crate::observe;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const ABOUT: &str = "\
peyk, a self-hosted SMS platform: the web service that customers call, the store that never forgets \
what it accepted, and the links to the mobile operators.

New here? `peyk demo` shows all of it on this machine, with a simulated operator.";

const EVERYWHERE: &str = "Options of every command";

/// The command line.
#[derive(Parser)]
#[command(name = "peyk", version, about = "A self-hosted SMS platform", long_about = ABOUT)]
#[command(after_help = EXIT_CODES, infer_subcommands = false, propagate_version = true)]
pub struct Cli {
    /// Configuration file [default: ./peyk.toml if there is one]
    #[arg(long, global = true, env = "PEYK_CONFIG", value_name = "FILE")]
    #[arg(help_heading = EVERYWHERE)]
    config: Option<PathBuf>,

    /// Folder of the data: uses the embedded store in DIR/peyk.db, whatever the configuration says
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    data: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Send(send::SendArgs),
    Bulk(bulk::BulkArgs),
    Book(book::BookArgs),
    Account(account::AccountArgs),
    Line(line::LineArgs),
    Link(link::LinkArgs),
    Tariff(tariff::TariffArgs),
    Package(package::PackageArgs),
    Ticket(ticket::TicketArgs),
    Pattern(pattern::PatternArgs),
    Key(key::KeyArgs),
    User(user::UserArgs),
    Inbox(inbox::InboxArgs),
    Rule(rule::RuleArgs),
    Blacklist(blacklist::BlacklistArgs),
    Approval(approval::ApprovalArgs),
    ApprovalRule(approval_rule::ApprovalRuleArgs),
    Directory(directory::DirectoryArgs),
    Simulate(simulate::SimulateArgs),
    Doctor(doctor::DoctorArgs),
    Migrate(migrate::MigrateArgs),
    Store(store_copy::StoreArgs),
    Backup(backup::BackupArgs),
    Db(db::DbArgs),
    Config(config::ConfigArgs),
}

/// For commands whose output is data.
#[derive(Args, Clone, Copy)]
pub struct JsonFlag {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Reads the configuration and runs the command.
///
/// # Errors
/// What went wrong, as one sentence.
pub async fn run(cli: Cli) -> Result<Exit> {
    audited::remember(std::env::args_os());
    // Commands that need no configuration also work when it is broken: one of them prints it.
    let command = match cli.command {
        Command::Config(args) if args.needs_no_configuration() => return config::example(),
        Command::Simulate(args) => return simulate::run(args).await,
        Command::Demo(args) => return demo::run(args, cli.data).await,
        command => command,
    };
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::load(cli.config.as_deref(), cli.data.as_deref(), env)?;
    if !matches!(command, Command::Serve(_)) {
        // The person at the terminal asked for one thing and is told how it went; the log would
        // only repeat it.
        let quiet = crate::config::LogConfig {
            filter: "error".into(),
            ..config.log.clone()
        };
        observe::log_to_stderr(&quiet)?;
    }
    match command {
        Command::Demo(args) => demo::run(args, cli.data).await,
        Command::Serve(args) => serve::run(args, config).await,
        Command::Send(args) => send::run(args, &config).await,
        Command::Bulk(args) => bulk::run(args, &config).await,
        Command::Book(args) => book::run(args, &config).await,
        Command::Account(args) => account::run(args, &config).await,
        Command::Line(args) => line::run(args, &config).await,
        Command::Link(args) => link::run(args, &config).await,
        Command::Tariff(args) => tariff::run(args, &config).await,
        Command::Package(args) => package::run(args, &config).await,
        Command::Ticket(args) => ticket::run(args, &config).await,
        Command::Pattern(args) => pattern::run(args, &config).await,
        Command::Key(args) => key::run(args, &config).await,
        Command::User(args) => user::run(args, &config).await,
        Command::Inbox(args) => inbox::run(args, &config).await,
        Command::Rule(args) => rule::run(args, &config).await,
        Command::Blacklist(args) => blacklist::run(args, &config).await,
        Command::Approval(args) => approval::run(args, &config).await,
        Command::ApprovalRule(args) => approval_rule::run(args, &config).await,
        Command::Directory(args) => directory::run(args, &config),
        Command::Simulate(args) => simulate::run(args).await,
        Command::Doctor(args) => doctor::run(args, &config).await,
        Command::Migrate(args) => migrate::run(args, &config).await,
        Command::Store(args) => store_copy::run(args, &config).await,
        Command::Backup(args) => backup::run(args, &config).await,
        Command::Db(args) => db::run(args, &config).await,
        Command::Config(args) => config::run(&args, &config),
    }
}
