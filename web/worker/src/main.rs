//! The worker for every browser.

fn main() {
    relp_worker::start();
}
