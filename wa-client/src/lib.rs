//! A WhatsApp Web multi-device client: pairing, receiving, sending, and an archive that loses nothing
