from glyphlite.compiler.codegen.helpers import written_once


def test_functions_that_layers_share_are_written_once():
    shared = "//@ once net_sums\nint net_sums(void);\n//@ end\n"
    other = "//@ once net_others\nint net_others(void);\n//@ end\n"
    text = f"{shared}int a;\n{other}{shared}int b;\n"
    assert written_once(text) == "int net_sums(void);\nint a;\nint net_others(void);\nint b;\n"
