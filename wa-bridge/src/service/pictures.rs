//! Pictures of this machine that are shown to others: of the account and of groups.

use super::Call;
use crate::failure::Failure;

impl Call<'_> {
    /// Reads a picture that may be sent, of at most so many bytes.
    ///
    /// # Errors
    /// [`Cause::Forbidden`](crate::Cause::Forbidden) for files out of reach,
    /// [`Cause::Usage`](crate::Cause::Usage) for what cannot be read or is too large.
    pub(super) async fn picture(&self, path: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        self.file_to_send(path).await?.read(limit)
    }
}
