"""What brook's objects hold, in gdb:  (gdb) source packaging/gdb/brook_gdb.py

  (gdb) print orders
  $1 = brook::Stream of 3 entries = {[1700000000000-0] = "tea", [1700000000000-1] = "milk", [1700000000003-0] = "sugar"}

It reads memory as it is: of a program that was stopped in the middle of an append it shows what is published.
"""
import gdb
import gdb.printing

READY, VOID, ERASED, FOLLOWER = 1, 2, 4, 8  # log/slot.hpp
LOW, SEQ, MS = 16, 18, 29                   # log/word.hpp


def leaf(value, wanted):
    """The first member, at any depth, whose type has this code: what an atomic or a smart pointer holds."""
    kind = value.type.strip_typedefs()
    if kind.code == wanted:
        return value
    if kind.code != gdb.TYPE_CODE_STRUCT:
        return None
    for field in kind.fields():
        if not hasattr(field, "bitpos"):
            continue
        found = leaf(value[field], wanted)
        if found is not None:
            return found
    return None


def pointer(value):
    return leaf(value, gdb.TYPE_CODE_PTR)


def number(value):
    return int(leaf(value, gdb.TYPE_CODE_INT))


def entries(log, boundary):
    """(id, payload) of each entry of an AppendLog at or behind a position."""
    segment = pointer(log["head_"])
    while int(segment) != 0:
        life = segment["life_"]
        slots = pointer(segment["slots_"])
        base = (int(life["base"]["ms"]), int(life["base"]["seq"]))
        words = []
        for at in range(int(life["capacity"])):
            slot = slots[at]
            word = number(slot["word_"])
            words.append(word)
            if word == 0:
                return
            ready = word & READY
            if word & FOLLOWER and not ready:
                distance = (word & ((1 << LOW) - 1)) >> 4
                ready = words[at - distance] & READY
            if not ready or word & ERASED or int(life["first"]) + at < boundary:
                continue
            ms = (word >> (LOW + SEQ)) & ((1 << MS) - 1)
            seq = (word >> LOW) & ((1 << SEQ) - 1)
            payload = slot["payload_"].address.cast(slot.type.template_argument(0).pointer())
            yield (base[0] + ms, seq + (base[1] if ms == 0 else 0)), payload.dereference()
        following = pointer(segment["next"])
        if int(following) == int(segment):  # sealed
            return
        segment = following


class IdPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f'{int(self.value["ms"])}-{int(self.value["seq"])}'


class StreamPrinter:
    """The newest 200 entries, oldest first, as a map of ids to values."""

    most = 200

    def __init__(self, value):
        self.state = pointer(value["state_"]).dereference()
        self.element = value.type.strip_typedefs().template_argument(0)
        timeline = self.state["timeline"]
        edits = timeline["edits_"]
        edit = number(edits["number_"])
        buffers = edits["buffers_"]
        buffer = buffers[buffers.type.fields()[0]][edit & 1]
        self.found = list(entries(timeline["log_"], number(buffer["boundary"])))

    def to_string(self):
        return f"brook::Stream of {len(self.found)} entries"

    def display_hint(self):
        return "map"

    def children(self):
        for at, (where, payload) in enumerate(self.found[-self.most:]):
            yield f"id{at}", f"{where[0]}-{where[1]}"
            yield f"value{at}", self.value_of(payload)

    def value_of(self, payload):
        kind = str(payload.type.strip_typedefs())
        boxed = kind.startswith("std::unique_ptr<") and kind != str(self.element)
        return pointer(payload).dereference() if boxed else payload


def printers():
    found = gdb.printing.RegexpCollectionPrettyPrinter("brook")
    found.add_printer("Id", r"^brook::Id$", IdPrinter)
    found.add_printer("Stream", r"^brook::Stream<.*>$", StreamPrinter)
    return found


gdb.printing.register_pretty_printer(gdb.current_objfile(), printers(), replace=True)
