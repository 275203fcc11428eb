//! Threads that come from outside, for a program that cannot start any: in a browser, they are workers that run the same
//! program in the same memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadBuilder, ThreadPoolBuildError, ThreadPoolBuilder};

/// The places of threads that are wanted and have not been taken.
static PLACES: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());

/// Told whenever there is another.
static ANOTHER: Condvar = Condvar::new();

/// Threads that work is shared out to.
static THREADS: AtomicUsize = AtomicUsize::new(1);

fn places() -> MutexGuard<'static, Vec<ThreadBuilder>> {
    // A list of places cannot be left half changed.
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lends the calling thread: it waits until work is shared out to it, and then computes as long as the program runs.
pub fn lend() {
    let mut places = places();
    let place = loop {
        match places.pop() {
            Some(place) => break place,
            None => places = ANOTHER.wait(places).unwrap_or_else(PoisonError::into_inner),
        }
    };
    drop(places);
    place.run();
}

/// Shares out work to the calling thread and so many others from now on. Returns when all of those have been
/// [lent](lend), and waits until they are. To be called once, by the thread that runs plans.
///
/// # Errors
/// If work is shared out already.
pub fn share(lent: usize) -> Result<(), ThreadPoolBuildError> {
    let want = |place| {
        places().push(place);
        ANOTHER.notify_one();
        Ok(())
    };
    ThreadPoolBuilder::new()
        .num_threads(1 + lent)
        .use_current_thread()
        .spawn_handler(want)
        .build_global()?;
    THREADS.store(1 + lent, Ordering::Relaxed);
    Ok(())
}

/// Threads that work is shared out to. Asking Rayon would make it begin, with this thread alone.
#[cfg(target_arch = "wasm32")]
pub(crate) fn threads() -> usize {
    THREADS.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::parallel;

    /// In one test, since it is about all of a process.
    #[test]
    fn lent_threads_compute_and_work_is_shared_out_once() {
        let lent: Vec<_> = (0..2).map(|_| thread::spawn(lend)).collect();
        share(2).expect("nothing was shared out before");
        assert_eq!((parallel::threads(), THREADS.load(Ordering::Relaxed)), (3, 3));
        // Three chunks are worked on at the same time, or it does not come to an end.
        let all_here = Barrier::new(3);
        let mut who = vec![None; 3];
        parallel::chunks(&mut who, 1, usize::MAX, |at, one| {
            all_here.wait();
            one[0] = Some((at, thread::current().id()));
        });
        let mine = thread::current().id();
        let others: Vec<_> = lent.iter().map(|thread| thread.thread().id()).collect();
        for (at, one) in who.iter().enumerate() {
            let (chunk, by) = one.expect("every chunk is computed");
            assert_eq!(chunk, at);
            assert!(by == mine || others.contains(&by));
        }
        share(1).expect_err("it is shared out already");
        assert!(places().is_empty());
        assert_eq!(parallel::threads(), 3);
    }
}
