//! Prices of a part, by line, operator and alphabet: the installation's own, and those of packages.

use super::edit::unprocessable_if;
use super::sheet::{Given, latin};
use super::{audited, id, problem, words};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::console::Change;
use app::manage::PRICE_RIALS_MAX;
use app::{Catalog, ManageError, SetTariff};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::{LineId, OperatorId, PackageId};
use domain::line::Line;
use domain::money::Rials;
use domain::package::Package;
use domain::tariff::{TariffRow, Tariffs};
use domain::text::Alphabet;
use domain::user::Permission;
use serde::Deserialize;

/// The alphabets, in the order of the columns.
const ALPHABETS: [(Alphabet, &str); 2] = [(Alphabet::Ucs2, "ucs2"), (Alphabet::Gsm7, "gsm7")];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .page("/staff/tariffs", Permission::SeeOperation, show)
        .action("/staff/tariffs", Permission::KeepLines, set)
        .page(
            "/staff/packages/{package}/tariffs",
            Permission::SeeOperation,
            show_package,
        )
        .action(
            "/staff/packages/{package}/tariffs",
            Permission::KeepAccounts,
            set_package,
        )
}

struct Cell {
    name: String,
    value: String,
    /// What counts where there is no price of its own.
    else_price: String,
    error: Option<String>,
}

struct Row {
    operator: String,
    cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "console/operation/tariffs.html")]
struct Page<'a> {
    ui: &'a Ui,
    package: Option<(i64, &'a str)>,
    lines: Vec<(String, String, bool)>,
    line: String,
    rows: Vec<Row>,
    columns: [&'static str; 2],
    action: String,
    error: Option<String>,
    done: bool,
    may_keep: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    line: String,
    #[serde(default)]
    done: String,
}

/// One list of prices: of the installation, or of a package; for all lines, or for one.
struct List<'a> {
    package: Option<&'a Package>,
    line: Option<&'a Line>,
    prices: &'a [TariffRow],
}

impl<'a> List<'a> {
    fn of(catalog: &'a Catalog, package: Option<PackageId>, line: &str) -> Result<Self, Trouble> {
        let package = match package {
            None => None,
            Some(id) => {
                let mut packages = catalog.packages.iter();
                Some(packages.find(|one| one.id == id).ok_or(Trouble::NotFound)?)
            }
        };
        let line = match line {
            "" => None,
            line => {
                let line = LineId(id(line)?);
                let mut lines = catalog.lines.iter();
                Some(lines.find(|one| one.id == line).ok_or(Trouble::NotFound)?)
            }
        };
        let prices = package.map_or(&catalog.tariffs, |package| &package.tariffs);
        Ok(Self {
            package,
            line,
            prices,
        })
    }

    fn own(&self, operator: Option<OperatorId>, alphabet: Alphabet) -> Option<Rials> {
        let line = self.line.map(|line| line.id);
        let mut prices = self.prices.iter();
        let own = prices
            .find(|row| row.line == line && row.operator == operator && row.alphabet == alphabet);
        own.map(|row| row.price)
    }

    /// What counts for an operator where it has no price of its own here.
    fn beside(&self, operator: Option<OperatorId>, alphabet: Alphabet) -> Option<Rials> {
        let line = self.line.map(|line| line.id);
        let others = self.prices.iter().copied().filter(|row| {
            !(row.line == line && row.operator == operator && row.alphabet == alphabet)
        });
        match (line, operator) {
            (Some(line), Some(operator)) => {
                let tariffs = Tariffs::new(others).ok()?;
                tariffs.price_per_part(line, operator, alphabet)
            }
            (None, Some(_)) => self.own(None, alphabet),
            (Some(_), None) => {
                let mut all = self.prices.iter();
                let all = all.find(|row| {
                    row.line.is_none() && row.operator.is_none() && row.alphabet == alphabet
                });
                all.map(|row| row.price)
            }
            (None, None) => None,
        }
    }

    fn path(&self) -> String {
        match self.package {
            Some(package) => format!("/console/staff/packages/{}/tariffs", package.id),
            None => "/console/staff/tariffs".into(),
        }
    }

    fn line_id(&self) -> String {
        self.line
            .map_or_else(String::new, |line| line.id.to_string())
    }
}

async fn show(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let list = List::of(&catalog, None, &asked.line)?;
    page(&visitor, &catalog, &list, None, None, asked.done == "set")
}

async fn show_package(
    visitor: Visitor,
    Path(package): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let list = List::of(&catalog, Some(PackageId(id(&package)?)), &asked.line)?;
    page(&visitor, &catalog, &list, None, None, asked.done == "set")
}

fn page(
    visitor: &Visitor,
    catalog: &Catalog,
    list: &List<'_>,
    given: Option<&Given>,
    error: Option<String>,
    done: bool,
) -> Result<Response, Trouble> {
    let ui = &visitor.ui;
    let rows = rows(visitor, list, given);
    let wrong = |row: &Row| row.cells.iter().any(|cell| cell.error.is_some());
    let refused = error.is_some() || rows.iter().any(wrong);
    let every = (
        String::new(),
        ui.t("همهٔ خط‌ها", "all lines").to_owned(),
        list.line.is_none(),
    );
    let chosen = list.line.map(|line| line.id);
    let lines = catalog.lines.iter().map(|line| {
        let is_chosen = Some(line.id) == chosen;
        (line.id.to_string(), words::line_number(line), is_chosen)
    });
    let needs = match list.package {
        Some(_) => Permission::KeepAccounts,
        None => Permission::KeepLines,
    };
    let page = html(&Page {
        ui,
        package: list.package.map(|package| (package.id.0, package.title())),
        lines: std::iter::once(every).chain(lines).collect(),
        line: list.line_id(),
        rows,
        columns: ALPHABETS.map(|(alphabet, _)| words::alphabet(ui, alphabet)),
        action: list.path(),
        error,
        done,
        may_keep: ui.may(needs),
    })?;
    unprocessable_if(refused, page)
}

/// Every operator, and all of them together, with the name of its fields.
fn operators(visitor: &Visitor) -> Vec<(Option<OperatorId>, Option<String>, String)> {
    let ui = &visitor.ui;
    let every = (
        None,
        None,
        ui.t("همهٔ اپراتورها", "every operator").to_owned(),
    );
    let each = visitor.app.operators().iter().map(|operator| {
        let name = ui.t(&operator.name_fa, &operator.name_en).to_owned();
        (Some(operator.id), Some(operator.key.clone()), name)
    });
    std::iter::once(every).chain(each).collect()
}

fn field(key: Option<&str>, alphabet: &str) -> String {
    format!("price-{}-{alphabet}", key.unwrap_or("every"))
}

fn rows(visitor: &Visitor, list: &List<'_>, given: Option<&Given>) -> Vec<Row> {
    let ui = &visitor.ui;
    let cell = |operator, key: Option<&str>, (alphabet, word): (Alphabet, &str)| {
        let name = field(key, word);
        let own = list.own(operator, alphabet);
        let shown = own.map_or_else(String::new, |price| price.0.to_string());
        let typed = given.map(|given| given.one(&name).to_owned());
        let error = typed.as_deref().is_some_and(|typed| read(typed).is_err());
        Cell {
            value: typed.unwrap_or(shown),
            else_price: list
                .beside(operator, alphabet)
                .map_or_else(|| "–".into(), |price| ui.rials(&price)),
            error: error.then(|| {
                let max = ui.num(PRICE_RIALS_MAX);
                ui.t("عددی از ۰ تا {}", "A number from 0 to {}")
                    .replace("{}", &max)
            }),
            name,
        }
    };
    let row = |(id, key, name): (Option<OperatorId>, Option<String>, String)| Row {
        operator: name,
        cells: ALPHABETS
            .map(|alphabet| cell(id, key.as_deref(), alphabet))
            .into(),
    };
    operators(visitor).into_iter().map(row).collect()
}

/// A price as it is typed; nothing for none.
fn read(text: &str) -> Result<Option<Rials>, ()> {
    let digits = latin(text);
    if digits.is_empty() {
        return Ok(None);
    }
    let price: i64 = digits.parse().map_err(drop)?;
    match (0..=PRICE_RIALS_MAX).contains(&price) {
        true => Ok(Some(Rials(price))),
        false => Err(()),
    }
}

async fn set(
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    change(&visitor, None, &Given::of(pairs)).await
}

async fn set_package(
    visitor: Visitor,
    Path(package): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let package = PackageId(id(&package)?);
    change(&visitor, Some(package), &Given::of(pairs)).await
}

/// A price that differs from what is set: operator, alphabet, old, new.
struct NewPrice {
    operator: Option<String>,
    alphabet: Alphabet,
    old: Option<Rials>,
    new: Option<Rials>,
}

async fn change(
    visitor: &Visitor,
    package: Option<PackageId>,
    given: &Given,
) -> Result<Response, Trouble> {
    let catalog = visitor.app.catalog().await?;
    let list = List::of(&catalog, package, given.one("line"))?;
    let Some(new) = new_prices(visitor, &list, given) else {
        return page(visitor, &catalog, &list, Some(given), None, false);
    };
    let line = list.line.map(words::line_number);
    let subject = line.as_deref().unwrap_or("all lines");
    let (action, subject) = match list.package {
        Some(package) => ("package.tariff", format!("{}, {subject}", package.name)),
        None => ("tariff.set", subject.to_owned()),
    };
    let change = Change::by(&visitor.person, action, subject).with(details(&new));
    let made = write(visitor, list.package, line.as_deref(), &new);
    if let Err(error) = audited(visitor, change, made).await? {
        let said = problem::sentence(&visitor.ui, error)?;
        return page(visitor, &catalog, &list, Some(given), Some(said), false);
    }
    let to = format!("{}?line={}&done=set", list.path(), list.line_id());
    Ok(Redirect::to(&to).into_response())
}

/// What changes; `None` where a price cannot be one, or a field is missing.
fn new_prices(visitor: &Visitor, list: &List<'_>, given: &Given) -> Option<Vec<NewPrice>> {
    let mut new = Vec::new();
    for (id, key, _) in operators(visitor) {
        for (alphabet, word) in ALPHABETS {
            let typed = given.all(&field(key.as_deref(), word)).first();
            // A form that was cut short must not remove prices.
            let Some(typed) = typed else { continue };
            let (old, price) = (list.own(id, alphabet), read(typed).ok()?);
            if old != price {
                new.push(NewPrice {
                    operator: key.clone(),
                    alphabet,
                    old,
                    new: price,
                });
            }
        }
    }
    Some(new)
}

fn details(new: &[NewPrice]) -> String {
    let price =
        |price: Option<Rials>| price.map_or_else(|| "none".into(), |price| price.to_string());
    let parts = new.iter().map(|one| {
        let operator = one.operator.as_deref().unwrap_or("every operator");
        format!(
            "{operator} {:?}: {} → {}",
            one.alphabet,
            price(one.old),
            price(one.new)
        )
    });
    parts.collect::<Vec<_>>().join("; ")
}

async fn write(
    visitor: &Visitor,
    package: Option<&Package>,
    line: Option<&str>,
    new: &[NewPrice],
) -> Result<(), ManageError> {
    for one in new {
        let tariff = SetTariff {
            line,
            operator: one.operator.as_deref(),
            alphabet: one.alphabet,
            price: one.new,
        };
        match package {
            Some(package) => {
                visitor
                    .app
                    .set_package_tariff(&package.name, tariff)
                    .await?
            }
            None => visitor.app.set_tariff(tariff).await?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_in_the_digits_of_either_script_and_nothing_is_no_price() {
        assert_eq!(read(" ۱٬۲۰۰ "), Ok(Some(Rials(1_200))));
        assert_eq!(read(""), Ok(None));
        for wrong in ["-1", "x", "1.5", "99999999999"] {
            assert_eq!(read(wrong), Err(()), "{wrong}");
        }
    }
}
