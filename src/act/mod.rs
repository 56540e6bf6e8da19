//! Acts: each does one kind of thing to the host, or learns one kind of thing from it.

pub mod aim;
mod astray;
pub mod attributes;
pub mod census;
pub mod disks;
pub mod entry;
pub mod files;
pub mod fits;
pub mod groups;
pub mod host;
pub mod join;
pub mod journal;
pub mod kept;
pub mod made;
pub mod manner;
pub mod namespace;
pub mod reach;
pub mod read;
pub mod scope;
pub mod sets;
pub mod spots;
pub mod tasks;
pub mod tour;
pub mod undo;
pub mod walk;
pub mod wanted;
pub mod work;
