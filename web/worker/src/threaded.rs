//! The worker for a page that is isolated from other origins, in a browser with relaxed SIMD: the CPU's work is shared
//! out to threads.

fn main() {
    relp_worker::start();
}
