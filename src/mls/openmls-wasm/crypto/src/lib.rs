//! The cryptography of OpenMLS: the two suites that SLIM has, over RustCrypto and dalek, and nothing else.
//!
//! The provider that comes with OpenMLS chooses its algorithms at run time, so all of them end up in the binary, and it
//! reads each key again with each use. Nothing here is an algorithm of our own; [`hpke`] puts known ones together as RFC
//! 9180 says.

pub mod hpke;
pub mod kem;
mod provider;
pub mod random;
pub mod signature;
mod symmetric;

pub use provider::{NoRandomness, Provider};
