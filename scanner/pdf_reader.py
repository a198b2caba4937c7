"""The child process that reads the files inside a PDF, which may come from anybody, in a bounded address space.

It writes one line of JSON: name -> content in base64, or a text that says why there is none.
"""

import resource
import sys

import msgspec

LARGEST = 1024 * 1024 * 1024
"""Bytes of all files together, unpacked."""


def main() -> None:
    """Read one file."""
    limit = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: object
    try:
        answer = _read(sys.argv[2])
    except MemoryError:
        answer = "it needs too much memory"
    except Exception as exc:
        # The library raises whatever a broken file leads it into.
        answer = f"it is no PDF that can be read ({type(exc).__name__})"
    sys.stdout.buffer.write(msgspec.json.encode(answer))


def _read(path: str) -> dict[str, bytes]:
    import pypdf

    # The findings of a large scan are larger than the library allows by itself; what bounds this process is its memory.
    with (
        pypdf.apply_configuration(
            maximum_declared_stream_length=LARGEST,
            zlib_maximum_output_length=LARGEST,
            stream_decoding_work_maximum_length=LARGEST,
        ),
        pypdf.PdfReader(path) as reader,
    ):
        return {name: contents[0] for name, contents in reader.attachments.items()}


if __name__ == "__main__":
    main()
