#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wa_adv::fuzzing::device_identity(bytes));
