//! Files that come, in one piece or in several.

use std::cell::RefCell;
use std::rc::Rc;

use pollster::block_on;
use relp_hub::{Cancelled, Fetch, FetchError, MemoryStore, Part, Progress, Store, Trust, Watch};

use crate::net::*;

#[test]
fn a_file_is_fetched_once_and_then_needs_no_network() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    let record = fetch(&net, &mut store, &any()).unwrap();
    holds_weights(&mut store, &record, Trust::FirstUse);
    assert_eq!(record.url, "https://one.example/a/b/resolve/main/model.safetensors");
    assert_eq!(record.commit.as_deref(), Some("c0ffee"));
    assert_eq!(fetch(&net, &mut store, &any()).unwrap(), record);
    assert_eq!(net.asked(), [(0, None)]);
    let mut known = MemoryStore::default();
    let record = fetch(&net, &mut known, &exact()).unwrap();
    holds_weights(&mut known, &record, Trust::Known);
}

#[test]
fn a_cut_at_every_place_is_taken_up_again_without_fetching_twice() {
    for cut in [0, 1, 7, 500, 3999] {
        let cuts = Answer { cut: Some(cut), ..Answer::default() };
        let (net, mut store) = (Net::new(&weights()).answers([cuts]), MemoryStore::default());
        let record = fetch(&net, &mut store, &any()).unwrap();
        holds_weights(&mut store, &record, Trust::FirstUse);
        assert_eq!(net.sent(), 4000, "cut at {cut}");
        let etag = (cut > 0).then(|| "\"one\"".to_owned());
        assert_eq!(net.asked(), [(0, None), (cut as u64, etag)]);
        assert_eq!(net.waited(), [1]);
    }
}

#[test]
fn a_cancelled_fetch_is_taken_up_by_the_next_one() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    for at in [100, 2000, 3990] {
        assert_eq!(give_up_at(&net, &mut store, &any(), at), FetchError::Cancelled);
    }
    let record = fetch(&net, &mut store, &any()).unwrap();
    holds_weights(&mut store, &record, Trust::FirstUse);
    assert!(net.sent() <= 4000 + 3 * 7, "{}", net.sent());
}

#[test]
fn a_file_that_changed_on_the_server_is_fetched_from_its_beginning() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    give_up_at(&net, &mut store, &any(), 2000);
    let changed: Vec<u8> = weights().into_iter().rev().collect();
    net.now_serves(&changed, "\"two\"");
    let record = fetch(&net, &mut store, &any()).unwrap();
    assert_eq!(record.sha256, Some(sha256(&changed)));
    assert_eq!(stored(&mut store, &any().entry()), changed);
    // So too if the server takes no notice of If-Range.
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    give_up_at(&net, &mut store, &any(), 2000);
    net.now_serves(&changed, "\"one\"");
    net.0.borrow_mut().file.push(1);
    let record = fetch(&net, &mut store, &any()).unwrap();
    assert_eq!(record.length, Some(4001));
}

#[test]
fn a_server_without_ranges_works_too() {
    let plain = Answer { no_ranges: true, ..Answer::default() };
    let cut = Answer { cut: Some(1000), ..plain.clone() };
    let net = Net::new(&weights()).answers([cut.clone(), plain.clone()]);
    let mut store = MemoryStore::default();
    let record = fetch(&net, &mut store, &any()).unwrap();
    holds_weights(&mut store, &record, Trust::FirstUse);
    assert_eq!(net.sent(), 5000);
    // Without a validator nothing says that it is the same file still.
    let bare = |answer: Answer| Answer { no_etag: true, no_length: true, ..answer };
    let net = Net::new(&weights()).answers([bare(cut), bare(plain)]);
    let mut store = MemoryStore::default();
    let record = fetch(&net, &mut store, &any()).unwrap();
    holds_weights(&mut store, &record, Trust::FirstUse);
}

#[test]
fn after_three_tries_the_next_mirror_is_asked_and_goes_on_where_the_first_left_off() {
    let cut = Answer { cut: Some(10), ..Answer::default() };
    let down = Answer { no_network: true, ..Answer::default() };
    let net = Net::new(&weights()).answers([cut, down.clone(), down]);
    let mut store = MemoryStore::default();
    let record = fetch_from(&net, &mut store, &exact(), two()).unwrap();
    holds_weights(&mut store, &record, Trust::Known);
    assert_eq!(net.hosts(), ["one.example", "one.example", "one.example", "two.example"]);
    assert_eq!(net.sent(), 4000);
    assert_eq!(net.waited(), [1, 2]);
}

#[test]
fn bytes_of_two_servers_are_mixed_only_if_the_hash_will_tell() {
    let cut = Answer { cut: Some(10), ..Answer::default() };
    let down = Answer { no_network: true, ..Answer::default() };
    let net = Net::new(&weights()).answers([cut, down.clone(), down]);
    let mut store = MemoryStore::default();
    let record = fetch_from(&net, &mut store, &any(), two()).unwrap();
    holds_weights(&mut store, &record, Trust::FirstUse);
    assert_eq!(net.asked().last(), Some(&(0, None)));
}

#[test]
fn more_than_the_server_has_is_fetched_anew() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    give_up_at(&net, &mut store, &any(), 2000);
    net.now_serves(&weights()[..1000], "\"one\"");
    let record = fetch(&net, &mut store, &any()).unwrap();
    assert_eq!(record.length, Some(1000));
}

#[test]
fn a_kept_file_that_went_bad_is_fetched_again_and_must_be_what_it_was() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    let record = fetch(&net, &mut store, &any()).unwrap();
    spoil(&mut store, &record);
    assert_eq!(fetch(&net, &mut store, &any()).unwrap(), record);
    holds_weights(&mut store, &record, Trust::FirstUse);
    assert_eq!(net.sent(), 8000);
    // The same version with other bytes: the first use is what counts.
    spoil(&mut store, &record);
    net.now_serves(&vec![7; 4000], "\"one\"");
    fails(fetch(&net, &mut store, &any()), &mut store, &["SHA-256", &sha256(&weights())]);
    // A file that was cut short by something else than this program.
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    fetch(&net, &mut store, &exact()).unwrap();
    let entry = any().entry();
    block_on(async {
        store.remove(&entry).await.unwrap();
        store.set_record(&entry, &record).await.unwrap();
        store.append(&entry, &weights()[..10]).await.unwrap();
    });
    let again = fetch(&net, &mut store, &exact()).unwrap();
    holds_weights(&mut store, &again, Trust::Known);
}

#[test]
fn progress_grows_and_ends_at_the_length() {
    struct Seen(Rc<RefCell<Vec<Progress>>>);
    impl Watch for Seen {
        async fn pause(&mut self, progress: &Progress) -> Result<(), Cancelled> {
            self.0.borrow_mut().push(*progress);
            Ok(())
        }
    }
    let (net, seen) = (Net::new(&weights()), Rc::new(RefCell::new(Vec::new())));
    let part = Part { before: 500, of: Some(4500) };
    let watch = Seen(seen.clone());
    block_on(async {
        let fetch = Fetch::open(net, MemoryStore::default(), watch, one(), any(), part).await;
        fetch.unwrap().finish().await.unwrap();
    });
    let seen = seen.borrow();
    assert!(seen.is_sorted_by_key(|progress| progress.done));
    let last = seen.last().unwrap();
    assert_eq!((last.total, last.total_of_all), (Some(4000), Some(4500)));
    assert!(last.rate.is_some_and(|rate| (rate - 70.0).abs() < 5.0), "{last:?}");
    assert!(last.left.is_some());
}
