//! Bytes in: frames, nodes, stanzas, and each to where it belongs.
//!
//! Answers go straight to whoever waits for them; everything else queues. Knows nothing of what
//! is done with a stanza.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use wa_noise::{FrameDecoder, Opener};
use wa_proto::{
    Stanza,
    node::read,
    stanza::{Iq, Success},
};

use super::keepalive;
use crate::{
    connection::{connector::WireReader, ending::Ending, link::Answer},
    stanza_handler::StanzaContext,
};

/// Bytes in: frames, nodes, and each to where it belongs.
pub(super) struct Incoming<'a> {
    pub(super) cx: &'a StanzaContext,
    pub(super) frames: FrameDecoder,
    pub(super) opener: Opener,
    pub(super) stanzas: mpsc::Sender<Stanza>,
    pub(super) success: Option<oneshot::Sender<Success>>,
}

impl Incoming<'_> {
    pub(super) async fn run(mut self, mut reader: Box<dyn WireReader>) -> Ending {
        let mut queue = VecDeque::new();
        let stanzas = self.stanzas.clone();
        loop {
            // A full queue stops the reading, so that the server notices and memory is bounded.
            // While an answer is awaited the reading goes on for a while: the queue may be full
            // because its handlers wait for that answer.
            let may_read = queue.len() < QUEUE_LEN
                || queue.len() < QUEUE_LEN_AWAITED && self.cx.link.is_awaited();
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
            let plain = self.opener.open(&frame).map_err(|_| Ending::Protocol)?;
            let node = read(&plain).map_err(|error| {
                tracing::warn!(%error, "a frame holds no node");
                Ending::Protocol
            })?;
            self.route(Stanza::parse(node), queue)?;
        }
        Ok(())
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

/// How many stanzas wait to be dealt with before the reading stops.
const QUEUE_LEN: usize = 2048;
/// The same, while a request awaits its answer.
const QUEUE_LEN_AWAITED: usize = 8 * QUEUE_LEN;
