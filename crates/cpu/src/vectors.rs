//! The vectors that kernels compute with.

use pulp::WithSimd;

/// Calls what it is given, compiled for a browser's vectors with fused multiply-adds.
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
#[inline(always)]
pub(crate) fn vectorised<W: WithSimd>(work: W) -> W::Output {
    #[allow(unsafe_code, reason = "a browser without the instructions refuses the whole program")]
    // SAFETY: where this runs, they are there.
    let simd = unsafe { pulp::wasm::RelaxedSimd::new_unchecked() };
    pulp::Simd::vectorize(simd, work)
}

/// Calls what it is given, compiled for the widest vectors that this processor has, or for those that are fixed.
#[cfg(not(all(target_arch = "wasm32", feature = "relaxed-simd")))]
#[inline(always)]
pub(crate) fn vectorised<W: WithSimd>(work: W) -> W::Output {
    #[cfg(all(target_arch = "x86_64", feature = "fixed-vectors"))]
    match fixed::get() {
        Some((Vectors::Bits128, simd)) => {
            return pulp::Simd::vectorize(pulp::x86::V3_128b(simd), work);
        }
        Some((Vectors::Bits256, simd)) => return pulp::Simd::vectorize(simd, work),
        None => {}
    }
    pulp::Arch::new().dispatch(work)
}

/// Vectors that may be narrower than the processor's widest, with fused multiply-adds.
#[cfg(all(target_arch = "x86_64", feature = "fixed-vectors"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// As wide as a browser's.
    Bits128,
    /// AVX2's.
    Bits256,
}

#[cfg(all(target_arch = "x86_64", feature = "fixed-vectors"))]
impl Vectors {
    /// All.
    pub const ALL: [Self; 2] = [Self::Bits128, Self::Bits256];

    /// From now on, the whole process computes with these, but for the products of many rows, which choose by
    /// themselves. Returns whether the processor has them; otherwise nothing is changed.
    pub fn fix(self) -> bool {
        fixed::set(self)
    }
}

#[cfg(all(target_arch = "x86_64", feature = "fixed-vectors"))]
mod fixed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU8, Ordering};

    use pulp::x86::V3;

    use super::Vectors;

    /// 0, or one more than the place among all.
    static FIXED: AtomicU8 = AtomicU8::new(0);
    static SIMD: OnceLock<Option<V3>> = OnceLock::new();

    pub(super) fn set(vectors: Vectors) -> bool {
        let are_there = SIMD.get_or_init(V3::try_new).is_some();
        if are_there {
            FIXED.store(1 + vectors as u8, Ordering::Relaxed);
        }
        are_there
    }

    #[inline]
    pub(super) fn get() -> Option<(Vectors, V3)> {
        let place = FIXED.load(Ordering::Relaxed).checked_sub(1)?;
        Some((Vectors::ALL[usize::from(place)], (*SIMD.get()?)?))
    }
}
