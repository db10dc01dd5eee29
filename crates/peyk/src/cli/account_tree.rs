//! `peyk account` for the tree of accounts: who stands below whom, credit that moves between them,
//! and what became of it.

use crate::cli::JsonFlag;
use crate::cli::account::{PAGE, state_of};
use crate::output::{self, Table, rials, say, utc};
use crate::runtime::Peyk;
use anyhow::{Result, bail};
use app::{AccountSummary, TransferRequest};
use clap::Args;
use domain::ids::{AccountId, PackageId};
use domain::money::Rials;
use domain::schedule::format_tehran;
use domain::time::UnixMillis;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

#[derive(Args)]
pub(super) struct TransferArgs {
    /// User name of who gives
    from: String,
    /// User name of who gets
    to: String,
    /// Amount in rials
    #[arg(value_name = "RIALS")]
    amount: i64,
    /// What both ledgers show beside it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    output: JsonFlag,
}

pub(super) async fn transfer(peyk: &Peyk, args: &TransferArgs) -> Result<()> {
    let (from, to) = (&args.from, &args.to);
    let request = TransferRequest {
        from,
        to,
        amount: Rials(args.amount),
        note: args.note.as_deref(),
    };
    let done = match peyk.app.transfer(request).await {
        Ok(done) => done,
        Err(error) => {
            let credit = match peyk.app.account(from).await {
                Ok(account) => peyk.app.balance(&account).await?.credit,
                Err(_) => Rials::ZERO,
            };
            if credit.0 < args.amount {
                bail!("{error}: {from} has {} rials to give", rials(credit));
            }
            return Err(error.into());
        }
    };
    if args.output.json {
        return output::json(&json!({
            "from": { "name": from, "credit": done.from.credit, "reserved": done.from.reserved },
            "to": { "name": to, "credit": done.to.credit, "reserved": done.to.reserved },
        }));
    }
    let (amount, left) = (rials(Rials(args.amount)), rials(done.from.credit));
    say!("{amount} rials went from {from} to {to}.");
    say!(
        "{from} now has {left} rials to spend, {to} has {}.",
        rials(done.to.credit)
    );
    Ok(())
}

/// The accounts in the order in which they stand, each with its depth.
fn ordered(accounts: Vec<AccountSummary>) -> Vec<(usize, AccountSummary)> {
    let known: HashMap<AccountId, ()> = accounts.iter().map(|one| (one.id, ())).collect();
    let mut below: BTreeMap<Option<AccountId>, Vec<AccountSummary>> = BTreeMap::new();
    for account in accounts {
        // One whose parent is gone, which the doctor reports, stands at the top.
        let parent = account.parent.filter(|parent| known.contains_key(parent));
        below.entry(parent).or_default().push(account);
    }
    let mut ordered = Vec::new();
    let mut next = below.remove(&None).unwrap_or_default();
    next.reverse();
    let mut waiting: Vec<(usize, AccountSummary)> = next.into_iter().map(|one| (0, one)).collect();
    while let Some((depth, account)) = waiting.pop() {
        let children = below.remove(&Some(account.id)).unwrap_or_default();
        waiting.extend(children.into_iter().rev().map(|one| (depth + 1, one)));
        ordered.push((depth, account));
    }
    ordered
}

async fn all_accounts(peyk: &Peyk) -> Result<Vec<AccountSummary>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = peyk.app.accounts(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = Some(last.id);
        all.extend(page);
    }
}

async fn package_names(peyk: &Peyk) -> Result<HashMap<PackageId, String>> {
    let catalog = peyk.app.catalog().await?;
    let packages = catalog.packages.iter();
    Ok(packages.map(|one| (one.id, one.name.clone())).collect())
}

pub(super) async fn list(peyk: &Peyk, as_json: bool) -> Result<()> {
    let packages = package_names(peyk).await?;
    let now = peyk.clock.now();
    let mut table = Table::new(["ACCOUNT", "TITLE", "PACKAGE", "CREDIT", "RESERVED", "STATE"]);
    let mut rows = Vec::new();
    for (depth, account) in ordered(all_accounts(peyk).await?) {
        let package = account.package.and_then(|id| packages.get(&id));
        let state = state_of(&account, now);
        table.row([
            format!("{}{}", "  ".repeat(depth), account.name),
            account.settings.title.clone(),
            package.cloned().unwrap_or_else(|| "-".into()),
            rials(account.balance.credit),
            rials(account.balance.reserved),
            state.to_owned(),
        ]);
        rows.push(json!({
            "id": account.id, "name": account.name, "depth": depth, "parent_id": account.parent,
            "package": package, "credit": account.balance.credit,
            "reserved": account.balance.reserved, "state": state,
        }));
    }
    if as_json {
        return output::json(&rows);
    }
    table.print("No accounts yet. Open one with `peyk account add NAME --credit RIALS`.");
    Ok(())
}

pub(super) async fn show(peyk: &Peyk, name: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(name).await?;
    let balance = peyk.app.balance(&account).await?;
    let person = peyk.app.person(&account).await?;
    let packages = package_names(peyk).await?;
    let package = account.package.and_then(|id| packages.get(&id));
    let above: Vec<&str> = account
        .ancestors
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let restricted = account.is_restricted(peyk.clock.now());
    if as_json {
        return output::json(&json!({
            "id": account.id, "name": account.name, "title": account.settings.title,
            "above": above, "package": package, "credit": balance.credit,
            "reserved": balance.reserved, "created_at": utc(account.created_at),
            "ends_at": utc(account.ends_at()), "restricted": restricted, "person": person,
        }));
    }
    let or_dash = |text: &str| {
        if text.is_empty() {
            "-".into()
        } else {
            text.to_owned()
        }
    };
    say!("Account {} ({})", account.name, account.id);
    say!("  Title         {}", or_dash(&account.settings.title));
    say!("  Below         {}", or_dash(&above.join(", then ")));
    say!("  Package       {}", package.map_or("-", String::as_str));
    say!("  Credit        {} rials", rials(balance.credit));
    say!("  Reserved      {} rials", rials(balance.reserved));
    say!(
        "  Opened        {} (Tehran)",
        format_tehran(account.created_at)
    );
    say!(
        "  Ends          {} (Tehran)",
        format_tehran(account.ends_at())
    );
    if restricted {
        say!("  It can do nothing: it, or an account above it, is restricted or has expired.");
    }
    if let Some(person) = person {
        for (what, value) in [
            ("Name", &person.name),
            ("Company", &person.company),
            ("National id", &person.national_id),
            ("Certificate", &person.certificate_id),
            ("Telephone", &person.telephone),
            ("Mobile", &person.mobile),
            ("Postal code", &person.postal_code),
            ("E-mail", &person.email),
            ("Address", &person.address),
        ] {
            say!("  {what:<13} {}", or_dash(value));
        }
    }
    Ok(())
}

pub(super) async fn usage(
    peyk: &Peyk,
    name: &str,
    since: Option<UnixMillis>,
    as_json: bool,
) -> Result<()> {
    let reseller = peyk.app.account(name).await?;
    let packages = package_names(peyk).await?;
    let since = since.unwrap_or(UnixMillis(0));
    let mut table = Table::new(["ACCOUNT", "PACKAGE", "GOT", "SPENT", "CREDIT", "RESERVED"]);
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = peyk.app.sub_accounts(&reseller, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for account in page {
            let sums = peyk.app.ledger_sums(account.id, since).await?;
            let spent = sums.charged - sums.refunded;
            let package = account.package.and_then(|id| packages.get(&id));
            table.row([
                account.name.clone(),
                package.cloned().unwrap_or_else(|| "-".into()),
                rials(sums.transferred),
                rials(spent),
                rials(account.balance.credit),
                rials(account.balance.reserved),
            ]);
            rows.push(json!({
                "id": account.id, "name": account.name, "package": package,
                "transferred": sums.transferred, "charged": sums.charged,
                "refunded": sums.refunded, "spent": spent, "credit": account.balance.credit,
                "reserved": account.balance.reserved,
            }));
        }
    }
    if as_json {
        return output::json(&rows);
    }
    table.print(&format!("No account stands below {}.", reseller.name));
    Ok(())
}
