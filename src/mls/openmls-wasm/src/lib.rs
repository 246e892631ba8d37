//! OpenMLS behind a narrow face, for WebAssembly: clients, groups, bytes in, bytes out.
//!
//! Commits and welcomes are taken in two steps, stage and merge, so that the caller can check the identities in between:
//! OpenMLS checks signatures and the tree, but not who a credential names. This crate knows nothing of SLIM, of tokens or of
//! JavaScript (except in `bindings`), and does no I/O but for the clock and randomness.

mod bindings;
pub mod client;
pub mod failure;
pub mod group;
mod message;
pub mod vault;
mod wipe;

#[global_allocator]
static ALLOCATOR: wipe::Wiping = wipe::Wiping;
