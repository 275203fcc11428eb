//! Asking the memory for what is needed soon.

#![allow(unsafe_code, reason = "the processor is told an address, which need not even be readable")]

/// Values of a cache line.
pub(super) const LINE: usize = 16;

/// Whether a processor can be asked.
pub(super) const CAN: bool = cfg!(target_arch = "x86_64");

/// Which cache is asked to have it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    Nearest,
    Second,
}

/// Asks for so many values where the processor can be asked; elsewhere nothing happens.
#[inline(always)]
pub(super) fn ahead(values: *const f32, many: usize, cache: Cache) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..many).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

        let place = values.wrapping_add(line).cast();
        // SAFETY: every processor of this architecture has the instruction, which reads nothing.
        unsafe {
            match cache {
                Cache::Nearest => _mm_prefetch::<_MM_HINT_T0>(place),
                Cache::Second => _mm_prefetch::<_MM_HINT_T1>(place),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, many, cache);
}
