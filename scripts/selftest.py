#!/usr/bin/env python3
"""Tests of the checks: each must find what it is for, and nothing in code that is as it should be."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import claims
import layers
import limits
import module
import orders
from cpp_text import ROOT, code_only


class CodeOnly(unittest.TestCase):
    def test_comments_and_literals_go_and_lines_stay(self):
        self.assertEqual(code_only('a; // x\n"b // {"; /* c\n d */ e;'), 'a; \n""; \n e;')

    def test_a_digit_separator_opens_no_literal(self):
        self.assertEqual(code_only("f(1'000, '{', 2'000);"), "f(1'000, '', 2'000);")

    def test_includes_keep_their_names(self):
        self.assertEqual(code_only('#include "x.hpp"  // why'), '#include "x.hpp"')


class Claims(unittest.TestCase):
    table = "| what | shown by |\n|---|---|\n| `a|b` | `A test`, `a/file.cpp` |\n\n| other |\n|---|\n| `Nothing` |\n"

    def test_what_is_claimed(self):
        self.assertEqual(list(claims.claims(self.table)), [(3, "A test"), (3, "a/file.cpp")])

    def test_what_is_not_there(self):
        self.assertEqual(list(claims.problems_in(self.table, {"A test"}, lambda name: True)), [])
        self.assertEqual(list(claims.problems_in(self.table, {"Another"}, lambda name: False)),
                         [(3, "no such test: A test"), (3, "no such file: a/file.cpp")])


class Dev(unittest.TestCase):
    """A copy of ./dev, with a cmake and a clang that fail: a verb whose arguments are right comes to them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "build").mkdir()
        shutil.copy(ROOT / "dev", self.folder)
        for tool in ("cmake", "clang++-19"):
            (self.folder / tool).write_text("#!/bin/sh\nexit 9\n")
            (self.folder / tool).chmod(0o755)

    def dev(self, *arguments):
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run([self.folder / "dev", *arguments], cwd=self.folder, capture_output=True, text=True,
                             env={**os.environ, "PATH": path, "BROOK_NO_INSTALL": "1"})
        return ran.returncode, ran.stderr

    def test_what_verbs_take(self):
        for line in ["test", "demo dev", "repeat", "repeat 20", "histories 3", "soak 5", "fuzz", "fuzz 10", "fuzz --runs 3", "model",
                     "model --list --only a:b --jobs 2 --effort 0.2", "bench", "bench report --quick"]:
            code, errors = self.dev(*line.split())
            self.assertIn(code, (1, 9), line)
            self.assertNotIn("unbound variable", errors, line)
        for program, verb in [("bench/main.cpp", "bench"), ("tests/model/mutate_orders.py", "model")]:
            for option, value in re.findall(r"^ *\"?  (--\w[\w-]*)( [A-Z]+)? ", (ROOT / program).read_text(), re.MULTILINE):
                self.assertEqual(self.dev(verb, option, *["2"] * bool(value))[0], 9, f"{verb} {option}{value}")

    def test_what_they_do_not(self):
        for line, wrong, usage in [("amalgamate --tset", "--tset", " [--test]"), ("check --quik", "--quik", " [--quick]"),
                                   ("clean x", "x", ""), ("docs x", "x", ""), ("demo dev dev", "dev", " [PATH|-]"),
                                   ("repeat 5 x", "x", " [TIMES]"), ("soak 0", "0", " [MINUTES]"), ("tsan --x", "--x", ""),
                                   ("fuzz --runs x", "--runs x", " [SECONDS | --runs N]")]:
            verb = line.split()[0]
            self.assertEqual(self.dev(*line.split()), (2, f"dev: {verb} does not take '{wrong}'; usage: ./dev {verb}{usage}\n"))
        for line in ["model --nope", "bench --nope", "bench compile x", "bench --quick report"]:
            self.assertEqual(self.dev(*line.split())[0], 2, line)
        self.assertEqual(self.dev("repeat", "")[0], 2)
        self.assertTrue((self.folder / "build").exists())

    def test_a_day_that_cannot_be_read(self):
        self.assertEqual(self.dev("demo", "no/day.csv"), (2, "dev: demo: cannot read 'no/day.csv'\n"))
        self.assertEqual(self.dev("demo", "build"), (2, "dev: demo: cannot read 'build'\n"))


class Layers(unittest.TestCase):
    def rejects(self, name, code):
        self.assertTrue(layers.check_header(name, code), f"{name}: {code}")

    def accepts(self, name, code):
        self.assertEqual(layers.check_header(name, code), [], f"{name}: {code}")

    def test_downward_and_within_a_room(self):
        self.accepts("log/append_log.hpp", "#include <brook/log/slot.hpp>\n#include <brook/id.hpp>\n#include <vector>")
        self.accepts("stream.hpp", "#include <brook/group.hpp>\n#include <brook/wait.hpp>\n#include <brook/log/slot.hpp>")
        self.accepts("id.hpp", "#include <brook/error.hpp>")
        self.accepts("brook.hpp", "#include <brook/broker.hpp>")

    def test_upward_and_sideways(self):
        for name, target in [("log/slot.hpp", "stream"), ("log/slot.hpp", "wait/gate"), ("log/slot.hpp", "wait"),
                             ("wait/gate.hpp", "log/slot"), ("wait.hpp", "entries"), ("stream.hpp", "channel"),
                             ("blocking_list.hpp", "stream"), ("core/sync.hpp", "id"), ("core/config.hpp", "core/sync"),
                             ("broker.hpp", "snapshot"), ("brook.hpp", "snapshot"), ("stream.hpp", "brook")]:
            self.rejects(name, f"#include <brook/{target}.hpp>")

    def test_unknown_headers_quotes_doorway_and_friends(self):
        self.rejects("misc.hpp", "")
        self.rejects("stream.hpp", "#include <brook/misc.hpp>")
        self.rejects("stream.hpp", '#include "group.hpp"')
        self.rejects("stream.hpp", "#include <mutex>")
        self.rejects("stream.hpp", "std::atomic<int> n;")
        self.rejects("stream.hpp", "friend class snapshot::Writer;")
        self.accepts("core/sync.hpp", "#include <mutex>\nusing std::mutex;")

    def test_config_comes_first(self):
        code = {"core/config.hpp": "", "id.hpp": "#include <string>", "fwd.hpp": "", "stream.hpp": "#include <brook/id.hpp>"}
        self.assertEqual(layers.without_config(code), ["id.hpp", "fwd.hpp"])

    def test_umbrella(self):
        names = ["id.hpp", "stream.hpp", "testing.hpp", "fwd.hpp", "brook.hpp", "snapshot.hpp", "log/slot.hpp"]
        self.assertEqual(layers.missing_in_umbrella(names, "#include <brook/id.hpp>"), ["stream.hpp"])


class Limits(unittest.TestCase):
    def test_names_of_tests(self):
        self.assertEqual([line for line, _ in limits.semicolons('\nTEST_CASE("a; b") {}\nTEST_CASE("a") { f("b;"); }\n')], [2])

    def spans(self, code):
        return limits.functions(code_only(code))

    def test_functions_are_found_with_their_heads(self):
        self.assertEqual(self.spans("int f(int a,\n      int b) {\n  return 1;\n}\n"), [(1, 4)])
        self.assertEqual(self.spans("template <class T>\nvoid f() {\n  if (x) {\n  }\n}\n"), [(1, 5)])
        self.assertEqual(self.spans("bool operator()() const {\n}\nauto operator<=>(X) {\n}\n"), [(1, 2), (3, 4)])

    def test_types_and_namespaces_are_none(self):
        code = "namespace a {\nclass alignas(64) B final : C<int> {\n public:\n  int f() {\n  }\n  int x_ = 0;\n};\n}\n"
        self.assertEqual(self.spans(code), [(4, 5)])
        self.assertEqual(self.spans("enum class E {\n a,\n};\nint x = {\n 1};\nint y{\n};\n"), [])

    def test_members_initialised_with_braces_belong_to_the_head(self):
        self.assertEqual(self.spans("A() : a_{1},\n      b_{2} {\n  g();\n}\nvoid f() {\n}\n"), [(1, 4), (5, 6)])
        self.assertEqual(self.spans("int a_{f(1)};\nvoid g(X x = {}) {\n}\n"), [(2, 3)])

    def test_lambdas_count_with_their_function(self):
        self.assertEqual(self.spans("void f() {\n  g([] {\n  });\n}\n"), [(1, 4)])

    def test_preprocessor_lines_are_no_heads(self):
        self.assertEqual(self.spans("#if defined(X)\n#endif\nstruct A {\n};\n"), [])

    def test_long_functions(self):
        body = "  g();\n"
        self.assertEqual(limits.long_functions("void f() {\n" + body * 38 + "}\n"), [])
        self.assertEqual(len(limits.long_functions("void f() {\n" + body * 39 + "}\n")), 1)


class Module(unittest.TestCase):
    def test_names_of_a_namespace(self):
        code = """namespace brook { namespace inner { struct A {}; void f(); }
            class Later;  enum class Kind : char { one };  template <class T> requires(sizeof(T) > 1) && Some<T> class B { void m(); };
            template <class T> struct B<int> {};  template <class T> concept C = requires(T t) { t.x(); };  using tl::unexpected;
            template <class T> using D = std::vector<T>;  inline constexpr Later later{};  template <class... T> inline constexpr D<T...> d{};
            [[nodiscard]] constexpr std::size_t g(std::pair<int, int> p) noexcept { return h(p); }  void Later::member() {}
            template <class T> requires C<T> expected<void, E> k(const T& t, F f = {}) { return l(f); }
            std::ostream& operator<<(std::ostream& out, D<int> d);  struct inner::A; }
            namespace brook::log { struct E {}; }  template <> struct std::hash<brook::B> { int o() const; };"""
        self.assertEqual(module.names(code), ["Kind", "B", "C", "unexpected", "D", "later", "d", "g", "k", "operator<<"])

    def test_what_is_missing_or_too_much(self):
        text = "export namespace brook {\nusing brook::A;\nusing brook::B;\nusing brook::B;\n}\n"
        self.assertEqual(list(module.differences(module.exported(text), {"B": "b.hpp", "C": "c.hpp"})),
                         ["does not export brook::C of <c.hpp>", "exports brook::A, which no header has", "exports brook::B twice"])


class Orders(unittest.TestCase):
    TABLE = ("// Memory orders (A is the caller's: it publishes)\n"
             "//   row  thread  operation  order    meets  because\n"
             "//   A    writer  publish    seq_cst  B      it must\n"
             "//   B    reader  look       seq_cst  A      the same\n"
             "//   AB   reader  count      relaxed  -      a release elsewhere; nothing\n"
             "//                                           to learn\n")
    GOOD = TABLE + "a.load(sync::seq_cst);  // B\na.fetch_add(\n    1,  // why\n    sync::relaxed);  // AB\n"

    def messages(self, *texts):
        return [message for _, _, message in orders.check(dict(enumerate(texts)))]

    def test_a_table_that_fits(self):
        self.assertEqual(self.messages(self.GOOD), [])
        self.assertEqual(self.messages(self.TABLE + "a.cas(x, sync::seq_cst,  // B\n  sync::relaxed);  // AB\n"), [])
        self.assertEqual(self.messages(self.TABLE + "a.cas(x, sync::seq_cst, sync::relaxed);  // B AB\n"), [])
        self.assertEqual(self.messages(self.TABLE + "a.cas(x, sync::seq_cst, sync::relaxed);  // B, AB\n"), [])

    def test_what_does_not_fit(self):
        for addition, expected in [("a.load(sync::acquire);\n", "without the letters"),
                                   ("a.load(sync::acquire);  // Because\n", "without the letters"),
                                   ("a.load(sync::relaxed);  // C\n", "row C is in no table"),
                                   ("a.load(sync::relaxed);  // B\n", "row B says seq_cst"),
                                   ("a.load();  // B\n", "names no memory order")]:
            messages = self.messages(self.GOOD + addition)
            self.assertEqual(len(messages), 1, addition)
            self.assertIn(expected, messages[0])

    def test_a_row_without_a_site(self):
        self.assertEqual(self.messages(self.TABLE + "a.load(sync::seq_cst);  // B\n"), ["no statement carries row AB"])

    def test_a_row_in_a_neighbours_table(self):
        site = "a.load(sync::relaxed);  // AB\n"
        self.assertEqual(self.messages(self.TABLE + "a.load(sync::seq_cst);  // B\n", site), [])
        self.assertEqual(self.messages(site), ["row AB is in no table"])

    def test_without_a_table_seq_cst_only(self):
        self.assertEqual(self.messages("a.load(sync::seq_cst);\nguard.release();\nfile.load(path, order);\n"), [])
        self.assertEqual(len(self.messages("a.load(sync::acquire);\n")), 1)


if __name__ == "__main__":
    unittest.main(verbosity=0)
