"""How fast the HTML list of all findings opens and filters, against a plain table."""
