//! Keys and plaintexts that are no longer needed are overwritten, as far as that can be done from inside.
//!
//! On the heap by an allocator that clears what is given back: keys, plaintexts and the records of the vault all lie there, many
//! of them in places that no destructor of ours sees, but here they all pass. On the stack by writing over it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

pub struct Wiping;

// SAFETY: every call is handed on to `System` with the layout that came in. A block is written to only inside of its
// bounds and before it is given back.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        pointer.write_bytes(0, layout.size());
        // Otherwise the compiler may leave out writes to a block that nobody can read any more.
        black_box(pointer);
        System.dealloc(pointer, layout);
    }

    // No `realloc`: the one that GlobalAlloc has copies and then calls `dealloc`, where the one of `System` would leave
    // the old block as it is.
}

/// More than the calls of this crate use of the stack, of which WebAssembly has 1 MiB.
const SCRUBBED_BYTES: usize = 256 * 1024;

/// Overwrites what earlier calls left on the stack.
#[inline(never)]
pub fn scrub_stack() {
    black_box(&mut [0_u8; SCRUBBED_BYTES]);
}
