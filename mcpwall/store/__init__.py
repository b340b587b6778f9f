"""What lasts: the rules file that people edit too, and the audit."""
