//! [`store::Fleet`] for the fake: no part of it. The use cases hold no duties.

use super::{FakeStore, absent};
use async_trait::async_trait;
use domain::ids::ProcessId;
use store::*;

#[async_trait]
impl Fleet for FakeStore {
    async fn beat(&self, _: Beat) -> Result<BeatAnswer, StoreError> {
        Err(absent())
    }
    async fn leave(&self, _: ProcessId) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn take_duties(&self, _: TakeDuties) -> Result<Vec<Lease>, StoreError> {
        Err(absent())
    }
    async fn release_duties(&self, _: ProcessId, _: Vec<Duty>) -> Result<(), StoreError> {
        Err(absent())
    }
    async fn duties(&self) -> Result<Vec<Lease>, StoreError> {
        Err(absent())
    }
    async fn processes(&self) -> Result<Vec<Process>, StoreError> {
        Err(absent())
    }
}
