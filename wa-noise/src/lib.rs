//! WhatsApp's Noise transport: framing, the handshake from both sides, certificates, sealed frames
