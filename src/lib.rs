//! The library of cgraft: control groups into an image and back, without a heap.
//!
//! The map is docs/architecture.md: words at the bottom (`limits`, `error`, `why`, `name`), then formats (`procfs`, `image`), the model
//! (`property`, `hierarchy`), turns that touch no host (`vet`, `remap`, `plan`, `compare`, `translate`), `kernel`, acts (`act`), and the
//! stories: [`checkpoint`], [`restore`], [`enter`], [`undo`]. A module imports its own layer and lower ones.
#![no_std]
#![deny(unsafe_code)]
pub mod error;
pub mod limits;
pub mod log;
pub mod name;
pub mod why;

pub mod image;
pub mod procfs;

pub mod difference;
pub mod hash;
pub mod heads;
pub mod hierarchy;
pub mod property;
pub mod systemd;

pub mod compare;
pub mod owners;
pub mod plan;
pub mod remap;
pub mod translate;
pub mod vet;

pub mod kernel;

pub mod act;

pub mod checkpoint;
pub mod enter;
pub mod report;
pub mod restore;
pub mod undo;
