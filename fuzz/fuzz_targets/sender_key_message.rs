#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wa_signal::fuzzing::sender_key_message(bytes));
