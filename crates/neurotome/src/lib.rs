//! Neurotome.
