//! The tests are in `it/`; this is here so that cargo has a package.
