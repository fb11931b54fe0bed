"""Requests to an OpenAI-compatible server through the gateway, and who answered them."""
