//! WhatsApp's wire formats: protobufs, binary nodes, typed stanzas, JIDs and message content
