"""What each protection buys: the whole program with every protection on, and with each switched off in turn.

``paths`` makes quarters that history might have had, crashes among them; ``rows`` says what is switched off
and how; ``account`` plays one account and keeps what the table needs; ``run`` plays all of it and can go on
after an interruption; ``figures`` and ``page`` make docs/evidence/006-study.md.  ``make study`` runs it.
"""
