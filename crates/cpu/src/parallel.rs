//! Work shared out to threads: all cores natively, in a browser the threads that are lent (`lent.rs`).

/// Multiply-adds below which a second thread costs more than it saves.
#[cfg(not(target_arch = "wasm32"))]
const WORTH_A_THREAD: usize = 1 << 16;

/// A browser takes longer to wake one (benches/README.md).
#[cfg(all(target_arch = "wasm32", feature = "threads"))]
const WORTH_A_THREAD: usize = 1 << 20;

/// Calls `f(i, chunk)` for every chunk of `len` values of `out`; `work` is about the number of
/// multiply-adds of them all.
#[cfg(any(not(target_arch = "wasm32"), feature = "threads"))]
pub(crate) fn chunks<O: Send>(
    out: &mut [O],
    len: usize,
    work: usize,
    f: impl Fn(usize, &mut [O]) + Sync + Send,
) {
    use rayon::prelude::*;

    if work < WORTH_A_THREAD || threads() == 1 {
        out.chunks_mut(len).enumerate().for_each(|(i, chunk)| f(i, chunk));
    } else {
        out.par_chunks_mut(len).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}

/// Calls `f(i, chunk)` for every chunk of `len` values of `out`.
#[cfg(all(target_arch = "wasm32", not(feature = "threads")))]
pub(crate) fn chunks<O>(out: &mut [O], len: usize, _work: usize, f: impl Fn(usize, &mut [O])) {
    out.chunks_mut(len).enumerate().for_each(|(i, chunk)| f(i, chunk));
}

/// `f` of every item, in order; `work` is about the number of multiply-adds of them all.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn map<I: Sync, O: Send>(
    items: &[I],
    work: usize,
    f: impl Fn(&I) -> O + Sync + Send,
) -> Vec<O> {
    use rayon::prelude::*;

    if work < WORTH_A_THREAD || threads() == 1 {
        items.iter().map(f).collect()
    } else {
        items.par_iter().map(f).collect()
    }
}

/// Makes the calling thread one of those that compute, so that no work has to be handed to another and waited for.
/// To be called once, before anything is computed; later it does nothing.
#[cfg(not(target_arch = "wasm32"))]
pub fn compute_here() {
    // It fails where the threads have been started already, which then compute as well.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}

/// Threads that work is shared out to, the one that asks among them: all cores natively, in a browser that one and
/// those that were lent.
#[must_use]
pub fn threads() -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    return rayon::current_num_threads();
    #[cfg(all(target_arch = "wasm32", feature = "threads"))]
    return crate::lent::threads();
    #[cfg(all(target_arch = "wasm32", not(feature = "threads")))]
    1
}
