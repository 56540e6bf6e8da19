//! Texts of /proc in, borrowed views out: one file of /proc for each module here.
//!
//! Source: proc(5), cgroups(7); each module names the kernel's function that prints its file.
//! Bounds: only [`scan::Lines`] keeps bytes, one line in the caller's buffer; views borrow from their text.
//! Errors: [`Fault::Text`](crate::error::Fault::Text) says what was expected; no text makes a parser panic.
//! Not done here: opening and reading files, and anything that needs two files (hierarchies, sets, the task tree).

pub mod children;
pub mod controllers;
pub mod membership;
pub mod mountinfo;
pub mod scan;
pub mod stat;
pub mod status;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hostile;
