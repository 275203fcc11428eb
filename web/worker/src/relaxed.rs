//! The worker for a browser with relaxed SIMD, whose products are fused multiply-adds.

fn main() {
    relp_worker::start();
}
