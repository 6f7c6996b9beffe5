"""`python -m zenn`: the command line, from the checkout one stands in."""

from zenn.cli import main

if __name__ == "__main__":
    main()
