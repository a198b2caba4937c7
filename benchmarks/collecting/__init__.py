"""How fast a list of users is read, proven and loaded: orphanscan, the limit of the machine, and two libraries."""
