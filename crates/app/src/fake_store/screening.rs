//! [`store::Screening`] for the fake.

use super::{FakeStore, absent};
use async_trait::async_trait;
use store::{ListChange, Screening, StoreError};

#[async_trait]
impl Screening for FakeStore {
    async fn change_list(&self, _: ListChange) -> Result<(), StoreError> {
        Err(absent())
    }
}
