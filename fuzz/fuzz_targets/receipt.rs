//! Receipts of providers as the default bus delivers them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = domain::feedback::receipt::read(text);
});
