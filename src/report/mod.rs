//! Images in, text for people and programs out.

pub mod decode;
pub mod json;
pub mod overview;
pub mod tree;
