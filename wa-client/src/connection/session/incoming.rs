//! Bytes in: frames, nodes, stanzas, and each to where it belongs.
//!
//! Answers go straight to whoever waits for them; everything else queues. Knows nothing of what
//! is done with a stanza.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use wa_noise::{FrameDecoder, Opener};
use wa_proto::{
    Stanza,
    node::{DecodeError, read, read_outside},
    stanza::{Iq, Success},
};

use super::keepalive;
use crate::{
    connection::{connector::WireReader, ending::Ending, link::Answer},
    stanza_handler::StanzaContext,
};

/// Bytes in: frames, nodes, and each to where it belongs.
pub(super) struct Incoming<'a> {
    cx: &'a StanzaContext,
    frames: FrameDecoder,
    opener: Opener,
    stanzas: mpsc::Sender<Stanza>,
    success: Option<oneshot::Sender<Success>>,
    poison: Poison,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(
        cx: &'a StanzaContext,
        frames: FrameDecoder,
        opener: Opener,
        stanzas: mpsc::Sender<Stanza>,
        success: oneshot::Sender<Success>,
    ) -> Self {
        let poison = Poison::default();
        Self { cx, frames, opener, stanzas, success: Some(success), poison }
    }

    pub(super) async fn run(mut self, mut reader: Box<dyn WireReader>) -> Ending {
        let mut queue = VecDeque::new();
        let stanzas = self.stanzas.clone();
        loop {
            // A full queue stops the reading, so that the server notices and memory is bounded.
            // While an answer is awaited the reading goes on for a while: the queue may be full
            // because its handlers wait for that answer.
            let may_read = queue.len() < QUEUE_LEN
                || queue.len() < QUEUE_LEN_AWAITED && self.cx.link.is_awaited();
            self.cx.session.holds_back.store(!may_read, Ordering::Relaxed);
            tokio::select! {
                permit = stanzas.reserve(), if !queue.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(stanza) = queue.pop_front() {
                            permit.send(stanza);
                        }
                        if !may_read {
                            // What is heard is held back here, so that is no silence of theirs.
                            keepalive(self.cx, |keepalive| keepalive.heard(Instant::now()));
                        }
                    }
                    Err(_) => std::future::pending().await,
                },
                chunk = reader.read(), if may_read => {
                    let chunk = match chunk {
                        Ok(Some(chunk)) => chunk,
                        Ok(None) | Err(_) => return Ending::SocketLost,
                    };
                    if let Err(ending) = self.take_in(&chunk, &mut queue) {
                        return ending;
                    }
                }
                () = self.cx.link.awaited(), if !may_read => {}
            }
        }
    }

    fn take_in(&mut self, chunk: &Bytes, queue: &mut VecDeque<Stanza>) -> Result<(), Ending> {
        keepalive(self.cx, |keepalive| keepalive.heard(Instant::now()));
        self.frames.push(chunk);
        while let Some(frame) = self.frames.next_frame().map_err(|_| Ending::Protocol)? {
            // A frame that does not open is forged or out of step, and so is all behind it.
            let plain = self.opener.open(&frame).map_err(|_| Ending::Protocol)?;
            let stanza = match read(&plain) {
                Ok(node) => {
                    self.poison.passed();
                    self.cx.inner.unreadable.read(|| Stanza::parse(node))
                }
                Err(error) => match self.skip(&plain, &error)? {
                    Some(stanza) => stanza,
                    None => continue,
                },
            };
            self.route(stanza, queue)?;
        }
        Ok(())
    }

    /// A frame cannot be decoded: what stands behind it is not held up by it. Where it says whom to
    /// answer, it is refused like any stanza that cannot be read, so that the server does not keep
    /// it for ever.
    ///
    /// # Errors
    /// If it may have been a word on which the connection depends, or if there are too many.
    fn skip(&mut self, plain: &[u8], error: &DecodeError) -> Result<Option<Stanza>, Ending> {
        self.cx.inner.unreadable.frame(error);
        let is_logged_in = self.success.is_none();
        if self.poison.came(Instant::now()) || !is_logged_in {
            return Err(Ending::Protocol);
        }
        let Some(outside) = read_outside(plain) else { return Ok(None) };
        let is_answer = outside.attrs.is("type", "result") || outside.attrs.is("type", "error");
        match (outside.tag.as_ref(), outside.attrs.text("id")) {
            ("failure" | "stream:error" | "xmlstreamend", _) => Err(Ending::Protocol),
            ("iq", Some(id)) if is_answer => {
                // Whoever asked need not wait any longer.
                let _ = self.cx.link.answer(&id, Answer::Undecodable);
                Ok(None)
            }
            _ => Ok(Some(Stanza::undecodable(&outside))),
        }
    }

    fn route(&mut self, stanza: Stanza, queue: &mut VecDeque<Stanza>) -> Result<(), Ending> {
        let answered = match stanza {
            Stanza::StreamEnd => return Err(Ending::SocketLost),
            Stanza::StreamError(error) => return Err(Ending::Stream(error)),
            Stanza::Failure(failure) => return Err(Ending::Refused(failure)),
            Stanza::Success(success) => {
                // A device that is not saved yet cannot log in, whatever the server says.
                if self.cx.inner.account().is_linked()
                    && let Some(waiting) = self.success.take()
                {
                    // The login is over if nobody takes it.
                    let _ = waiting.send(success);
                }
                return Ok(());
            }
            Stanza::Iq(Iq::Result { id, node }) => self.cx.link.answer(&id, Answer::Result(node)),
            Stanza::Iq(Iq::Error { id, error }) => self.cx.link.answer(&id, Answer::Error(error)),
            other => {
                queue.push_back(other);
                return Ok(());
            }
        };
        if answered.is_err() {
            tracing::debug!("an answer that nobody waits for any more");
        }
        Ok(())
    }
}

/// How many frames of a connection could not be decoded. A few are skipped; a server that says
/// nothing else is left, and met again after a growing delay.
#[derive(Debug, Default)]
struct Poison {
    in_a_row: usize,
    /// When each of those within [`POISON_SPAN`] came.
    lately: VecDeque<Instant>,
}

impl Poison {
    /// One more; whether that is too many.
    fn came(&mut self, now: Instant) -> bool {
        self.in_a_row += 1;
        self.lately.retain(|at| now.saturating_duration_since(*at) < POISON_SPAN);
        self.lately.push_back(now);
        self.in_a_row > MAX_POISON_IN_A_ROW || self.lately.len() > MAX_POISON
    }

    /// A frame could be decoded.
    fn passed(&mut self) {
        self.in_a_row = 0;
    }
}

/// How many frames in a row may be unreadable.
const MAX_POISON_IN_A_ROW: usize = 16;
/// How many may be within [`POISON_SPAN`].
const MAX_POISON: usize = 200;
const POISON_SPAN: Duration = Duration::from_secs(60 * 60);

/// How many stanzas wait to be dealt with before the reading stops.
const QUEUE_LEN: usize = 2048;
/// The same, while a request awaits its answer.
const QUEUE_LEN_AWAITED: usize = 8 * QUEUE_LEN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_sixteen_unreadable_frames_in_a_row_are_too_many() {
        let (now, mut poison) = (Instant::now(), Poison::default());
        assert!(!(0..16).any(|_| poison.came(now)));
        assert!(poison.came(now));
        poison.passed();
        assert!(!poison.came(now));
    }

    #[test]
    fn more_than_two_hundred_unreadable_frames_an_hour_are_too_many() {
        let (start, mut poison) = (Instant::now(), Poison::default());
        let mut too_many = |now: Instant, count: usize| {
            (0..count).any(|_| {
                poison.passed();
                poison.came(now)
            })
        };
        assert!(!too_many(start, 200));
        let later = start + Duration::from_secs(3_600);
        assert!(!too_many(later, 200));
        assert!(too_many(later, 1));
    }
}
