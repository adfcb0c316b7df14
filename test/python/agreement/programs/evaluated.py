"""Code that comes as text: its functions and lines are those of the text, under the name it was compiled with."""

SOURCE = """
held = []
def fill(size):
    for step in range(10):
        held.append(bytearray(size + step))
    return [bytes(size)
            for _ in range(5)]
result = fill(1_500)
"""


def main() -> None:
    namespace: dict[str, object] = {}
    exec(SOURCE, namespace)
    code = compile(SOURCE, "made-up-name.py", "exec")
    exec(code, namespace)
    made = eval("[bytearray(2_000 + step) for step in range(12)]")
    nested = eval("(lambda size: bytes(size))(4_321)")
    exec("exec('inner = bytearray(3_333)')", namespace)
    assert len(made) == 12 and len(nested) == 4_321 and len(namespace["inner"]) == 3_333  # type: ignore[arg-type]
