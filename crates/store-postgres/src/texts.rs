//! The texts of the bulks that are claimed, kept between claims.

use crate::db::{OwnedParam, Tx};
use crate::error::DbError;
use crate::rows::{BULK_COLUMNS, bulk_row, code, from_int4, int4};
use crate::work::Work;
use domain::ids::{AccountId, BulkNo};
use domain::text::ReferenceBits;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use store::adapter::{BulkKey, unpack_terms};

/// Octets of texts that are kept between claims.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// What of a bulk a message needs.
#[derive(Clone)]
pub(crate) struct BulkText {
    pub(crate) text: Arc<str>,
    pub(crate) reference_bits: ReferenceBits,
}

/// Texts of the bulks that were claimed last. A bulk's text never changes.
#[derive(Default)]
pub(crate) struct Texts {
    known: HashMap<BulkKey, BulkText>,
    order: VecDeque<BulkKey>,
    bytes: usize,
}

impl Texts {
    fn keep(&mut self, key: BulkKey, text: BulkText) {
        self.bytes += text.text.len();
        if self.known.insert(key, text).is_none() {
            self.order.push_back(key);
        }
    }

    /// Lets go of the oldest ones; not while a claim still needs them.
    pub(crate) fn shrink(&mut self) {
        while self.bytes > TEXT_BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(gone) = self.known.remove(&oldest) {
                self.bytes -= gone.text.len();
            }
        }
    }

    /// What is known of a bulk.
    pub(crate) fn get(&self, key: BulkKey) -> Option<&BulkText> {
        self.known.get(&key)
    }

    /// Reads bulks into the claim's work, and the texts of those whose text is not known.
    pub(crate) async fn read(
        &mut self,
        tx: &Tx,
        work: &mut Work,
        keys: BTreeSet<BulkKey>,
    ) -> Result<(), DbError> {
        let (known, new): (Vec<BulkKey>, Vec<BulkKey>) = keys
            .into_iter()
            .partition(|key| self.known.contains_key(key));
        let mut queries = Vec::new();
        for (keys, text) in [(known, "NULL::text"), (new, "b.text")] {
            let sql = format!(
                "SELECT b.account_id, b.bulk_no, {BULK_COLUMNS}, {text}
                 FROM unnest($1::int8[], $2::int4[]) AS v (account_id, bulk_no)
                 JOIN bulk b ON b.account_id = v.account_id AND b.bulk_no = v.bulk_no"
            );
            if !keys.is_empty() {
                let accounts: Vec<i64> = keys.iter().map(|key| key.0.0).collect();
                let bulks: Vec<i32> = keys.iter().map(|key| int4(key.1.0)).collect();
                let params: Vec<OwnedParam> = vec![Box::new(accounts), Box::new(bulks)];
                queries.push((tx.prepare(&sql).await?, params));
            }
        }
        for row in tx.query_all(&queries).await?.iter().flatten() {
            let key = (AccountId(row.get(0)), BulkNo(from_int4(row.get(1))));
            work.add_bulk(key, bulk_row(row, 2)?);
            if let Some(text) = row.get::<_, Option<&str>>(25) {
                let reference_bits = unpack_terms(code(row.get(4))?).1;
                let text = text.into();
                self.keep(
                    key,
                    BulkText {
                        text,
                        reference_bits,
                    },
                );
            }
        }
        Ok(())
    }
}
