//! What every store must hold to, run against each of them.
//!
//! A rule is an `async fn(&dyn Store)` on an empty store, in the module of its subject; the macro
//! makes one test of it for each store.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance {
    pub(crate) mod additions;
    pub(crate) mod app_state;
    pub(crate) mod archive;
    pub(crate) mod history;
    pub(crate) mod keys;
    pub(crate) mod lid;
    pub(crate) mod life;
    pub(crate) mod people;
    pub(crate) mod queues;
    pub(crate) mod samples;
    pub(crate) mod scope;
    pub(crate) mod search;
}

/// Makes a test of each rule for each store.
macro_rules! rules {
    ($($module:ident { $($rule:ident)* })*) => {
        mod memory {
            $(mod $module { $(
                #[tokio::test]
                async fn $rule() {
                    let store = wa_store::MemoryStore::new();
                    crate::conformance::$module::$rule(&store).await;
                }
            )* })*
        }
        mod sqlite {
            $(mod $module { $(
                #[tokio::test]
                async fn $rule() {
                    let folder = tempfile::tempdir().unwrap();
                    let key = wa_store::DatabaseKey::from_bytes([7; 32]);
                    let store = wa_store::SqliteStore::open(folder.path().join("wa.db"), key);
                    let store = store.await.unwrap();
                    crate::conformance::$module::$rule(&store).await;
                }
            )* })*
        }
    };
}

include!("conformance/rules.rs");
