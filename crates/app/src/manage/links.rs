//! Links to operators.

use super::ManageError;
use crate::App;
use domain::ids::LinkId;
use domain::link::{Link, LinkSettings, LinkStatus};
use store::StoreError;

/// Longest name of a link, in characters.
pub const LINK_NAME_CHARS_MAX: usize = 64;

impl App {
    /// Adds a link.
    ///
    /// # Errors
    /// The name or the settings cannot work, the name is taken, or the store failed.
    pub async fn add_link(
        &self,
        name: &str,
        settings: LinkSettings,
    ) -> Result<LinkId, ManageError> {
        let name = name.trim();
        let fits = |c: char| c.is_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.chars().count() > LINK_NAME_CHARS_MAX || !name.chars().all(fits)
        {
            let rule = "letters, digits and . _ -, at most 64 characters";
            return Err(ManageError::Invalid(format!("not a link's name ({rule})")));
        }
        settings.check().map_err(ManageError::Invalid)?;
        let id = self.store().create_link(name.to_owned(), settings).await?;
        self.catalog_changed();
        Ok(id)
    }

    /// Replaces a link's settings.
    ///
    /// # Errors
    /// There is no such link, the settings cannot work, or the store failed.
    pub async fn update_link(&self, name: &str, settings: LinkSettings) -> Result<(), ManageError> {
        settings.check().map_err(ManageError::Invalid)?;
        let link = self.link(name).await?;
        self.store().update_link(link.id, settings).await?;
        self.catalog_changed();
        Ok(())
    }

    /// Lets a link stay down, or go on. What it has in flight is waited for.
    ///
    /// # Errors
    /// There is no such link, or the store failed.
    pub async fn pause_link(&self, name: &str, pause: bool) -> Result<(), ManageError> {
        let link = self.link(name).await?;
        let settings = LinkSettings {
            enabled: !pause,
            ..link.settings
        };
        self.store().update_link(link.id, settings).await?;
        self.catalog_changed();
        Ok(())
    }

    /// Lets the process that serves a link end its connections and connect anew: its settings
    /// change in a count that means nothing else. What it has in flight is waited for.
    ///
    /// # Errors
    /// There is no such link, or the store failed.
    pub async fn reconnect_link(&self, name: &str) -> Result<(), ManageError> {
        let link = self.link(name).await?;
        let settings = LinkSettings {
            reconnects: link.settings.reconnects.wrapping_add(1),
            ..link.settings
        };
        self.store().update_link(link.id, settings).await?;
        self.catalog_changed();
        Ok(())
    }

    /// The link with this name.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn link(&self, name: &str) -> Result<Link, ManageError> {
        let name = name.trim();
        let view = self.view().await?;
        let found = view.catalog.links.iter().find(|link| link.name == name);
        found
            .cloned()
            .ok_or_else(|| ManageError::Unknown(format!("link {name}")))
    }

    /// All links, with what each is doing where that is known.
    ///
    /// # Errors
    /// The store failed.
    pub async fn links(&self) -> Result<Vec<(Link, Option<LinkStatus>)>, StoreError> {
        let view = self.view().await?;
        let statuses = self.link_statuses().await?;
        let status = |id: LinkId| statuses.iter().find(|status| status.link == id).cloned();
        let links = view.catalog.links.iter();
        Ok(links.map(|link| (link.clone(), status(link.id))).collect())
    }
}
