"""Bytes: the ends of pipes and sockets, and the sessions that run over them."""
