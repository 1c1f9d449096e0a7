//! Runs the fuzzing entry point over its corpus.

use std::{fs, path::Path};

#[test]
fn app_state_of_the_corpus_and_its_mutations_are_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/app_state");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        wa_appstate::fuzzing::app_state(&bytes);
        for cut in 0..bytes.len().min(400) {
            wa_appstate::fuzzing::app_state(&bytes[..cut]);
            let mut changed = bytes.clone();
            changed[cut] ^= 0x11;
            wa_appstate::fuzzing::app_state(&changed);
        }
        count += 1;
    }
    assert!(count > 0, "the corpus is empty");
}
