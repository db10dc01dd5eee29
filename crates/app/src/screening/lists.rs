//! Blacklists as administrators see them: counts, additions, whole files, pages.

use crate::App;
use crate::manage::ManageError;
use domain::blacklist::BlackList;
use domain::msisdn::Msisdn;
use std::io;
use std::sync::Arc;
use store::{LIST_NUMBERS_PER_COMMAND_MAX, ListChange, ListSetId, ListState, Store, StoreError};
use thiserror::Error;

/// Numbers of a file that are sorted at a time: sorted ones lie together in the store, and are
/// written many times faster. Four bytes each.
const SORTED_NUMBERS: usize = 1_000_000;
/// Numbers of a page.
const PAGE: u32 = 5_000;

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Numbers that came onto the list.
    pub added: u64,
    /// Entries whose number was there already, or came before in the file.
    pub doubled: u64,
    /// Entries that are no mobile numbers.
    pub refused: u64,
    /// Numbers that stand on the list now.
    pub count: u64,
}

/// Why a file was not taken to its end.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file failed while it was read. A list that was to be replaced is as it was; of one that
    /// was added to, what had been read is on it.
    #[error("the list cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file has no mobile number: it would empty the list that it replaces.
    #[error("there is no mobile number in it; the list stays as it was")]
    Empty,
    /// The store refused or failed.
    #[error(transparent)]
    Manage(#[from] ManageError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Manage(error.into())
    }
}

/// The numbers of a list, page by page.
pub struct ListPages {
    store: Arc<dyn Store>,
    list: BlackList,
    begun_with: Option<ListSetId>,
    set: Option<ListSetId>,
    after: Option<Msisdn>,
}

impl ListPages {
    /// The next numbers in their order; none at the end.
    ///
    /// # Errors
    /// The store failed.
    pub async fn next_page(&mut self) -> Result<Vec<Msisdn>, StoreError> {
        let Some(set) = self.set else {
            return Ok(Vec::new());
        };
        let page = self.store.list_numbers(set, self.after, PAGE).await?;
        match page.last() {
            Some(last) => self.after = Some(*last),
            None => self.set = None,
        }
        Ok(page)
    }

    /// Whether the list was replaced since the first page, so that what was read may not be all.
    ///
    /// # Errors
    /// The store failed.
    pub async fn is_stale(&self) -> Result<bool, StoreError> {
        let Some(begun_with) = self.begun_with else {
            return Ok(false);
        };
        let state = self.store.screening(None).await?;
        let lists = state.map(|state| state.lists).unwrap_or_default();
        let mut now = lists.iter().filter(|state| state.list == self.list);
        Ok(now.any(|state| state.set != begun_with))
    }
}

/// Where an import writes to.
enum Target {
    List(BlackList),
    Replacement(ListSetId),
}

impl App {
    /// The lists that have a number.
    ///
    /// # Errors
    /// The store failed.
    pub async fn blacklists(&self) -> Result<Vec<ListState>, StoreError> {
        let state = self.store().screening(None).await?;
        Ok(state.map(|state| state.lists).unwrap_or_default())
    }

    /// Adds numbers to a list or takes them off; says how many that were.
    ///
    /// # Errors
    /// The store failed, perhaps after some were written.
    pub async fn change_blacklist(
        &self,
        list: BlackList,
        numbers: &[Msisdn],
        add: bool,
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for chunk in numbers.chunks(LIST_NUMBERS_PER_COMMAND_MAX) {
            let change = ListChange {
                list,
                numbers: chunk.to_vec(),
                add,
                at: self.now(),
            };
            changed += u64::from(self.store().change_list(change).await?.changed);
        }
        self.0.screens.invalidate();
        Ok(changed)
    }

    /// Reads a file of numbers onto a list, or (with `replace`) puts it in the place of the list,
    /// at once and whole. `refused` is told the place (from 1) and the text of each entry that is
    /// no mobile number; `progress` how many entries were read. Memory does not grow with it.
    ///
    /// # Errors
    /// The file cannot be read to its end, has no number to replace a list with, or the store
    /// failed.
    pub async fn import_blacklist(
        &self,
        list: BlackList,
        replace: bool,
        entries: impl Iterator<Item = io::Result<String>>,
        mut refused: impl FnMut(u64, &str),
        progress: impl Fn(u64),
    ) -> Result<Imported, ImportError> {
        if !replace {
            let target = Target::List(list);
            let read = self.read_list(&target, entries, &mut refused, &progress);
            let mut imported = read.await?;
            imported.count = self.count_of(list).await?;
            return Ok(imported);
        }
        let set = self.store().begin_replacement(list, self.now()).await?;
        let target = Target::Replacement(set);
        let read = self.read_list(&target, entries, &mut refused, &progress);
        let done = match read.await {
            Ok(imported) if imported.added == 0 => Err(ImportError::Empty),
            done => done,
        };
        match done {
            Ok(mut imported) => {
                let finished = self.store().finish_replacement(set, self.now()).await;
                imported.count = finished.map_err(ManageError::from)?;
                self.0.screens.invalidate();
                Ok(imported)
            }
            Err(error) => {
                // Should this fail too, sweeps remove it after an hour.
                self.store().abandon_replacement(set).await.ok();
                Err(error)
            }
        }
    }

    async fn read_list(
        &self,
        target: &Target,
        mut entries: impl Iterator<Item = io::Result<String>>,
        refused: &mut impl FnMut(u64, &str),
        progress: &impl Fn(u64),
    ) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        let mut place = 0;
        let mut numbers = Vec::new();
        loop {
            for entry in entries.by_ref() {
                let entry = entry?;
                place += 1;
                match Msisdn::parse(&entry) {
                    Some(number) => numbers.push(number),
                    None if entry.trim().is_empty() => {}
                    None => {
                        imported.refused += 1;
                        refused(place, &entry);
                    }
                }
                if numbers.len() == SORTED_NUMBERS {
                    break;
                }
            }
            if numbers.is_empty() {
                return Ok(imported);
            }
            let given = numbers.len() as u64;
            numbers.sort_unstable();
            numbers.dedup();
            let mut added = 0;
            for chunk in numbers.chunks(LIST_NUMBERS_PER_COMMAND_MAX) {
                added += self.write_list(target, chunk).await?;
                progress(place);
            }
            imported.added += added;
            imported.doubled += given - added;
            numbers.clear();
        }
    }

    async fn write_list(&self, target: &Target, chunk: &[Msisdn]) -> Result<u64, ManageError> {
        let numbers = chunk.to_vec();
        match target {
            Target::List(list) => Ok(self.change_blacklist(*list, chunk, true).await?),
            Target::Replacement(set) => {
                let filled = self.store().fill_replacement(*set, numbers, self.now());
                Ok(u64::from(filled.await?))
            }
        }
    }

    async fn count_of(&self, list: BlackList) -> Result<u64, StoreError> {
        let lists = self.blacklists().await?;
        let state = lists.iter().find(|state| state.list == list);
        Ok(state.map_or(0, |state| state.count))
    }

    /// The numbers of a list as it is now.
    ///
    /// # Errors
    /// The store failed.
    pub async fn blacklist_pages(&self, list: BlackList) -> Result<ListPages, StoreError> {
        let lists = self.blacklists().await?;
        let state = lists.iter().find(|state| state.list == list);
        Ok(ListPages {
            store: Arc::clone(self.store()),
            list,
            begun_with: state.map(|state| state.set),
            set: state.map(|state| state.set),
            after: None,
        })
    }

    /// Every list on which a number stands.
    ///
    /// # Errors
    /// The store failed.
    pub async fn blacklists_of(&self, number: Msisdn) -> Result<Vec<BlackList>, StoreError> {
        let mut on = Vec::new();
        for state in self.blacklists().await? {
            let found = self.store().listed(vec![state.list], vec![number]).await?;
            on.extend(found.into_iter().flatten());
        }
        Ok(on)
    }
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
