//! Starts the real binaries by path, for the tests of the whole system.
