"""`python -m service` and the command `costplan`."""

from service.cli.main import run


def main() -> None:
    """Run the command line."""
    run()


if __name__ == "__main__":
    main()
