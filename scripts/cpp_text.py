"""C++ source text as the checks need it: split into code and comments, line by line."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL)


def code_only(text):
    """`text` without comments and with empty string and character literals; every line keeps its number."""
    def blank(match):
        token = match.group()
        lines = "\n" * token.count("\n")
        return lines if token.startswith("/") else token[0] + lines + token[-1]

    lines = text.split("\n")
    includes = {i: line for i, line in enumerate(lines) if re.match(r"\s*#\s*include\b", line)}
    code = _TOKEN.sub(blank, text).split("\n")
    for i, line in includes.items():
        code[i] = re.sub(r"\s*//.*", "", line)
    return "\n".join(code)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def headers(root=ROOT):
    return sorted((root / "include" / "brook").rglob("*.hpp"))


def report(problems):
    """Prints `problems` (path, line, message) and returns the exit status."""
    for path, line, message in problems:
        path = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"{path}:{line}: {message}")
    return 1 if problems else 0
