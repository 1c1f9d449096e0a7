#![no_main]

use std::sync::Once;

static QUIET: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A decoder's panic is caught in the crate and becomes an error; libFuzzer's own hook would end
    // the process before. What is not caught still ends it.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    wa_transcode::fuzzing::transcode(bytes);
});
