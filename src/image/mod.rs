//! The image: CRIU's `cgroup.img` with extensions, read through a bounded view and written by a scheduled writer; and the
//! files beside it in CRIU's dumps that say who the tasks are.
//!
//! Bytes in, groups, sets and tasks out (and back). The layout is `proto/cgroup.proto`; nothing here knows what a
//! property means, or calls the kernel.

pub mod attribute;
pub mod descent;
pub mod dump;
pub mod schema;
pub mod sink;
mod size;
pub mod sum;
pub mod view;
pub mod wire;
pub mod writer;
