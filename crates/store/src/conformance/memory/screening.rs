//! [`crate::Screening`] over the store in memory.

use super::Memory;
use crate::{ListChange, Screening, StoreError};
use async_trait::async_trait;

#[async_trait]
impl Screening for Memory {
    async fn change_list(&self, _: ListChange) -> Result<(), StoreError> {
        Ok(())
    }
}
