"""The real world behind the ports: files, databases, calendars."""
