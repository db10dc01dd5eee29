//! The port's part for what is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.

use crate::error::StoreError;
use async_trait::async_trait;
use domain::ids::LineId;
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;

/// A list of numbers that are not sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlackList {
    /// Those who left the audience of this line.
    Line(LineId),
}

/// Adds numbers to a list or takes them off. Doing it twice is the same as once.
#[derive(Clone, Debug)]
pub struct ListChange {
    /// Which list.
    pub list: BlackList,
    /// The numbers.
    pub numbers: Vec<Msisdn>,
    /// True to add, false to take off.
    pub add: bool,
    /// The time now.
    pub at: UnixMillis,
}

/// The port's part for what is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.
#[async_trait]
pub trait Screening: Send + Sync {
    /// Changes a list.
    async fn change_list(&self, change: ListChange) -> Result<(), StoreError>;
}
