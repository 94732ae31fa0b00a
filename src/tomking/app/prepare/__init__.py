"""Orders that wait for a person: prepared, tried out at the broker, shown, approved, sent as shown."""
