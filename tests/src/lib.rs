//! Empty library: the package consists of the tests in `it/` and `faults/`.
