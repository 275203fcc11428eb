// As many threads as the page starts (`web/worker/src/threads.rs`).

export const threads = () => Math.min(8, navigator.hardwareConcurrency);
