"""Ducket as its clients see it: real servers, sockets and clients. AWS's documented behaviour is the specification."""
