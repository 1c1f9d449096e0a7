//! Files that are named on the command line.

use std::path::Path;

use crate::failure::{Cause, Failure};

/// A path as another process finds it, whatever folder that runs in.
pub(crate) fn absolute(path: &Path) -> Result<String, Failure> {
    let wrong = |what: &str| {
        Failure::new(Cause::Usage, format!("cannot use the path {}: {what}", path.display()))
            .remedy("name another one")
    };
    let absolute = std::path::absolute(path).map_err(|error| wrong(&error.to_string()))?;
    absolute.into_os_string().into_string().map_err(|_| wrong("it is no text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_complete_and_none_is_refused() {
        let here = absolute(Path::new("a.jpg")).unwrap();
        assert!(Path::new(&here).is_absolute() && here.ends_with("a.jpg"), "{here}");
        assert_eq!(absolute(Path::new("")).unwrap_err().cause, Cause::Usage);
    }
}
