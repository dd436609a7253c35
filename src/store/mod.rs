//! What the runner remembers: positions, intents and outcomes, links, parked records, the activity log, tokens.
//!
//! The trait speaks in promises: each method is one durable transaction, none spans a call to a system.
