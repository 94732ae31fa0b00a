"""From an approval to an order, and how an order works its price."""
