"""`python -m zenn.landscape <verb> --params x.json --input table=folder --out folder`."""

import sys

from zenn.room import main

if __name__ == "__main__":
    sys.exit(main("zenn.landscape", sys.argv[1:]))
