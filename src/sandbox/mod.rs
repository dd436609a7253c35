//! The sandbox: both APIs simulated on loopback, strict, with faults on request. It shares nothing with the rest of flowc.

pub mod clock;
mod shop;
