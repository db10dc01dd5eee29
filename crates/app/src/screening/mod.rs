//! What is kept from leaving.

mod opt_out;
