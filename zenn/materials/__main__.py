"""`python -m zenn.materials <verb> --params x.json --input configurations=table.csv --out folder`."""

import sys

from zenn.room import main

if __name__ == "__main__":
    sys.exit(main("zenn.materials", sys.argv[1:]))
