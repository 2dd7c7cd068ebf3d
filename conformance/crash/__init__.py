"""Servers that are killed, disks that forget, faults of all kinds: nothing that was acknowledged is lost."""
