//! Files that do not come.

use pollster::block_on;
use relp_hub::{Expected, MemoryStore, ModelFile, Store, Trust};

use crate::net::*;

#[test]
fn when_every_try_fails_each_server_is_named_with_its_fault() {
    let down = Answer { no_network: true, ..Answer::default() };
    let missing = Answer { status: Some(404), ..Answer::default() };
    let net = Net::new(&weights()).answers([down.clone(), down.clone(), down, missing]);
    let mut store = MemoryStore::default();
    let result = fetch_from(&net, &mut store, &any(), two());
    let parts = ["model.safetensors of a/b", "the network is down (https://one.example)"];
    fails(result.clone(), &mut store, &parts);
    fails(result, &mut store, &["does not have it (404) (https://two.example)", "connection"]);
    // The next try begins with the first mirror again.
    fetch_from(&net, &mut store, &any(), two()).unwrap();
    assert_eq!(net.hosts().last().unwrap(), "one.example");
}

#[test]
fn a_server_that_says_no_is_believed_and_one_in_trouble_is_asked_again() {
    for (status, tries, part) in [
        (404, 1, "does not have it (404)"),
        (401, 1, "not give it to everyone (401)"),
        (418, 1, "answered 418"),
        (500, 3, "trouble of its own (500)"),
        (429, 3, "too many requests"),
    ] {
        let no = Answer { status: Some(status), ..Answer::default() };
        let net = Net::new(&weights()).answers(vec![no; 3]);
        let mut store = MemoryStore::default();
        fails(fetch(&net, &mut store, &any()), &mut store, &[part]);
        assert_eq!(net.asked().len(), tries, "{status}");
    }
}

#[test]
fn a_server_that_asks_for_patience_gets_it_within_reason() {
    let busy =
        |seconds| Answer { status: Some(429), retry_after: Some(seconds), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([busy(20)]), MemoryStore::default());
    fetch(&net, &mut store, &any()).unwrap();
    assert_eq!(net.waited(), [20]);
    let (net, mut store) = (Net::new(&weights()).answers([busy(3600)]), MemoryStore::default());
    fails(fetch(&net, &mut store, &any()), &mut store, &["wait 3600 seconds", "later"]);
    assert_eq!(net.waited(), [] as [u64; 0]);
}

#[test]
fn a_wrong_hash_is_fetched_once_more_and_never_used() {
    let mut bad = weights();
    bad[2000] ^= 1;
    let wrong = Answer { body: Some(bad), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([wrong.clone()]), MemoryStore::default());
    let record = fetch(&net, &mut store, &exact()).unwrap();
    holds_weights(&mut store, &record, Trust::Known);

    let net = Net::new(&weights()).answers([wrong.clone(), wrong.clone()]);
    let mut store = MemoryStore::default();
    fails(fetch(&net, &mut store, &exact()), &mut store, &["SHA-256", "nothing of it is kept"]);
    assert_eq!(block_on(store.len(&any().entry())), Ok(0));

    let net = Net::new(&weights()).answers([wrong.clone(), wrong]);
    let record = fetch_from(&net, &mut store, &exact(), two()).unwrap();
    holds_weights(&mut store, &record, Trust::Known);
}

#[test]
fn the_hash_that_the_hub_announces_is_checked() {
    let linked = |hash: String| Answer { linked: Some(hash), ..Answer::default() };
    let net = Net::new(&weights()).answers([linked(sha256(&weights()))]);
    let mut store = MemoryStore::default();
    let record = fetch(&net, &mut store, &any()).unwrap();
    holds_weights(&mut store, &record, Trust::Announced);
    let other = sha256(b"other");
    let net = Net::new(&weights()).answers([linked(other.clone()), linked(other.clone())]);
    let mut store = MemoryStore::default();
    fails(fetch(&net, &mut store, &any()), &mut store, &["SHA-256", &other]);
}

#[test]
fn a_length_that_is_wrong_is_refused_before_the_file_is_fetched() {
    let longer = Answer { body: Some(vec![0; 4001]), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([longer.clone()]), MemoryStore::default());
    fails(fetch(&net, &mut store, &exact()), &mut store, &["4001 bytes", "should have 4000"]);
    assert_eq!(net.sent(), 0);
    // Where the server does not say, the end of the file does.
    let hidden = Answer { no_length: true, ..longer };
    let (net, mut store) = (Net::new(&weights()).answers([hidden]), MemoryStore::default());
    fails(fetch(&net, &mut store, &exact()), &mut store, &["4001 bytes", "should have 4000"]);
    let huge = Answer { body: Some(vec![b' '; (1 << 20) + 1]), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([huge]), MemoryStore::default());
    let config = wanted(ModelFile::Config, Expected::default());
    fails(fetch(&net, &mut store, &config), &mut store, &["longer than 1048576 bytes"]);
}

#[test]
fn a_web_page_is_no_model() {
    let page = b"\n <!DOCTYPE html><title>Sign in</title>".to_vec();
    let said = Answer { html: true, body: Some(page.clone()), ..Answer::default() };
    let unsaid = Answer { body: Some(page), ..Answer::default() };
    for answer in [said, unsaid] {
        for file in ModelFile::ALL {
            let net = Net::new(&weights()).answers([answer.clone()]);
            let mut store = MemoryStore::default();
            let result = fetch(&net, &mut store, &wanted(file, Expected::default()));
            fails(result, &mut store, &["a web page came in its place", "sign in"]);
            assert_eq!(net.asked().len(), 1);
            assert!(block_on(store.list()).unwrap().is_empty() || !answer.html);
        }
    }
}

#[test]
fn what_is_no_json_is_refused_and_what_is_passes() {
    let config = wanted(ModelFile::Config, Expected::default());
    for bad in ["", "{", "{\"a\": 1} x", "nothing"] {
        let (net, mut store) = (Net::new(bad.as_bytes()), MemoryStore::default());
        fails(fetch(&net, &mut store, &config), &mut store, &["not JSON", "mirror"]);
    }
    let (net, mut store) = (Net::new(b"{\"n_layer\": 1}"), MemoryStore::default());
    assert!(fetch(&net, &mut store, &config).unwrap().complete);
}

#[test]
fn another_range_than_was_asked_for_is_not_taken() {
    let wrong = Answer { wrong_range: true, ..Answer::default() };
    let cut = Answer { cut: Some(100), ..Answer::default() };
    let (net, mut store) = (Net::new(&weights()).answers([cut, wrong]), MemoryStore::default());
    fails(fetch(&net, &mut store, &any()), &mut store, &["sent bytes from 101 on"]);
}

#[test]
fn a_full_store_is_a_sentence_and_keeps_what_came() {
    let (net, mut store) = (Net::new(&weights()), MemoryStore::with_most(1000));
    fails(fetch(&net, &mut store, &any()), &mut store, &["cannot be stored", "make room"]);
    assert!(block_on(store.len(&any().entry())).unwrap() > 900);
}
