//! Acts: each does one kind of thing to the host, or learns one kind of thing from it.

pub mod census;
pub mod files;
pub mod host;
pub mod journal;
pub mod read;
pub mod sets;
pub mod tour;
pub mod walk;
