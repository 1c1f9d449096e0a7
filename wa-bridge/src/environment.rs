//! What the process was told about where things live, read once.
//!
//! Everything else here takes an [`Environment`], so that a test needs no process-wide variable.

use std::path::PathBuf;

use etcetera::{BaseStrategy, choose_base_strategy};

/// The folders the platform and the service manager name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Where configuration lives: `$XDG_CONFIG_HOME`, or what the platform has for it.
    pub config_home: Option<PathBuf>,
    /// Where data lives: `$XDG_DATA_HOME`, or what the platform has for it.
    pub data_home: Option<PathBuf>,
    /// Where sockets live: `$XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// systemd's `$STATE_DIRECTORY`; takes the place of `data_home`.
    pub state_directory: Option<PathBuf>,
    /// systemd's `$RUNTIME_DIRECTORY`; takes the place of `runtime_dir`.
    pub runtime_directory: Option<PathBuf>,
    /// systemd's `$CREDENTIALS_DIRECTORY`, where `wa-db-key` may be.
    pub credentials_directory: Option<PathBuf>,
}

impl Environment {
    /// Reads the variables of this process.
    pub fn from_process() -> Self {
        let base = choose_base_strategy().ok();
        Self {
            config_home: base.as_ref().map(BaseStrategy::config_dir),
            data_home: base.as_ref().map(BaseStrategy::data_dir),
            runtime_dir: base.as_ref().and_then(BaseStrategy::runtime_dir),
            state_directory: folder("STATE_DIRECTORY"),
            runtime_directory: folder("RUNTIME_DIRECTORY"),
            credentials_directory: folder("CREDENTIALS_DIRECTORY"),
        }
    }
}

/// A folder variable of systemd; where it lists several, the first is the service's own.
fn folder(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    let first = value.to_str().and_then(|text| text.split(':').next()).map(PathBuf::from);
    first.or_else(|| Some(PathBuf::from(&value))).filter(|path| path.is_absolute())
}
