//! The vectors that kernels compute with.

use pulp::{Simd, WithSimd};

/// Defines a function whose body is compiled for the vectors that [`dispatch`] takes. A closure would be only if the
/// compiler found it small enough to be inlined, and otherwise for the vectors that every processor has. All references
/// among its arguments have the one lifetime that it names.
macro_rules! vectorised {
    ($(#[$note:meta])* $visibility:vis fn $name:ident<$life:lifetime>(
        $($arg:ident: $type:ty),+ $(,)?
    ) $body:block) => {
        $(#[$note])*
        $visibility fn $name<$life>($($arg: $type),+) {
            struct Work<$life> {
                $($arg: $type,)+
            }
            impl pulp::WithSimd for Work<'_> {
                type Output = ();

                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, _: S) {
                    let Self { $($arg,)+ } = self;
                    $body
                }
            }
            $crate::vectors::dispatch(Work { $($arg,)+ });
        }
    };
}
pub(crate) use vectorised;

/// Does the work, compiled for a browser's vectors with fused multiply-adds.
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
#[inline(always)]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    #[allow(unsafe_code, reason = "a browser without the instructions refuses the whole program")]
    // SAFETY: where this runs, they are there.
    let simd = unsafe { pulp::wasm::RelaxedSimd::new_unchecked() };
    Simd::vectorize(simd, work)
}

/// Does the work, compiled for the widest vectors that this processor has, or for narrow ones.
#[cfg(not(all(target_arch = "wasm32", feature = "relaxed-simd")))]
#[inline(always)]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    #[cfg(all(target_arch = "x86_64", feature = "narrow-vectors"))]
    if narrow::are_wanted() {
        return narrow::dispatch(work);
    }
    pulp::Arch::new().dispatch(work)
}

/// Does the work with these vectors, in a function compiled for their instructions. `Simd::vectorize` alone would hand it the
/// widest vectors that those have, whichever it is called with.
#[inline(always)]
pub(crate) fn vectorize<S: Simd, W: WithSimd>(simd: S, work: W) -> W::Output {
    struct With<S, W> {
        simd: S,
        work: W,
    }
    impl<S: Simd, W: WithSimd> WithSimd for With<S, W> {
        type Output = W::Output;

        #[inline(always)]
        fn with_simd<T: Simd>(self, _: T) -> W::Output {
            self.work.with_simd(self.simd)
        }
    }
    simd.vectorize(With { simd, work })
}

#[cfg(all(target_arch = "x86_64", feature = "narrow-vectors"))]
pub use narrow::narrow_vectors;

/// Vectors as wide as a browser's, natively, with fused multiply-adds.
#[cfg(all(target_arch = "x86_64", feature = "narrow-vectors"))]
mod narrow {
    use std::sync::atomic::{AtomicBool, Ordering};

    use pulp::WithSimd;
    use pulp::x86::{V3, V3_128b};

    /// Only where the processor has them.
    static WANTED: AtomicBool = AtomicBool::new(false);

    /// From now on, the whole process computes with vectors of 128 bits, but for the products of many rows. Returns
    /// whether the processor has them with fused multiply-adds; otherwise nothing is changed.
    pub fn narrow_vectors() -> bool {
        let are_there = V3::try_new().is_some();
        WANTED.store(are_there, Ordering::Relaxed);
        are_there
    }

    #[inline(always)]
    pub(super) fn are_wanted() -> bool {
        WANTED.load(Ordering::Relaxed)
    }

    /// By itself, so that computing with others takes no more for it.
    #[cold]
    #[inline(never)]
    pub(super) fn dispatch<W: WithSimd>(work: W) -> W::Output {
        let Some(simd) = V3::try_new() else { unreachable!("they are wanted where they are") };
        super::vectorize(V3_128b(simd), work)
    }

    #[cfg(test)]
    mod tests {
        use pulp::Simd;

        use super::*;
        use crate::vectors::vectorize;

        struct Lanes;

        impl WithSimd for Lanes {
            type Output = [usize; 2];

            fn with_simd<S: Simd>(self, simd: S) -> [usize; 2] {
                struct Here;
                impl WithSimd for Here {
                    type Output = usize;

                    fn with_simd<S: Simd>(self, _: S) -> usize {
                        S::F32_LANES
                    }
                }
                [S::F32_LANES, vectorize(simd, Here)]
            }
        }

        #[test]
        fn narrow_vectors_are_narrow_and_stay_so() {
            assert!(V3::try_new().is_some(), "this processor lacks AVX2");
            assert_eq!(dispatch(Lanes), [4, 4]);
        }
    }
}
