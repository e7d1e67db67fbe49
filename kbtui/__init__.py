"""A keyboard-driven terminal application for the knowledge bases of ElevenLabs voice agents."""
