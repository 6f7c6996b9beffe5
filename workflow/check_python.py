"""Say what is needed before anything is installed. Runs under any Python, so no modern syntax here."""

import sys

NEEDED = (3, 11)


def main():
    if sys.version_info[:2] < NEEDED:
        found = "%d.%d.%d at %s" % (
            sys.version_info[0],
            sys.version_info[1],
            sys.version_info[2],
            sys.executable,
        )
        return "found Python %s, expected Python %d.%d or newer" % (found, NEEDED[0], NEEDED[1])
    try:
        import ensurepip  # noqa: F401 - Debian ships Python without it
        import venv  # noqa: F401
    except ImportError as error:
        return "found no module %s in %s, expected it (on Debian: apt install python3-venv)" % (
            error.name,
            sys.executable,
        )
    return None


if __name__ == "__main__":
    problem = main()
    if problem:
        sys.exit("error: %s. Name another one: make run PYTHON=python3.12" % problem)
