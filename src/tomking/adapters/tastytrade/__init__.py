"""tastytrade: its words (``symbols``, ``words``) and, around its SDK, the line to it."""
