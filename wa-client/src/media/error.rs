//! Why a file was not uploaded or downloaded, sorted by what the caller can do.

use std::{io, time::Duration};

use wa_media::OpenError;

use crate::{error::Remedy, request::RequestError};

/// A file was not uploaded, or not downloaded. Nothing of it was handed out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The message does not say what a download needs: no path, or a key or hash that is none.
    #[error("the message does not tell enough of its file: {0}")]
    Incomplete(&'static str),
    /// The file is, or says it is, larger than what may be taken.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The media hosts have the file no more. The phone may have it; see
    /// [`Download::ask_phone`](crate::media::Download::ask_phone).
    #[error("the media hosts have this file no more")]
    Gone,
    /// Neither the media hosts nor the phone have the file any more.
    #[error("the phone has this file no more")]
    NotOnPhone,
    /// The phone was asked to upload the file again and did not answer in time.
    #[error("the phone did not answer within {} seconds", .0.as_secs())]
    PhoneSilent(Duration),
    /// The phone could not upload the file again.
    #[error("the phone could not upload the file again (code {code})")]
    PhoneFailed {
        /// The phone's code.
        code: u16,
    },
    /// What the hosts have is not the file that was sent.
    #[error("what the media hosts have is not the file that was sent")]
    Corrupt(#[source] OpenError),
    /// The hosts could not be reached, or have trouble, again and again.
    #[error("the media hosts cannot be used now")]
    Unavailable {
        /// When a host says it is worth trying again.
        retry_after: Option<Duration>,
    },
    /// A host refused for good.
    #[error("the media host refused with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// A host's answer cannot be read.
    #[error("the media host's answer cannot be read")]
    Answer,
    /// The server did not tell the media hosts, or the phone could not be asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Reading what is to be uploaded, or writing what was downloaded, failed.
    #[error("the file could not be read or written")]
    Io(#[from] io::Error),
}

impl MediaError {
    /// What the caller can do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::PhoneSilent(_) | Self::Unavailable { .. } | Self::Request(_) => Remedy::Retry,
            Self::Incomplete(_)
            | Self::TooLarge { .. }
            | Self::Gone
            | Self::NotOnPhone
            | Self::PhoneFailed { .. }
            | Self::Corrupt(_)
            | Self::Refused { .. } => Remedy::FixTheCall,
            Self::Io(_) => Remedy::FixTheMachine,
            Self::Answer => Remedy::ReportBug,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_heal_by_itself_is_worth_a_retry() {
        let busy = MediaError::Unavailable { retry_after: None };
        assert_eq!(busy.remedy(), Remedy::Retry);
        assert_eq!(MediaError::NotOnPhone.remedy(), Remedy::FixTheCall);
        assert_eq!(
            MediaError::Io(io::ErrorKind::StorageFull.into()).remedy(),
            Remedy::FixTheMachine
        );
    }
}
