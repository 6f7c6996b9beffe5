"""`python -m zenn.classification <verb> --params x.json --input table=folder --out folder`."""

import sys

from zenn.room import main

if __name__ == "__main__":
    sys.exit(main("zenn.classification", sys.argv[1:]))
