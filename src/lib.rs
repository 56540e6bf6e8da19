//! cgraft (skeleton)
#![no_std]
#![deny(unsafe_code)]
#![allow(clippy::result_large_err)] // an error carries its place, and there is no heap to box it in
pub mod error;
pub mod limits;
pub mod log;
pub mod name;

pub mod image;
pub mod procfs;

pub mod heads;
pub mod hierarchy;
pub mod property;

pub mod kernel;

pub mod act;

pub mod checkpoint;
pub mod report;
