//! Randomness, from the operating system or the browser; there is no generator of our own in between.

use std::sync::Mutex;

use openmls_traits::types::CryptoError;
use zeroize::{Zeroize as _, Zeroizing};

pub fn random(bytes: &mut [u8]) -> Result<(), CryptoError> {
    getrandom::fill(bytes).map_err(|_| CryptoError::InsufficientRandomness)
}

const SUPPLY_BYTES: usize = 512;
/// Longer than any nonce, shorter than any key.
const LONGEST_BYTES: usize = 12;

/// Random bytes in stock for the nonce-like values that each message needs: to ask for four bytes from within WebAssembly takes
/// a tenth of the time of a whole message. Keys are never taken out of it, so that none lies here before it is used.
#[derive(Default)]
pub struct Supply(Mutex<Zeroizing<Vec<u8>>>);

impl Supply {
    pub fn take(&self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        if bytes.len() > LONGEST_BYTES {
            return random(bytes);
        }
        let mut stock = self.0.lock().map_err(|_| CryptoError::InsufficientRandomness)?;
        if stock.len() < bytes.len() {
            stock.resize(SUPPLY_BYTES, 0);
            if let Err(error) = random(&mut stock) {
                // What is in there by now is not random.
                stock.clear();
                return Err(error);
            }
        }
        let rest = stock.len() - bytes.len();
        bytes.copy_from_slice(&stock[rest..]);
        stock[rest..].zeroize();
        stock.truncate(rest);
        Ok(())
    }
}
