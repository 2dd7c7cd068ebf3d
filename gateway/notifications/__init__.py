"""Event notifications: what the journal says of objects, told to webhooks; at least once, and in order for each key."""
