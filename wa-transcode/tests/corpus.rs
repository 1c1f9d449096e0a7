//! Runs the fuzzing entry point over its corpus.

use std::{fs, path::Path};

#[test]
fn files_of_the_corpus_and_their_mutations_are_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/transcode");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        wa_transcode::fuzzing::transcode(&bytes);
        for cut in 0..bytes.len().min(120) {
            wa_transcode::fuzzing::transcode(&bytes[..cut]);
            let mut changed = bytes.clone();
            changed[cut] ^= 0x11;
            wa_transcode::fuzzing::transcode(&changed);
        }
        count += 1;
    }
    assert!(count > 0, "the corpus is empty");
}
