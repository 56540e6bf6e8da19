//! Images in, text for people and programs out.

pub mod decode;
pub mod json;
