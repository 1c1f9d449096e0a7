//! The local socket: where it is, and who may reach it.
//!
//! On Unix a socket file (0600) in a folder (0700) that nobody else may enter.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    Environment, Failure, Profile,
    failure::Cause,
    private_folder::{check_among_others, private_folder, private_folder_among_others},
};

/// The longest path of a socket that every Unix takes, in bytes.
const MAX_PATH: usize = 100;

/// Where the owner of a profile's account listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketPath {
    path: PathBuf,
    /// Whether its folder stands where other users may make folders too: it counts only if it is
    /// proved to be this user's own.
    is_among_others: bool,
}

impl SocketPath {
    /// Works out where the socket of a profile is: in the runtime folder, by the profile's name;
    /// for an account in a folder of its own (`--store`), or where the system has no runtime
    /// folder, in the account's folder. Where that path is too long for a socket, a folder for
    /// temporary files takes its place, with a name made of the path.
    pub fn of(profile: &Profile, environment: &Environment) -> Self {
        let runtime = match (&environment.runtime_directory, &environment.runtime_dir) {
            (Some(systemd), _) => Some(systemd.clone()),
            (None, Some(runtime)) => Some(runtime.join("wa")),
            (None, None) => None,
        };
        let (path, is_among_others) = match runtime {
            Some(folder) if !profile.is_elsewhere() => {
                // systemd makes its folder for the service itself.
                let is_among_others = environment.runtime_directory.is_none();
                (folder.join(format!("{}.sock", profile.name())), is_among_others)
            }
            _ => (profile.folder().join("wa.sock"), false),
        };
        if path.as_os_str().len() <= MAX_PATH {
            return Self { path, is_among_others };
        }
        let hash = hex::encode(Sha256::digest(path.as_os_str().as_encoded_bytes()));
        let name = hash.get(..16).unwrap_or_default();
        let path = std::env::temp_dir().join(format!("wa-{name}")).join("wa.sock");
        Self { path, is_among_others: true }
    }

    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.path
    }

    /// Checks, before anything is said to whoever listens there, that it cannot be another user.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is no folder yet, and so nobody;
    /// [`io::ErrorKind::PermissionDenied`] for a folder that is not this user's alone.
    pub(crate) fn check_owner(&self) -> io::Result<()> {
        match self.path.parent() {
            Some(folder) if self.is_among_others => check_among_others(folder),
            _ => Ok(()),
        }
    }

    /// Prepares the folder, and removes what an owner left that ended without tidying up. Only the
    /// holder of the account's lock may do that.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            let path = self.path.display();
            Failure::new(Cause::Failed, format!("cannot use the socket {path}: {error}"))
                .remedy("see who owns its folder")
        };
        match self.path.parent() {
            Some(folder) if self.is_among_others => private_folder_among_others(folder),
            Some(folder) => private_folder(folder),
            None => Ok(()),
        }
        .map_err(failed)?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

/// The socket, for programs of the user whose it is, and for nobody else's.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct OwnersSocket {
    listener: tokio::net::UnixListener,
    owner: u32,
}

#[cfg(unix)]
impl crate::serve::Accept for OwnersSocket {
    type Stream = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (stream, _) = self.listener.accept().await?;
        if stream.peer_cred()?.uid() != self.owner {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(stream)
    }
}

/// Listens on the socket.
#[cfg(unix)]
pub(crate) fn listen(path: &SocketPath) -> Result<OwnersSocket, Failure> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    path.clear()?;
    let failed = |error: io::Error| {
        let path = path.as_path().display();
        Failure::new(Cause::Failed, format!("cannot listen on {path}: {error}"))
            .remedy("see whether its folder can be written")
    };
    let listener = tokio::net::UnixListener::bind(path.as_path()).map_err(failed)?;
    // The folder keeps others out until this is done.
    fs::set_permissions(path.as_path(), fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let owner = fs::metadata(path.as_path()).map_err(failed)?.uid();
    Ok(OwnersSocket { listener, owner })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(store: Option<&Path>, environment: &Environment) -> Profile {
        Profile::locate(&"travel".parse().unwrap(), store, environment).unwrap()
    }

    #[test]
    fn the_socket_is_in_the_runtime_folder_or_with_the_account() {
        let mut environment = Environment {
            config_home: Some("/h/.config".into()),
            data_home: Some("/h/.local/share".into()),
            runtime_dir: Some("/run/user/7".into()),
            ..Environment::default()
        };
        let path = |store, environment: &Environment| {
            SocketPath::of(&profile(store, environment), environment).as_path().to_owned()
        };
        assert_eq!(path(None, &environment), Path::new("/run/user/7/wa/travel.sock"));
        assert_eq!(path(Some(Path::new("/t/a")), &environment), Path::new("/t/a/wa.sock"));
        environment.runtime_directory = Some("/run/wa".into());
        assert_eq!(path(None, &environment), Path::new("/run/wa/travel.sock"));
        (environment.runtime_directory, environment.runtime_dir) = (None, None);
        assert_eq!(path(None, &environment), Path::new("/h/.local/share/wa/travel/wa.sock"));
    }

    #[test]
    fn a_path_too_long_for_a_socket_gets_a_short_one_of_its_own() {
        let environment =
            Environment { config_home: Some("/h/.config".into()), ..Environment::default() };
        let long = |end: &str| PathBuf::from(format!("/{}/{end}", "long".repeat(40)));
        let path = |end| SocketPath::of(&profile(Some(&long(end)), &environment), &environment);
        assert!(path("a").as_path().as_os_str().len() <= MAX_PATH);
        assert_eq!(path("a"), path("a"));
        assert_ne!(path("a"), path("b"));
    }

    /// What another user could do who knows how the folder is called.
    #[cfg(unix)]
    #[test]
    fn a_folder_that_another_prepared_for_the_socket_is_refused_by_both_sides() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let (folder, victim) = (root.path().join("wa-0"), root.path().join("victim"));
        let socket = SocketPath { path: folder.join("wa.sock"), is_among_others: true };
        assert_eq!(socket.check_owner().unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::create_dir(&victim).unwrap();
        symlink(&victim, &folder).unwrap();
        assert!(socket.clear().is_err());
        assert_eq!(socket.check_owner().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(socket.clear().is_err());
        assert_eq!(socket.check_owner().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        fs::remove_dir(&folder).unwrap();
        socket.clear().unwrap();
        socket.check_owner().unwrap();
    }
}
