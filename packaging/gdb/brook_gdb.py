"""What brook's objects hold, in gdb:  (gdb) source packaging/gdb/brook_gdb.py

  (gdb) print orders
  $1 = brook::Stream of 3 entries = {[1700000000000-0] = "tea", [1700000000000-1] = "milk", [1700000000003-0] = "sugar"}

Streams, lists, channels, subscriptions to channels, messages and deliveries. It reads memory as it is: of a program that was
stopped in the middle of an append it shows what is published.
"""
import re

import gdb
import gdb.printing

READY, VOID, ERASED, FOLLOWER = 1, 2, 4, 8  # log/slot.hpp
LOW, SEQ, MS = 16, 18, 29                   # log/word.hpp
CLAIMED, FULL = 0xffff, 4096                # blocking_list/claims.hpp
FOLLOWS, PUBLISHED = 5, (1, 3, 4, 6)        # blocking_list/slot.hpp
MOST = 200                                  # of the elements of one object are shown


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
    """What an atomic integer, enumeration or bool holds."""
    kinds = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_BOOL)
    return int(next(found for kind in kinds if (found := leaf(value, kind)) is not None))


def at(place, kind):
    """What lies in the bytes of a slot."""
    return place.address.cast(kind.pointer()).dereference()


def value_of(payload, element):
    """The value that a payload stands for (log/payload.hpp)."""
    kind = str(payload.type.strip_typedefs())
    if kind == str(element):
        return payload
    if kind == "brook::log::Flag":
        return payload["value"]
    return pointer(payload).dereference() if re.match(r"std::(\w+::)?unique_ptr<", kind) else payload


def id_of(segment, word):
    base = segment["life_"]["base"]
    ms = (word >> (LOW + SEQ)) & ((1 << MS) - 1)
    seq = (word >> LOW) & ((1 << SEQ) - 1)
    return int(base["ms"]) + ms, seq + (int(base["seq"]) if ms == 0 else 0)


def entries(log, boundary=0):
    """(how many were added before, id, payload) of each entry of an AppendLog at or behind a position."""
    segment = pointer(log["head_"])
    while int(segment) != 0:
        life = segment["life_"]
        slots = pointer(segment["slots_"])
        before = int(life["added_before"])
        words = []
        for i in range(int(life["capacity"])):
            slot = slots[i]
            word = number(slot["word_"])
            words.append(word)
            if word == 0:
                return
            ready = word & READY
            if word & FOLLOWER and not ready:
                distance = (word & ((1 << LOW) - 1)) >> 4
                ready = words[i - distance] & READY
            if not ready:
                continue
            if not word & ERASED and int(life["first"]) + i >= boundary:
                yield before, id_of(segment, word), at(slot["payload_"], slot.type.template_argument(0))
            before += 1
        following = pointer(segment["next"])
        if int(following) == int(segment):  # sealed
            return
        segment = following


def queued(queue):
    """The payload of each element of a list's queue, in the order in which they are popped."""
    head, last = pointer(queue["head_"]), pointer(queue["tail_"])
    segment = head
    while int(segment) != 0:
        slots, phase = pointer(segment["slots"]["slots_"]), number(segment["phase"])
        shift = int(segment["capacity"]) - FULL
        first = int(segment["first"])
        if segment == head and not queue["pops_frozen_"]:
            first = min(number(segment["pops"]) & CLAIMED, FULL)
        end = FULL
        if segment == last:
            end = int(queue["end_"]) if queue["pushes_frozen_"] else min(number(segment["pushes"]) & CLAIMED, FULL)

        def state_of(i):
            bits = number(slots[i]["bits_"])
            return bits >> 1 if bits & 1 == phase else 0

        for i in range(first + shift, end + shift):
            told = i
            while state_of(told) == FOLLOWS:  # what it is says the first of them
                told -= 1
            if state_of(told) in PUBLISHED:  # it may have been taken since
                yield at(slots[i]["payload_"], slots[i].type.template_argument(0))
        if segment == last:
            return
        segment = segment["next"]


def gathered(front):
    """What a std::deque has, as the standard library's own printer says; None where there is no such printer."""
    there = front["there_"]  # a std::optional: what it has lies at its beginning
    if not leaf(there, gdb.TYPE_CODE_BOOL):
        return []
    printer = gdb.default_visualizer(at(there, there.type.strip_typedefs().template_argument(0)))
    return None if printer is None else [element for _, element in printer.children()]


class IdPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f'{int(self.value["ms"])}-{int(self.value["seq"])}'


class StreamPrinter:
    """The newest entries, oldest first, as a map of ids to values."""

    def __init__(self, value):
        state = pointer(value["state_"]).dereference()
        self.element = value.type.strip_typedefs().template_argument(0)
        timeline = state["timeline"]
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
        for i, (_, where, payload) in enumerate(self.found[-MOST:]):
            yield f"id{i}", f"{where[0]}-{where[1]}"
            yield f"value{i}", value_of(payload, self.element)


class Values:
    """Some values in their order, under a title."""

    def __init__(self, value, title):
        self.element = value.type.strip_typedefs().template_argument(0)
        self.title = title
        self.found = []

    def to_string(self):
        return self.title.format(len(self.found))

    def display_hint(self):
        return "array"

    def children(self):
        for i, payload in enumerate(self.found[:MOST]):
            yield f"[{i}]", value_of(payload, self.element)


class ListPrinter(Values):
    """The elements, from the left."""

    def __init__(self, value):
        super().__init__(value, "brook::BlockingList of {} elements")
        elements = pointer(value["state_"])["elements"]
        first = gathered(elements["front_"])
        if first is None:
            self.title = "brook::BlockingList of {} elements behind a std::deque that no printer is loaded for"
        self.found = (first or []) + list(queued(elements["queue_"]))
        if elements["direction_"]:  # they are popped at the right
            self.found.reverse()


class ChannelPrinter(Values):
    """The messages that are in memory, oldest first: some may have been received by all, and be freed with their neighbours."""

    def __init__(self, value):
        super().__init__(value, "brook::Channel that has {} messages in memory")
        self.found = [payload for _, _, payload in entries(pointer(value["state_"])["log"])]


class SubscriptionPrinter(Values):
    """The messages that it will receive, but for those that a completion has given back."""

    def __init__(self, value):
        super().__init__(value, "brook::Subscription to which {} messages wait")
        either = (pointer(value["membership_"]), pointer(value["watched_"]))
        membership = next((one for one in either if int(one) != 0), None)
        if membership is None or number(membership["left_"]) or number(pointer(membership["reader_"])["ended_"]):
            self.title = "brook::Subscription that has ended"
            return
        reader = pointer(membership["reader_"])
        passed, until, backlog = number(reader["passed_"]), number(reader["until_"]), int(reader["backlog_"])
        log = pointer(membership["state_"])["log"]
        self.found = [payload for before, _, payload in entries(log) if passed <= before < until]
        if len(self.found) <= backlog:
            return
        overflow = str(reader["overflow_"]).rpartition("::")[2]
        if overflow == "disconnect":
            self.title = "brook::Subscription that is too slow"
            self.found = []
        elif overflow == "drop_oldest":
            self.found = self.found[-backlog:]


class MessagePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "brook::Message"

    def children(self):
        yield "value", self.value["value_"].dereference()
        yield "lost", self.value["lost_"]
        for name in ("channel", "pattern"):
            text = pointer(self.value[f"{name}_"])
            if int(text) != 0:
                yield name, text.dereference()


class DeliveryPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "brook::Delivery"

    def children(self):
        share = self.value["share_"]
        segment = pointer(share["page_"]["segment_"])
        slot = pointer(segment["slots_"])[int(share["first_"]) + int(self.value["within_"])]
        ms, seq = id_of(segment, number(slot["word_"]))
        element = self.value.type.strip_typedefs().template_argument(0)
        yield "id", f"{ms}-{seq}"
        yield "value", value_of(at(slot["payload_"], slot.type.template_argument(0)), element)
        yield "count", self.value["count_"]


def printers():
    found = gdb.printing.RegexpCollectionPrettyPrinter("brook")
    found.add_printer("Id", r"^brook::Id$", IdPrinter)
    found.add_printer("Stream", r"^brook::Stream<.*>$", StreamPrinter)
    found.add_printer("BlockingList", r"^brook::BlockingList<.*>$", ListPrinter)
    found.add_printer("Channel", r"^brook::Channel<.*>$", ChannelPrinter)
    found.add_printer("Subscription", r"^brook::Subscription<.*>$", SubscriptionPrinter)
    found.add_printer("Message", r"^brook::Message<.*>$", MessagePrinter)
    found.add_printer("Delivery", r"^brook::Delivery<.*>$", DeliveryPrinter)
    return found


gdb.printing.register_pretty_printer(gdb.current_objfile(), printers(), replace=True)
