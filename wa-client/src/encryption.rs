//! Where sessions are used: whose turn it is, which keys there are, and on which thread it is
//! computed.
//!
//! Owns the way that every encryption and decryption takes: [`Turn`] resolves the addresses of the
//! devices while their people's locks are held, [`Keys`] fetches what is missing before, and
//! [`off_thread`] computes beside the threads that serve the connection. Knows nothing of messages.

pub(crate) mod former;
mod keys;
mod turn;

pub(crate) use keys::Keys;
pub(crate) use turn::Turn;

tokio::task_local! {
    static BESIDE: ();
}

/// Work that is beside the threads that serve the connection already: whatever it computes, it
/// computes there ([`off_thread`]).
pub(crate) fn here<F: Future>(work: F) -> impl Future<Output = F::Output> {
    BESIDE.scope((), work)
}

/// Computes on a thread of its own, so that connections are served meanwhile and several peers'
/// messages use several cores. Randomness comes along as a generator of its own
/// ([`crate::inner::Inner::fork_rng`]).
pub(crate) async fn off_thread<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> T {
    if BESIDE.try_with(|()| ()).is_ok() {
        return compute();
    }
    match tokio::task::spawn_blocking(compute).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}
