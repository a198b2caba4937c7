"""`python -m scanner` is `orphanscan`."""

from scanner.cli import main

if __name__ == "__main__":
    main()
