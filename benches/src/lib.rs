//! Benchmarks of the hot paths, and a soak that shows that nothing grows; see `src/bin/soak.rs`.
