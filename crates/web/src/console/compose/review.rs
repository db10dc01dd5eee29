//! The last look before a message is sent: to how many, at which price, when.

use super::form::ComposeForm;
use super::panel::TextPanel;
use super::{Failed, Fields, checked, failed, message, page, refused};
use crate::console::door::Visitor;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::compose::Quote;
use askama::Template;
use axum::Form;
use axum::response::Response;
use domain::ids::OperatorId;
use domain::operator::Operators;

#[derive(Template)]
#[template(path = "console/compose/review.html")]
struct Page<'a> {
    ui: &'a Ui,
    form: &'a ComposeForm,
    quote: &'a Quote,
    text: &'a TextPanel,
    operators: &'a Operators,
}

impl Page<'_> {
    fn operator(&self, id: &OperatorId) -> &str {
        let found = self.operators.by_id(*id);
        found.map_or("–", |one| self.ui.t(&one.name_fa, &one.name_en))
    }

    fn waits_for_hours(&self) -> bool {
        self.quote.leaves_at > self.quote.due_at
    }
}

/// What the form will cost and do, and the way to send it.
pub(super) async fn show(visitor: Visitor, Form(fields): Fields) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    let quote = match quoted(&visitor, &form).await {
        Ok(quote) => quote,
        Err(failed) => return refused(&visitor, form, failed).await,
    };
    let books = page::chosen_books(&visitor, &form).await?;
    let mut text = TextPanel::new(&visitor, &form, &books).await?;
    // Nothing is written here any more.
    text.offered.clear();
    html(&Page {
        ui: &visitor.ui,
        form: &form,
        quote: &quote,
        text: &text,
        operators: visitor.app.operators(),
    })
}

async fn quoted(visitor: &Visitor, form: &ComposeForm) -> Result<Quote, Failed> {
    let account = visitor.account()?;
    let entries = form.entries();
    let time = checked(&visitor.ui, form, &entries)?;
    let message = message(form, &entries, time.as_deref());
    let quote = visitor.app.quote(account, &message).await;
    quote.map_err(|error| failed(&visitor.ui, form, error))
}
