//! smsc-sim
