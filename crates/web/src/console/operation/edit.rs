//! The page of a form of settings.

use super::sheet::Group;
use crate::console::trouble::{Trouble, html};
use crate::console::ui::Ui;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A form of settings with a page of its own.
#[derive(Template)]
#[template(path = "console/operation/edit.html")]
pub(super) struct Edit<'a> {
    pub(super) ui: &'a Ui,
    pub(super) title: &'a str,
    /// What is edited, as people know it; empty for something new.
    pub(super) name: &'a str,
    pub(super) back: &'a str,
    pub(super) action: &'a str,
    pub(super) save: &'a str,
    pub(super) groups: Vec<Group>,
    pub(super) error: Option<String>,
}

impl Edit<'_> {
    /// The page: as it is when something is wrong with the form, or at first.
    pub(super) fn page(&self) -> Result<Response, Trouble> {
        let wrong = |group: &Group| group.fields.iter().any(|field| field.error.is_some());
        let refused = self.error.is_some() || self.groups.iter().any(wrong);
        unprocessable_if(refused, html(self)?)
    }
}

/// A page with the status of a form that cannot be taken.
pub(super) fn unprocessable_if(refused: bool, page: Response) -> Result<Response, Trouble> {
    Ok(match refused {
        true => (StatusCode::UNPROCESSABLE_ENTITY, page).into_response(),
        false => page,
    })
}
