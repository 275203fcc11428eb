#![allow(missing_docs)]
use std::sync::Mutex;
use web_time::Instant;
static MARKS: Mutex<Vec<(&'static str, String)>> = Mutex::new(Vec::new());
pub fn mark(name: &'static str) { if let Ok(mut m) = MARKS.lock() { m.push((name, format!("{:?}", Instant::now()))); } }
pub fn take() -> Vec<(&'static str, String)> { MARKS.lock().map(|mut m| std::mem::take(&mut *m)).unwrap_or_default() }
