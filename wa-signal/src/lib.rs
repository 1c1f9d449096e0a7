//! The Signal protocol as WhatsApp speaks it: X3DH, double ratchet, sender keys; values in, values out
