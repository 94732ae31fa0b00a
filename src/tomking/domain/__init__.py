"""What the trade is made of: frozen values that know nothing of the world."""
