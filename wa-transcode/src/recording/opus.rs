//! Opus in Ogg (RFC 7845), decoded at the rate that voice notes have.

use std::io::{BufReader, Read, Seek};

use opus_pure::{Error, MAX_PACKET_SAMPLES, OggOpusReader, OggPacket, OpusDecoder, Trim};

use super::Packet;
use crate::{AudioError, input::Input, voice_note::SAMPLE_RATE};

/// Samples a second; Opus decodes to any of its rates, whatever it was made at.
pub(super) const RATE: u32 = SAMPLE_RATE;

/// Opus that is being decoded.
pub(super) struct OpusRecording<'a, R: Read> {
    reader: OggOpusReader<BufReader<&'a mut Input<R>>>,
    decoder: OpusDecoder,
    trim: Trim,
    packet: OggPacket,
    channels: usize,
    block: Vec<f32>,
}

/// Whether a file whose first bytes these are is Opus in Ogg: the header is alone on the first
/// page, whose own head is 28 bytes long.
pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(b"OggS") && head.get(28..36) == Some(b"OpusHead")
}

impl<'a, R: Read + Seek> OpusRecording<'a, R> {
    pub(super) fn open(input: &'a mut Input<R>) -> Result<Self, AudioError> {
        let reader = OggOpusReader::new(BufReader::new(input)).map_err(broken)?;
        let head = reader.head();
        if head.mapping_family != 0 {
            return Err(AudioError::Channels { count: usize::from(head.channel_count) });
        }
        let channels = usize::from(head.channel_count);
        let rate = RATE.cast_signed();
        let decoder = head.decoder(rate).map_err(broken)?;
        let trim = Trim::new(head, rate, channels).map_err(broken)?;
        let block = vec![0.0; MAX_PACKET_SAMPLES * channels];
        Ok(Self { reader, decoder, trim, packet: OggPacket::default(), channels, block })
    }

    pub(super) const fn channels(&self) -> usize {
        self.channels
    }

    pub(super) fn read(&mut self, samples: &mut Vec<f32>) -> Result<Packet, AudioError> {
        if !self.reader.read_packet_into(&mut self.packet).map_err(broken)? {
            return Ok(Packet::End);
        }
        let decoded = self.decoder.decode(&self.packet.data, MAX_PACKET_SAMPLES, &mut self.block);
        let Ok(count) = decoded else { return Ok(Packet::Broken) };
        let Some(block) = self.block.get(..count * self.channels) else {
            return Ok(Packet::Broken);
        };
        super::other::mix(self.trim.keep(&self.packet, block), self.channels, samples);
        Ok(Packet::Decoded)
    }
}

fn broken(error: Error) -> AudioError {
    match error {
        Error::Io(error) if !super::other::is_end(&error) => AudioError::Read(error),
        Error::Io(_) => AudioError::Broken("it ends within a page"),
        Error::InvalidStream(what) | Error::InvalidPacket(what) => AudioError::Broken(what),
        _ => AudioError::Broken("it is no Opus that can be decoded"),
    }
}
