#!/usr/bin/env python3
"""A header as Doxygen reads it: where one docstring stands before several declarations, each gets it; what is private to the
library stays away."""
import re
import sys


# Members that mean what they mean everywhere, and need no words of brook's own.
STANDARD = re.compile(
    r"using (iterator_concept|iterator_category|value_type|difference_type|pointer|reference|iterator|const_iterator) ="
    r"|\b(begin|end|cbegin|cend)\(\) const|\boperator(\*|->|\+\+|--|==|!=|<=>|\+=|-=|\+|-|\[\])\("
    r"|\b(size|empty)\(\) const noexcept|\bclass iterator\b|\bswap\(|struct std::hash<|\boperator\(\)\(const brook::Id")
AS_EVERYWHERE = "/// As of the standard library's.\n"
WITH_OPTIONS = re.compile(r"explicit \w+\(const \w+Options& options\)")


def paragraphs(lines):
    """Runs of lines without a blank one between them."""
    run = []
    for line in lines:
        run.append(line)
        if not line.strip():
            yield run
            run = []
    yield run


def repeat(run):
    doc, indent, ended, out = [], None, False, []
    for line in run:
        text = line.strip()
        here = len(line) - len(line.lstrip())
        if text.startswith("///"):
            if ended or indent != here:
                doc = []
            doc.append(line)
            indent, ended = here, False
        elif doc and ended and here == indent and not re.match(r"[}\])#]|//|public:|private:|requires\b", text):
            out += doc
            ended = False
        out.append(line)
        if doc and here == indent and text and not text.startswith("///"):
            ended = ended or text.endswith((";", "}")) or bool(re.search(r"[;}]\s*//", text))
        elif doc and here > (indent or 0) and text.endswith(";") and not ended:
            ended = False
    return out


def standard(lines):
    """A docstring for what has none and is of the standard's vocabulary."""
    before = ""
    for line in lines:
        if WITH_OPTIONS.search(line) and not before.strip().startswith("///"):
            yield "/// As the options say.\n"
        elif STANDARD.search(line) and not before.strip().startswith(("///", "template", "requires")) and "return" not in line.split("{")[0]:
            yield AS_EVERYWHERE
        before = line
        yield line


def keep_private(lines):
    """Without what a class says is for the library."""
    hidden = False
    for line in lines:
        text = line.strip()
        if hidden and (text.startswith(("// —", "private:", "protected:")) or line.startswith("}")):
            yield "///\\endcond\n"
            hidden = False
        if text.startswith("// — for the library"):
            yield "///\\cond\n"
            hidden = True
        yield line


SPECIALISATION = re.compile(r"^(requires.*)?(struct|class) (tl::|std::|brook::|Catch::)?\w+<")


def hide(lines):
    """Without the specialisations of templates, which say again for one type what the template says."""
    block = []
    for line in lines:
        if block or line.startswith(("template", "struct", "class")):
            block.append(line)
            if not line.startswith(("}", "template", "requires")) and not line.rstrip().endswith(";"):
                continue
            if line.startswith(("template", "requires")) and not line.rstrip().endswith(";"):
                continue
            if line.startswith(" "):
                continue
            hidden = any(SPECIALISATION.search(part) for part in block)
            if hidden:  # without the marks of keep_private()
                block = ["///\\cond\n", *(part for part in block if "cond\n" not in part), "///\\endcond\n"]
            yield from block
            block = []
        else:
            yield line
    yield from block


def plain(text):
    """Types as they are, not as core/late.hpp has them looked into later."""
    while (begin := text.find("core::Late<")) >= 0:
        inside = text.index(",", begin) + 2
        end, depth = inside, 1
        while depth > 0:
            depth += {"<": 1, ">": -1}.get(text[end], 0)
            end += 1
        text = text[:begin] + text[inside:end - 1] + text[end:]
    return text


source = plain(open(sys.argv[1], encoding="utf-8").read()).splitlines(keepends=True)
sys.stdout.write("".join(hide(keep_private(standard([line for run in paragraphs(source) for line in repeat(run)])))))
