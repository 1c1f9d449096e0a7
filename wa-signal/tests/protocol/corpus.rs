//! Runs the fuzzing entry points over their corpora.

use std::{fs, path::Path};

fn run(name: &str, target: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        target(&bytes);
        for cut in 0..bytes.len().min(400) {
            target(&bytes[..cut]);
            let mut changed = bytes.clone();
            changed[cut] ^= 0x11;
            target(&changed);
        }
        count += 1;
    }
    assert!(count > 0, "the corpus of {name} is empty");
}

#[test]
fn session_messages_of_the_corpus_and_their_mutations_are_survived() {
    run("session_message", wa_signal::fuzzing::session_message);
}

#[test]
fn sender_key_messages_of_the_corpus_and_their_mutations_are_survived() {
    run("sender_key_message", wa_signal::fuzzing::sender_key_message);
}
