//! `/console/packages`: the packages that are offered to the reseller, with what they cost.

use crate::console::door::Visitor;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use crate::console::why;
use app::OfferedPackage;
use askama::Template;
use axum::response::Response;
use domain::ids::OperatorId;
use domain::money::Rials;

#[derive(Template)]
#[template(path = "console/reseller/packages.html")]
struct Page<'a> {
    ui: &'a Ui,
    app: &'a app::App,
    packages: Vec<OfferedPackage>,
}

impl Page<'_> {
    /// The operators of a price; all of them are one word.
    fn operators(&self, operators: &[OperatorId]) -> String {
        if operators.len() == self.app.operators().iter().len() {
            return self.ui.t("همهٔ اپراتورها", "all operators").to_owned();
        }
        let names = operators
            .iter()
            .map(|operator| why::operator(self.ui, self.app, *operator));
        let names: Vec<String> = names.collect();
        names.join(self.ui.t("، ", ", "))
    }

    fn price(&self, price: &Option<Rials>) -> String {
        match price {
            Some(price) => self.ui.num(price.0),
            None => "–".into(),
        }
    }
}

pub(super) async fn show(visitor: Visitor) -> Result<Response, Trouble> {
    let reseller = visitor.account()?;
    html(&Page {
        ui: &visitor.ui,
        app: &visitor.app,
        packages: visitor.app.offered_packages(reseller).await?,
    })
}
