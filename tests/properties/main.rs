//! Properties that hold for every image and every path, tried on random ones that are the same in every run.

mod dice;
mod diff;
mod dump;
mod memory;
mod model;
mod mutate;
mod protobuf;
mod remap;
mod rewrite;
mod roundtrip;
