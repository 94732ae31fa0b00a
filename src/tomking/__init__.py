"""tomking: a rule-based options-selling business for one person."""
