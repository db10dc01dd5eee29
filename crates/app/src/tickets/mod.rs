//! Tickets: what customers ask the people who run the installation, and the answers.
//!
//! Customers write over the web service (`write`), the staff from the command line (`staff`). Where a
//! customer wants it, an answer is told by SMS, on a line and at the expense of an account that the
//! installation names.

mod staff;
mod write;

pub use staff::{Notice, ReplyError, TicketReply, TicketView, Told};
pub use write::{GivenFile, TicketForm, WriteTicketError};
