"""brook.natvis as gdb has it: each expression in it is evaluated, in a program that was built with libstdc++.

  (gdb) source tests/debugger/natvis.py
  (gdb) natvis FILE EXPRESSION      the items that FILE shows of the expression's value, by a small part of the language: what it uses

The members of Microsoft's library, which hold a pointer or a number, or what an optional has, are those of libstdc++ that do
the same. An element, an attribute or a member that is not known is an error.
"""
import fnmatch
import re
import xml.etree.ElementTree as xml

import gdb

SPACE = "{http://schemas.microsoft.com/vstudio/debugger/natvis/2010}"
ATTRIBUTES = {"Type": {"Name"}, "DisplayString": {"Condition"}, "Expand": set(), "Item": {"Name", "Condition"}, "ExpandedItem": set(),
              "CustomListItems": {"MaxItemsPerView", "Condition"}, "Variable": {"Name", "InitialValue"}, "Loop": {"Condition"},
              "If": {"Condition"}, "Exec": set(), "Break": {"Condition"}}
INSIDE = {"AutoVisualizer": {"Type"}, "Type": {"DisplayString", "Expand"}, "Expand": {"Item", "ExpandedItem", "CustomListItems"},
          "CustomListItems": {"Variable", "Loop", "If", "Exec", "Break", "Item"}, "Loop": {"Loop", "If", "Exec", "Break", "Item"},
          "If": {"Loop", "If", "Exec", "Break", "Item"}}
GROUP = r"(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))"
STEP = rf"\$?\w+{GROUP}?(?:\[[^\]]*\])?"
HELD = re.compile(rf"((?:(?:{STEP}|{GROUP})(?:\.|->))*(?:{STEP}|{GROUP}))\.(?:_Ptr|_Mypair\._Myval2|_Storage\._Value)\b")

OPTIONAL = {"_Has_value": "_M_payload._M_engaged", "_Value": "_M_payload._M_payload._M_value"}


def name_of(element):
    return element.tag.removeprefix(SPACE)


def check_shape(element):
    for child in element:
        if name_of(child) not in INSIDE.get(name_of(element), set()):
            raise gdb.GdbError(f"<{name_of(child)}> in <{name_of(element)}>")
        if set(child.attrib) - ATTRIBUTES[name_of(child)]:
            raise gdb.GdbError(f"<{name_of(child)}> with {sorted(child.attrib)}")
        check_shape(child)


def held(value):
    """The first pointer, number or enumerator at any depth: what an atomic or a smart pointer holds."""
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM):
        return value
    if kind.code != gdb.TYPE_CODE_STRUCT:
        return None
    fields = (field for field in kind.fields() if hasattr(field, "bitpos"))
    return next((found for field in fields if (found := held(value[field])) is not None), None)


class Held(gdb.Function):
    def __init__(self):
        super().__init__("held")

    def invoke(self, value):
        return held(value)


def members(kind):
    for field in kind.strip_typedefs().fields():
        if field.is_base_class or (not field.name and field.type.code in (gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_STRUCT)):
            yield from members(field.type)
        elif field.name:
            yield field.name


class Shown:
    """One object, by the Type that says how it is shown."""

    def __init__(self, types, value):
        self.types, self.value = types, value
        self.kind = value.type.strip_typedefs()
        name = re.sub(r",\s+", ",", str(self.kind.unqualified()))
        self.type = next((one for one in types if fnmatch.fnmatchcase(name, one.get("Name"))), None)
        self.members = set(members(self.kind)) if self.type is not None else set()
        self.variables = {}

    def evaluate(self, text):
        text = re.sub(r"\$T(\d)", lambda found: str(self.kind.template_argument(int(found.group(1)) - 1)), text)
        text = text.replace("._Elems[", "._M_elems[")
        text = re.sub(r"(?<![\w.>$:])([A-Za-z_]\w*)", self.place, text)
        while HELD.search(text):
            text = HELD.sub(r"$held(\1)", text, count=1)
        text = re.sub(r"(?<=\.)(?:_Has_value|_Value)\b", lambda found: OPTIONAL[found.group()], text)
        gdb.set_convenience_variable("natvis_self", self.value.address)
        for name, value in self.variables.items():
            gdb.set_convenience_variable(f"natvis_{name}", value)
        found = gdb.parse_and_eval(text)
        self.variables = {name: gdb.convenience_variable(f"natvis_{name}") for name in self.variables}
        return found

    def place(self, found):
        name = found.group(1)
        if name in self.variables:
            return f"$natvis_{name}"
        return f"(*$natvis_self).{name}" if name in self.members else name

    def holds(self, element):
        return "Condition" not in element.attrib or bool(self.evaluate(element.get("Condition")))

    def text(self, pieces):
        return re.sub(r"\{([^}]*)\}", lambda found: str(Shown(self.types, self.evaluate(found.group(1)))), pieces)

    def __str__(self):
        if self.type is None:
            return self.value.format_string()
        return next(self.text(one.text) for one in self.type.findall(SPACE + "DisplayString") if self.holds(one))

    def items(self):
        for expand in self.type.findall(SPACE + "Expand"):
            yield from self.run(expand)

    def run(self, block):
        """What is shown; returns True when a Break ends the loop around it."""
        for element in block:
            kind, text = name_of(element), (element.text or "").strip()
            if kind == "Variable":
                self.variables[element.get("Name")] = self.evaluate(element.get("InitialValue"))
            elif kind == "Exec":
                self.evaluate(text)
            elif kind == "ExpandedItem":
                yield str(Shown(self.types, self.evaluate(text)))
            elif kind == "Loop":
                while self.holds(element) and not (yield from self.run(element)):
                    pass
            elif not self.holds(element):
                continue
            elif kind == "Item":
                yield f"{self.text(element.get('Name'))} = {Shown(self.types, self.evaluate(text))}"
            elif kind == "Break":
                return True
            elif (yield from self.run(element)):  # If, CustomListItems
                return True
        return False


class Natvis(gdb.Command):
    def __init__(self):
        super().__init__("natvis", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        file, _, expression = argument.partition(" ")
        root = xml.parse(file).getroot()
        if root.tag != SPACE + "AutoVisualizer":
            raise gdb.GdbError(f"not a natvis file: <{root.tag}>")
        check_shape(root)
        shown = Shown(list(root), gdb.parse_and_eval(expression))
        if shown.type is None:
            raise gdb.GdbError(f"{file} has no Type for {shown.kind}")
        items = ", ".join(shown.items())
        print(f"natvis {expression}: {shown} {{{items}}}")


Held()
Natvis()
