//! Values that outlive a deployment: jobs, continuations, catalogs, access records, marking requests, preferences.
#![no_main]

use domain::audit::access::AccessRecord;
use domain::catalog::CatalogFile;
use domain::decide::continuation::Continuation;
use domain::delivery::job::Job;
use domain::inbox::Marking;
use domain::recipient::Recipient;
use domain::recipient::preference::Preferences;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(job) = Job::read(text) {
        let written = serde_json::to_string(&job).expect("a job is JSON");
        assert!(Job::read(&written).is_ok(), "a written job is readable");
    }
    if let Some(Ok(continuation)) = Continuation::read(text) {
        let _ = continuation.event();
        assert!(matches!(Continuation::read(&continuation.to_json()), Some(Ok(_))));
    }
    if let Some(record) = AccessRecord::parse(text) {
        assert!(AccessRecord::parse(&record.to_json()).is_some());
    }
    let _ = CatalogFile::read(text);
    let _ = Marking::read(text);
    let Ok(value) = serde_json::from_str(text) else { return };
    if let Ok(preferences) = Preferences::read(&value) {
        assert!(Preferences::read(&preferences.to_value()).is_ok(), "written preferences are readable");
    }
    let _ = serde_json::from_value::<Recipient>(value);
});
