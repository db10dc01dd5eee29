//! Messages that are put aside: the form as JSON.

use super::form::ComposeForm;
use super::{Errors, FORM_BYTES_MAX, Fields, page};
use crate::console::door::Visitor;
use crate::console::routes::Routes;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use app::{Draft, ManageError};
use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::DraftNo;
use domain::user::Permission;
use serde::Deserialize;

pub(super) fn routes(routes: Routes) -> Routes {
    let needs = Permission::Send;
    routes
        .upload("/compose/draft", needs, FORM_BYTES_MAX, save)
        .page("/drafts", needs, list)
        .action("/drafts/{no}/remove", needs, remove)
}

fn number(text: &str) -> Option<DraftNo> {
    text.parse().ok().map(DraftNo)
}

/// The form of a draft.
pub(super) async fn opened(visitor: &Visitor, no: &str) -> Result<ComposeForm, Trouble> {
    let no = number(no).ok_or(Trouble::NotFound)?;
    let draft = visitor.app.draft(&visitor.person, no).await?;
    let draft = draft.ok_or(Trouble::NotFound)?;
    let form: ComposeForm = serde_json::from_str(&draft.content).map_err(|error| {
        tracing::error!(%error, draft = %no, "a draft cannot be read");
        Trouble::Ours
    })?;
    Ok(ComposeForm {
        draft: no.to_string(),
        ..form
    })
}

/// Saves the form, in place of the draft that it was opened from.
async fn save(visitor: Visitor, Form(fields): Fields) -> Result<Response, Trouble> {
    let form = ComposeForm::read(fields);
    let title = form.title(&visitor.ui);
    let content = serde_json::to_string(&form).map_err(|error| {
        tracing::error!(%error, "a draft cannot be written");
        Trouble::Ours
    })?;
    let app = &visitor.app;
    let save = |no| app.save_draft(&visitor.person, no, &title, content.clone());
    let saved = match save(number(&form.draft)).await {
        // Somebody removed it meanwhile: what was written is worth more than the number.
        Err(ManageError::Unknown(_)) => save(None).await,
        saved => saved,
    };
    match saved {
        Ok(no) => {
            let to = format!("/console/compose?draft={no}&done=saved");
            Ok(Redirect::to(&to).into_response())
        }
        Err(ManageError::Refused(_) | ManageError::Invalid(_)) => {
            let [fa, en] = [
                "پیش‌نویس ذخیره نشد: شمار پیش‌نویس‌ها پر است، یا این یکی بیش از اندازه بلند است. \
                 فهرست‌های بلند را در دفترچه بگذارید.",
                "The draft was not saved: there are too many, or this one is too long. Put long \
                 lists into a phonebook.",
            ];
            let errors = Errors {
                form: visitor.ui.t(fa, en).to_owned(),
                ..Errors::default()
            };
            page::Page::new(&visitor, form, errors).await?.show()
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "console/compose/drafts.html")]
struct Drafts<'a> {
    ui: &'a Ui,
    drafts: &'a [Draft],
    is_removed: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// The drafts of the account, all on one page: there are at most 200.
async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Trouble> {
    let drafts = visitor.app.drafts(&visitor.person).await?;
    html(&Drafts {
        ui: &visitor.ui,
        drafts: &drafts,
        is_removed: asked.done == "removed",
    })
}

async fn remove(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let no = number(&no).ok_or(Trouble::NotFound)?;
    match visitor.app.remove_draft(&visitor.person, no).await? {
        true => Ok(Redirect::to("/console/drafts?done=removed").into_response()),
        false => Err(Trouble::NotFound),
    }
}
