//! cgraft (skeleton)
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

pub mod compare;
pub mod owners;
pub mod plan;
pub mod remap;
pub mod rewrite;
pub mod translate;
pub mod vet;

pub mod kernel;

pub mod act;

pub mod adapt;
pub mod checkpoint;
pub mod enter;
pub mod report;
pub mod restore;
pub mod undo;
