//! Asking the memory for what is needed soon.

#![allow(unsafe_code, reason = "the processor is told an address, which need not even be readable")]

/// Values of a cache line.
pub(super) const LINE: usize = 16;

/// Whether a processor can be asked.
pub(super) const CAN: bool = cfg!(target_arch = "x86_64");

/// Asks for so many values in the second cache where the processor can be asked; elsewhere nothing happens.
#[inline(always)]
pub(super) fn ahead(values: *const f32, many: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..many).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

        // SAFETY: every processor of this architecture has the instruction, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, many);
}
