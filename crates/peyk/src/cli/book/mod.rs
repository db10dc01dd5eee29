//! `peyk book`: phonebooks of accounts, and the people in them.

mod files;

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, count, say, utc};
use crate::runtime::{Missing, Peyk};
use anyhow::{Result, anyhow, bail};
use app::{BookContacts, ContactAdded};
use clap::{Args, Subcommand};
use domain::account::Account;
use domain::msisdn::Msisdn;
use domain::phonebook::{Book, Contact, NAME_CHARS_MAX, read_book_id};
use domain::schedule::format_tehran;
use serde_json::{Value, json};

const EXAMPLE: &str = "\
Examples:
  peyk book import --account shop --new 'Customers' customers.xlsx
  peyk book import --account shop --book 1 more.csv --refused refused.csv
  peyk book list --account shop
  peyk book show --account shop 1
  peyk book export --account shop 1 customers.csv

A book is named by its id or by its title. `op=booksend` of the web service sends to whole books.";

/// Phonebooks of accounts: list, make, import, export, show, remove
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct BookArgs {
    #[command(subcommand)]
    command: BookCommand,
}

/// Whose books are meant.
#[derive(Args)]
struct Owner {
    /// Account whose books these are
    #[arg(long, value_name = "NAME")]
    account: String,
}

#[derive(Subcommand)]
enum BookCommand {
    /// List an account's books
    List {
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Make an empty book
    Add {
        #[command(flatten)]
        owner: Owner,
        /// What it is called
        title: String,
        #[command(flatten)]
        output: JsonFlag,
    },
    /// Remove a book with everybody in it
    Remove {
        #[command(flatten)]
        owner: Owner,
        /// Id or title of the book
        book: String,
        /// Remove it although there are contacts in it
        #[arg(long)]
        yes: bool,
    },
    /// Show a book and the first of its contacts
    Show {
        #[command(flatten)]
        owner: Owner,
        /// Id or title of the book
        book: String,
        /// Contacts to show (0 for all)
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        output: JsonFlag,
    },
    Import(files::ImportArgs),
    Export(files::ExportArgs),
    /// Put one number into a book
    AddContact {
        #[command(flatten)]
        owner: Owner,
        /// Id or title of the book
        book: String,
        /// The number
        number: String,
        /// Whose it is
        #[arg(long, value_name = "NAME", default_value = "")]
        name: String,
    },
    /// Take one number out of a book
    RemoveContact {
        #[command(flatten)]
        owner: Owner,
        /// Id or title of the book
        book: String,
        /// The number
        number: String,
    },
}

pub(super) async fn run(args: BookArgs, config: &Config) -> Result<Exit> {
    Peyk::with(config, Missing::Refuse, async |peyk| {
        match args.command {
            BookCommand::List { owner, output } => list(peyk, &owner, output.json).await?,
            BookCommand::Add {
                owner,
                title,
                output,
            } => add(peyk, &owner, &title, output.json).await?,
            BookCommand::Remove { owner, book, yes } => remove(peyk, &owner, &book, yes).await?,
            BookCommand::Show {
                owner,
                book,
                limit,
                output,
            } => show(peyk, &owner, &book, limit, output.json).await?,
            BookCommand::Import(args) => files::import(peyk, args).await?,
            BookCommand::Export(args) => files::export(peyk, args).await?,
            BookCommand::AddContact {
                owner,
                book,
                number,
                name,
            } => add_contact(peyk, &owner, &book, &number, &name).await?,
            BookCommand::RemoveContact {
                owner,
                book,
                number,
            } => remove_contact(peyk, &owner, &book, &number).await?,
        }
        Ok(Exit::Done)
    })
    .await
}

/// The account, and the book that these words mean: its id, or a title that no other book has.
async fn find(peyk: &Peyk, owner: &Owner, words: &str) -> Result<(std::sync::Arc<Account>, Book)> {
    let account = peyk.app.account(&owner.account).await?;
    let book = find_of(peyk, &account, words).await?;
    Ok((account, book))
}

/// The book of this account that these words mean.
pub(super) async fn find_of(peyk: &Peyk, account: &Account, words: &str) -> Result<Book> {
    let unknown = || anyhow!("account {} has no book {words}", account.name);
    if let Some(id) = read_book_id(words)
        && let Some(book) = peyk.app.book(account.id, id).await?
    {
        return Ok(book);
    }
    let title = domain::phonebook::title(words).ok_or_else(unknown)?;
    let mut books = peyk.app.books(account.id).await?;
    books.retain(|book| book.title == title);
    match (books.pop(), books.is_empty()) {
        (Some(book), true) => Ok(book),
        (Some(_), false) => bail!("several books are called {title}; name it by its id"),
        (None, _) => Err(unknown()),
    }
}

fn number(text: &str) -> Result<Msisdn> {
    Msisdn::parse(text).ok_or_else(|| anyhow!("`{text}` is no mobile number"))
}

async fn list(peyk: &Peyk, owner: &Owner, as_json: bool) -> Result<()> {
    let account = peyk.app.account(&owner.account).await?;
    let books = peyk.app.books(account.id).await?;
    if as_json {
        return output::json(&books.iter().map(book_json).collect::<Vec<_>>());
    }
    let mut table = Table::new(["ID", "CONTACTS", "MADE (TEHRAN)", "TITLE", "FIELDS"]);
    for book in &books {
        table.row([
            book.id.to_string(),
            count(book.contacts),
            format_tehran(book.created_at),
            book.title.clone(),
            book.fields.join(", "),
        ]);
    }
    table.print("No books yet. `peyk book import --new TITLE FILE` makes one of a file.");
    Ok(())
}

async fn add(peyk: &Peyk, owner: &Owner, title: &str, as_json: bool) -> Result<()> {
    let account = peyk.app.account(&owner.account).await?;
    let id = peyk.app.create_book(account.id, title).await?;
    if as_json {
        return output::json(&json!({ "id": id }));
    }
    say!("Book {id} is made.");
    Ok(())
}

async fn remove(peyk: &Peyk, owner: &Owner, words: &str, yes: bool) -> Result<()> {
    let (account, book) = find(peyk, owner, words).await?;
    if book.contacts > 0 && !yes {
        bail!(
            "book {} ({}) is not empty ({}); --yes removes it all the same",
            book.id,
            book.title,
            contacts_words(book.contacts.into())
        );
    }
    if !peyk.app.remove_book(account.id, book.id).await? {
        bail!("book {} is gone already", book.id);
    }
    say!("Book {} ({}) is removed.", book.id, book.title);
    Ok(())
}

async fn show(peyk: &Peyk, owner: &Owner, words: &str, limit: usize, as_json: bool) -> Result<()> {
    let (account, book) = find(peyk, owner, words).await?;
    let contacts = peyk.app.book_contacts(account.id, book.id).await?;
    let mut contacts = contacts.ok_or_else(|| anyhow!("book {} is gone", book.id))?;
    let limit = if limit == 0 { usize::MAX } else { limit };
    if as_json {
        let mut people = Vec::new();
        each(&mut contacts, limit, |contact| {
            people.push(contact_json(&book, contact));
        })
        .await?;
        let mut shown = book_json(&book);
        shown["people"] = json!(people);
        return output::json(&shown);
    }
    say!("Book {} of {}: {}", book.id, owner.account, book.title);
    say!("  {}", contacts_words(book.contacts.into()));
    say!("");
    let fields = book.fields.iter().map(String::as_str);
    let mut table = Table::new(["NUMBER", "NAME"].into_iter().chain(fields));
    let mut shown: u32 = 0;
    each(&mut contacts, limit, |contact| {
        shown += 1;
        let mut cells = vec![contact.number.to_string(), contact.name.clone()];
        cells.extend(contact.fields.iter().cloned());
        cells.resize(2 + book.fields.len(), String::new());
        table.row(cells);
    })
    .await?;
    table.print("Nobody is in it yet.");
    let left = book.contacts.saturating_sub(shown);
    if left > 0 {
        say!("… and {} more; `peyk book export` writes all.", count(left));
    }
    Ok(())
}

/// Calls `with` for the first contacts, page by page.
async fn each(
    contacts: &mut BookContacts,
    limit: usize,
    mut with: impl FnMut(&Contact),
) -> Result<()> {
    let mut left = limit;
    while left > 0 {
        let page = contacts.next_page().await?;
        if page.is_empty() {
            break;
        }
        page.iter().take(left).for_each(&mut with);
        left = left.saturating_sub(page.len());
    }
    Ok(())
}

async fn add_contact(
    peyk: &Peyk,
    owner: &Owner,
    words: &str,
    given: &str,
    name: &str,
) -> Result<()> {
    let number = number(given)?;
    let (account, book) = find(peyk, owner, words).await?;
    let added = peyk.app.add_contact(account.id, book.id, number, name);
    match added.await? {
        ContactAdded::Saved => say!("{number} is in book {} now.", book.id),
        ContactAdded::Exists => bail!("{number} is in book {} already", book.id),
        ContactAdded::BookFull => bail!("book {} is full", book.id),
        ContactAdded::NameTooLong => bail!("a name has at most {NAME_CHARS_MAX} characters"),
    }
    Ok(())
}

async fn remove_contact(peyk: &Peyk, owner: &Owner, words: &str, given: &str) -> Result<()> {
    let number = number(given)?;
    let (account, book) = find(peyk, owner, words).await?;
    let removed = peyk.app.remove_contact(account.id, book.id, number);
    if !removed.await? {
        bail!("{number} is not in book {}", book.id);
    }
    say!("{number} is not in book {} any more.", book.id);
    Ok(())
}

/// `1 contact`, `2,000 contacts`.
fn contacts_words(number: u64) -> String {
    let word = if number == 1 { "contact" } else { "contacts" };
    format!(
        "{} {word}",
        count(i64::try_from(number).unwrap_or(i64::MAX))
    )
}

/// A book for scripts.
fn book_json(book: &Book) -> Value {
    json!({
        "id": book.id, "title": book.title, "contacts": book.contacts,
        "created_at": utc(book.created_at), "fields": book.fields,
    })
}

/// A contact for scripts: the fields under their names, as far as they are filled.
fn contact_json(book: &Book, contact: &Contact) -> Value {
    let filled = book.fields.iter().zip(&contact.fields);
    let fields: serde_json::Map<String, Value> = filled
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    json!({ "number": contact.number.to_string(), "name": contact.name, "fields": fields })
}
