"""The entry point: `stepdown` and `python -m stepdown`. Lays the TLS floor before anything can import gRPC."""

from stepdown.transport.tls_floor import require_tls_1_3


def main() -> None:
    """Run the command line."""
    require_tls_1_3()
    from stepdown.cli.commands import stepdown  # noqa: PLC0415 - only now may gRPC be imported

    stepdown(prog_name="stepdown")


if __name__ == "__main__":
    main()
