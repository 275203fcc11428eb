//! Reading a file while it comes.

use std::ops::Range;

use pollster::block_on;
use relp_hub::{Fetch, FetchError, MemoryStore, Part, Store, Unwatched, Wanted};

use crate::net::*;

/// Reads as an engine does: the header, and then all in order, in pieces.
fn load(net: &Net, store: &mut MemoryStore, wanted: &Wanted) -> Result<Vec<u8>, FetchError> {
    block_on(async {
        let part = Part::default();
        let mut fetch =
            Fetch::open(net.clone(), store, Unwatched, one(), wanted.clone(), part).await?;
        let mut file = Vec::new();
        fetch.read(0..8).await?;
        fetch.read(8..100).await?;
        let len = fetch.length();
        let step = |start: u64| -> Range<u64> { start..len.min(start + 333) };
        let mut at = step(0);
        while !at.is_empty() {
            file.extend(fetch.read(at.clone()).await?);
            at = step(at.end);
        }
        // A second executor reads again.
        assert_eq!(fetch.read(0..len).await?, file);
        Ok(file)
    })
}

#[test]
fn loading_overlaps_with_downloading_and_the_second_time_needs_no_network() {
    let cut = Answer { cut: Some(1500), ..Answer::default() };
    for wanted in [any(), exact()] {
        let net = Net::new(&weights()).answers([cut.clone()]);
        let mut store = MemoryStore::default();
        assert_eq!(load(&net, &mut store, &wanted).unwrap(), weights());
        assert_eq!(net.sent(), 4000);
        assert_eq!(load(&net, &mut store, &wanted).unwrap(), weights());
        assert_eq!(net.asked().len(), 2);
        let record = block_on(store.record(&any().entry())).unwrap().unwrap();
        assert!(record.complete);
    }
}

#[test]
fn loading_takes_up_what_an_earlier_download_left() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    give_up_at(&net, &mut store, &exact(), 2000);
    assert_eq!(load(&net, &mut store, &exact()).unwrap(), weights());
    assert!(net.sent() <= 4007);
}

#[test]
fn the_last_byte_of_a_wrong_file_is_not_handed_out() {
    let mut bad = weights();
    bad[3999] ^= 1;
    let wrong = Answer { body: Some(bad), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([wrong]), MemoryStore::default());
    let error = load(&net, &mut store, &exact()).unwrap_err();
    assert!(error.to_string().contains("SHA-256"), "{error}");
    assert!(block_on(store.list()).unwrap().is_empty());
    assert_eq!(load(&net, &mut store, &exact()).unwrap(), weights());
    // So too if it went bad where it was kept.
    let record = block_on(store.record(&any().entry())).unwrap().unwrap();
    spoil(&mut store, &record);
    let error = load(&net, &mut store, &exact()).unwrap_err();
    assert!(matches!(error, FetchError::Damaged { .. }), "{error}");
    assert!(block_on(store.list()).unwrap().is_empty());
}

#[test]
fn a_file_that_changes_while_it_is_loaded_is_not_mixed_with_the_old_one() {
    let cut = Answer { cut: Some(1500), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([cut]), MemoryStore::default());
    let changed: Vec<u8> = weights().into_iter().rev().collect();
    let result = block_on(async {
        let part = Part::default();
        let mut fetch =
            Fetch::open(net.clone(), &mut store, Unwatched, one(), any(), part).await.unwrap();
        fetch.read(0..1000).await.unwrap();
        net.now_serves(&changed, "\"two\"");
        fetch.read(1000..4000).await
    });
    let error = result.unwrap_err();
    assert!(matches!(error, FetchError::Changed { .. }), "{error}");
    assert!(block_on(store.list()).unwrap().is_empty());
}

#[test]
fn what_a_reader_refuses_is_discarded() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::default());
    block_on(async {
        let part = Part::default();
        let mut fetch =
            Fetch::open(net.clone(), &mut store, Unwatched, one(), any(), part).await.unwrap();
        fetch.read(0..8).await.unwrap();
        assert!(fetch.read(3999..4001).await.is_err());
        fetch.discard().await.unwrap();
    });
    assert!(block_on(store.list()).unwrap().is_empty());
    assert!(net.sent() < 100);
}

#[test]
fn a_file_that_is_read_at_once_is_fetched_anew_if_it_is_wrong() {
    let read = |net: &Net, store: &mut MemoryStore| {
        block_on(async {
            let part = Part::default();
            let mut fetch =
                Fetch::open(net.clone(), store, Unwatched, one(), exact(), part).await?;
            let length = fetch.length();
            fetch.read(0..length).await
        })
    };
    let mut bad = weights();
    bad[7] ^= 1;
    let wrong = Answer { body: Some(bad), ..Answer::default() };
    let net = Net::new(&weights()).answers([wrong.clone()]);
    let mut store = MemoryStore::default();
    assert!(read(&net, &mut store) == Ok(weights()));
    let record = block_on(store.record(&exact().entry())).unwrap().unwrap();
    spoil(&mut store, &record);
    assert!(read(&net, &mut store) == Ok(weights()));
    let net = Net::new(&weights()).answers([wrong.clone(), wrong]);
    let error = read(&net, &mut MemoryStore::default()).unwrap_err().to_string();
    assert!(error.contains("SHA-256"), "{error}");
}
